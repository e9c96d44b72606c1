package org.ddpm4j.diffusion.training;

import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.SimpleObjective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.unet.DeviceTraining;
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
  private final SimpleObjective objective;
  private final DeviceTraining device;
  private long nextStep = -1;
  private Images next;
  private RuntimeException nextFailure;
  private boolean isHome;

  /** The images of a step, as the device takes them. */
  private record Images(INDArray x0, float[] labels) {}

  private DeviceTrainingStep(Task task, SimpleObjective objective, DeviceTraining device) {
    this.task = task;
    this.objective = objective;
    this.device = device;
    startFromHome();
  }

  /** The steps of a training, where the network's device can do them and they are such steps. */
  static Optional<TrainingStep> of(Task task) {
    if (!(task.objective() instanceof SimpleObjective objective)
        || task.config().accumulate() != 1
        || !task.unet().trainsOnDevice()) {
      return Optional.empty();
    }
    AdamWConfig adamW = task.config().optimizer();
    INDArray first = task.data().batch(0).getFeatures();
    return task.unet()
        .trainingOnDevice(
            objective.loss(),
            (int) first.size(2),
            (int) first.size(3),
            new TrainingRequest.Optimizer(
                adamW.beta1(), adamW.beta2(), adamW.epsilon(), task.config().maxGradientNorm()))
        .map(device -> new DeviceTrainingStep(task, objective, device));
  }

  @Override
  public Result run(long step, double learningRateFactor, double emaDecay) {
    Images images = imagesOf(step);
    TrainingConfig config = task.config();
    int count = (int) images.x0().size(0);
    TimestepSampler.Draw draw =
        task.timesteps()
            .draw(new CounterRandom(config.seed(), Purpose.TRAINING_TIMESTEPS), step, 0, count);
    int[] t = draw.t();
    float[] timesteps = new float[count];
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      timesteps[i] = t[i];
      weights[i] = (float) (draw.weights()[i] * objective.weight(t[i]));
    }
    isHome = false;
    device.begin(
        new TrainingProgram.Step(
            SingleExecution.buffer(images.x0()),
            timesteps,
            images.labels(),
            objective.diffusionFactors(t),
            weights,
            new TrainingProgram.NoiseKey(config.seed(), Purpose.TRAINING_NOISE.number(), 0, step),
            new TrainingProgram.Update(
                step,
                config.optimizer().learningRate() * learningRateFactor,
                config.optimizer().weightDecay(),
                emaDecay)));
    // The step has a view of the images alone: compiled code would let go of them before.
    Reference.reachabilityFence(images);
    readAhead(step + 1);
    TrainingProgram.Outcome outcome = device.end();
    double[] losses = new double[count];
    Arrays.setAll(losses, i -> outcome.losses()[i] * objective.weight(t[i]));
    StepLosses all = new StepLosses(t, draw.weights(), losses);
    TrainingDivergedException.requireFinite(step, "loss", all.mean());
    TrainingDivergedException.requireFinite(step, "gradient norm", outcome.gradientNorm());
    TrainingDivergedException.requireFinite(step, "update", outcome.updateNorm());
    return new Result(all, outcome.gradientNorm());
  }

  private Images imagesOf(long step) {
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

  private Images read(long step) {
    DataSet batch = task.data().batch(step);
    INDArray features = batch.getFeatures();
    INDArray x0 =
        SingleExecution.contiguous(
            features.dataType() == DataType.FLOAT ? features : features.castTo(DataType.FLOAT));
    Optional<INDArray> labels = Labels.of(batch, task.unet().config());
    float[] classes =
        labels
            .map(
                given -> {
                  Labels.drop(given, task.config(), task.unet().config(), step, 0);
                  float[] values = given.toFloatVector();
                  given.close();
                  return values;
                })
            .orElse(null);
    return new Images(x0, classes);
  }

  @Override
  public void bringHome() {
    if (!isHome) {
      TrainingState state = task.state();
      device.bringHome(state.ema(), state.firstMoment(), state.secondMoment());
      isHome = true;
    }
  }

  @Override
  public void startFromHome() {
    TrainingState state = task.state();
    device.begin(state.ema(), state.firstMoment(), state.secondMoment());
    isHome = true;
  }

  @Override
  public void close() {
    device.close();
  }
}
