package org.ddpm4j.diffusion.training;

import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.objective.GraphObjective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.DeviceTraining;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.TargetNetwork;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Steps that run on a device as a whole: it makes the noise, knows the weights, the moments and the
 * moving average, and updates them. The host reads the images of the next step meanwhile. Noise and
 * timesteps are those of {@link HostTrainingStep}, to the bit before they are rounded to float.
 */
final class DeviceTrainingStep implements TrainingStep {

  private final Task task;
  private final GraphObjective objective;
  private final DeviceTraining device;
  private long nextStep = -1;
  private Queue<Images> next;
  private RuntimeException nextFailure;
  private boolean isHome;

  /**
   * Images that are evaluated together, as the device takes them.
   *
   * @param first place of the first among all images of the step
   */
  private record Images(INDArray x0, float[] labels, long first) {

    int size() {
      return (int) x0.size(0);
    }
  }

  private DeviceTrainingStep(Task task, GraphObjective objective, DeviceTraining device) {
    this.task = task;
    this.objective = objective;
    this.device = device;
    startFromHome();
  }

  /** The steps of a training, where the network's device can do them and they are such steps. */
  static Optional<TrainingStep> of(Task task) {
    boolean together = !task.unet().execution().helpers().isEmpty();
    if (obstacle(task).isPresent() || !(task.unet().trainsOnDevice() || together)) {
      return Optional.empty();
    }
    GraphObjective objective = (GraphObjective) task.objective();
    AdamWConfig adamW = task.config().optimizer();
    INDArray first = task.data().batch(0).getFeatures();
    return task.unet()
        .trainingOnDevice(
            objective.graphLoss().orElseThrow(),
            (int) first.size(2),
            (int) first.size(3),
            new TrainingRequest.Optimizer(
                adamW.beta1(), adamW.beta2(), adamW.epsilon(), task.config().maxGradientNorm()),
            task.state().furtherEmas().size(),
            targetNetworks(task, objective))
        .map(device -> new DeviceTrainingStep(task, objective, device));
  }

  /**
   * What a training has that devices do not do by themselves.
   *
   * @return words for it, or empty if they do it all
   */
  static Optional<String> obstacle(Task task) {
    if (!(task.objective() instanceof GraphObjective objective)) {
      return Optional.of("an objective of one's own");
    }
    if (objective.graphLoss().isEmpty()) {
      return Optional.of("a decoder or a teacher of one's own");
    }
    if (task.unet().config().selfConditions() && !objective.tellsEstimates()) {
      return Optional.of("self-conditioning in the bound or in a distillation");
    }
    return objective.targetNetworks().stream().allMatch(network -> goesAlong(network, task))
        ? Optional.empty()
        : Optional.of("a teacher that computes elsewhere or knows other images");
  }

  /** Whether a target network may be asked on the devices that train. */
  private static boolean goesAlong(Unet network, Task task) {
    Unet unet = task.unet();
    // These change on the device, where no network but the one that is trained has them.
    boolean isTrained =
        network.parameters() == unet.parameters() || network.parameters() == task.state().ema();
    return !isTrained
        && network.device().isPresent()
        && network.execution().resolvedDevice().equals(unet.execution().resolvedDevice())
        && network.config().inChannels() == unet.config().inChannels()
        && network.config().classEmbeddings() == unet.config().classEmbeddings();
  }

  private static List<TargetNetwork> targetNetworks(Task task, GraphObjective objective) {
    List<Parameters> averages = List.copyOf(task.state().furtherEmas().values());
    return objective.targetNetworks().stream()
        .map(
            network ->
                new TargetNetwork(
                    network,
                    IntStream.range(0, averages.size())
                        .filter(i -> averages.get(i) == network.parameters())
                        .findFirst()))
        .toList();
  }

  @Override
  public Result run(long step, double learningRateFactor, double emaDecay) {
    Queue<Images> pieces = piecesOf(step);
    AdamWConfig adamW = task.config().optimizer();
    TrainingProgram.Update update =
        new TrainingProgram.Update(
            step,
            adamW.learningRate() * learningRateFactor,
            adamW.weightDecay(),
            emaDecay,
            task.state().furtherEmas().keySet().stream()
                .map(decay -> task.config().emaDecay(step, decay))
                .toList());
    long total = pieces.stream().mapToLong(Images::size).sum();
    isHome = false;
    List<StepLosses> losses = new ArrayList<>();
    TrainingProgram.Outcome outcome = null;
    while (!pieces.isEmpty()) {
      Images piece = pieces.remove();
      boolean isLast = pieces.isEmpty();
      TimestepSampler.Draw draw = draw(step, piece);
      device.begin(
          programStep(step, piece, draw, total, isLast ? Optional.of(update) : Optional.empty()));
      // The step has a view of the images alone, and nothing else holds on to them any more.
      Reference.reachabilityFence(piece);
      if (isLast) {
        readAhead(step + 1);
      }
      outcome = device.end();
      losses.add(losses(draw, outcome));
    }
    StepLosses all = StepLosses.concat(losses);
    TrainingDivergedException.requireFinite(step, "loss", all.mean());
    TrainingDivergedException.requireFinite(step, "gradient norm", outcome.gradientNorm());
    TrainingDivergedException.requireFinite(step, "update", outcome.updateNorm());
    return new Result(all, outcome.gradientNorm());
  }

  private TimestepSampler.Draw draw(long step, Images piece) {
    CounterRandom random = new CounterRandom(task.config().seed(), Purpose.TRAINING_TIMESTEPS);
    return task.timesteps().draw(random, step, piece.first(), piece.size());
  }

  private TrainingProgram.Step programStep(
      long step,
      Images piece,
      TimestepSampler.Draw draw,
      long total,
      Optional<TrainingProgram.Update> update) {
    int[] t = draw.t();
    objective.check(piece.x0(), t);
    float[] timesteps = new float[t.length];
    float[] weights = new float[t.length];
    for (int i = 0; i < t.length; i++) {
      timesteps[i] = (float) objective.time(t[i]);
      weights[i] = (float) (draw.weights()[i] * objective.weight(t[i]));
    }
    return new TrainingProgram.Step(
        SingleExecution.buffer(piece.x0()),
        timesteps,
        piece.labels(),
        objective.diffusionFactors(t),
        objective.lossCoefficients(task.unet().config(), t).orElse(null),
        estimateFactors(step, t).orElse(null),
        objective.answeredTarget(t).orElse(null),
        weights,
        (double) piece.size() / total,
        key(Purpose.TRAINING_NOISE, step, piece),
        new TrainingProgram.Offset(
            key(Purpose.OFFSET_NOISE, step, piece), task.config().objective().offsetNoise()),
        key(Purpose.DROPOUT, step, piece),
        update);
  }

  /** The same in all pieces of a step. */
  private Optional<float[]> estimateFactors(long step, int... t) {
    return task.unet().config().selfConditions()
        ? objective.estimateFactors(task.config().seed(), step, t)
        : Optional.empty();
  }

  private BatchKey key(Purpose purpose, long step, Images piece) {
    return new BatchKey(task.config().seed(), purpose.number(), piece.first(), step);
  }

  private StepLosses losses(TimestepSampler.Draw draw, TrainingProgram.Outcome outcome) {
    double[] losses = new double[draw.t().length];
    Arrays.setAll(losses, i -> outcome.losses()[i] * objective.weight(draw.t()[i]));
    return new StepLosses(draw.t(), draw.weights(), losses);
  }

  private Queue<Images> piecesOf(long step) {
    if (step != nextStep) {
      return read(step);
    }
    nextStep = -1;
    if (nextFailure != null) {
      throw nextFailure;
    }
    return next;
  }

  /** What goes wrong belongs to the next step: this one is under way, and may well be the last. */
  private void readAhead(long step) {
    if (step >= task.config().steps()) {
      return;
    }
    nextStep = step;
    nextFailure = null;
    try {
      next = read(step);
    } catch (RuntimeException e) {
      nextFailure = e;
    }
  }

  /** The batches of the source that the step has. */
  private Queue<Images> read(long step) {
    int batches = task.config().accumulate();
    Queue<Images> pieces = new ArrayDeque<>();
    long first = 0;
    for (int i = 0; i < batches; i++) {
      Images piece = read(step, Math.addExact(Math.multiplyExact(step, (long) batches), i), first);
      pieces.add(piece);
      first += piece.size();
    }
    return pieces;
  }

  private Images read(long step, long number, long first) {
    DataSet batch = Rows.requireSome(task.data().batch(number), number);
    INDArray features = batch.getFeatures();
    INDArray x0 =
        SingleExecution.contiguous(
            features.dataType() == DataType.FLOAT ? features : features.castTo(DataType.FLOAT));
    Optional<INDArray> labels = Labels.of(batch, task.unet().config());
    float[] classes =
        labels
            .map(
                given -> {
                  Labels.drop(given, task.config(), task.unet().config(), step, first);
                  float[] values = given.toFloatVector();
                  given.close();
                  return values;
                })
            .orElse(null);
    return new Images(x0, classes, first);
  }

  @Override
  public void bringHome() {
    if (!isHome) {
      TrainingState state = task.state();
      device.bringHome(
          state.ema(), state.firstMoment(), state.secondMoment(), state.furtherEmas().values());
      isHome = true;
    }
  }

  @Override
  public void startFromHome() {
    TrainingState state = task.state();
    device.begin(
        state.ema(), state.firstMoment(), state.secondMoment(), state.furtherEmas().values());
    isHome = true;
  }

  @Override
  public void close() {
    device.close();
  }
}
