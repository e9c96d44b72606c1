package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * Steps of training. On one card a step is one CUDA graph, from the packing of the weights to the
 * moving average, and another one where the network is told an estimate of its own first. On
 * several each card has neighbouring images of the batch and a graph up to its gradient; the first
 * card adds the gradients up in the order of the cards, updates, and the others take the weights
 * from it. Streams wait for each other by marks; the host waits for none of them.
 */
final class CudaTraining implements TrainingProgram {

  private final CudaDriver driver;
  private final TrainingRequest request;
  private final CudaShard shard;
  private final List<Helper> helpers = new ArrayList<>();
  private final Kernel update;
  private final int images;

  /** A helper's gradient on the first card, and how it is added; null on one card. */
  private Tensor incoming;

  private Kernel adding;

  private final RecordedGraph whole;

  /** The same where the network is told an estimate of its own. */
  private final RecordedGraph wholeWithEstimate;

  private final RecordedGraph updating;
  private long begun;
  private long ended;

  /**
   * Another card.
   *
   * @param shard null where the batch has no images for it
   */
  private record Helper(
      CudaDriver driver,
      CudaShard shard,
      List<TrainingRequest.Replica> replicas,
      Tensor gradient) {}

  CudaTraining(CudaDriver driver, TrainingRequest request) {
    this.driver = driver;
    this.request = request;
    whole = new RecordedGraph(driver);
    wholeWithEstimate = new RecordedGraph(driver);
    updating = new RecordedGraph(driver);
    shard =
        shard(
            driver,
            request.plan(),
            request.prediction(),
            request.targetNetworks(),
            request.cache(),
            request.gradient());
    request.helpers().forEach(helper -> helpers.add(helper(helper)));
    images =
        shard.images()
            + helpers.stream()
                .filter(helper -> helper.shard != null)
                .mapToInt(helper -> helper.shard.images())
                .sum();
    update =
        OptimizerKernels.update(
            shard.context(),
            new OptimizerKernels.Buffers(
                request.weights(),
                request.gradient(),
                request.firstMoment(),
                request.secondMoment(),
                request.ema(),
                request.furtherEmas(),
                request.fixed()),
            constants(),
            shard.scalars(),
            shard.outcome(),
            true);
    if (!helpers.isEmpty()) {
      Tensor gradient = request.gradient();
      incoming = Tensor.dense(driver.allocate(gradient.bytes()), gradient.shape());
      adding = ElementwiseKernels.adding(shard.context(), incoming, gradient);
    }
  }

  private Helper helper(TrainingRequest.Helper wanted) {
    CudaDriver other = ((CudaDevice) wanted.device()).driver();
    CudaShard part =
        wanted.plan() == null
            ? null
            : shard(
                other,
                wanted.plan(),
                wanted.prediction(),
                wanted.targetNetworks(),
                wanted.cache(),
                wanted.gradient());
    return new Helper(other, part, wanted.replicas(), wanted.gradient());
  }

  /** A card's part of the batch, with what all cards have in common. */
  private CudaShard shard(
      CudaDriver card,
      GraphPlan plan,
      GraphPlan prediction,
      List<TrainingRequest.TargetNetwork> targetNetworks,
      WeightCache cache,
      Tensor gradient) {
    return new CudaShard(
        card,
        plan,
        prediction,
        targetNetworks,
        cache,
        request.names(),
        gradient,
        constants(),
        request.furtherEmas().size());
  }

  private OptimizerKernels.Constants constants() {
    TrainingRequest.Optimizer optimizer = request.optimizer();
    return new OptimizerKernels.Constants(
        optimizer.beta1(), optimizer.beta2(), optimizer.epsilon(), optimizer.maxGradientNorm());
  }

  @Override
  public void begin(Step step) {
    if (begun != ended) {
      throw new IllegalStateException("The step that was begun has not ended.");
    }
    if (step.timesteps().length != images) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The program trains %d images at a time, not %d.",
              images,
              step.timesteps().length));
    }
    boolean isTold = step.estimate() != null;
    int first = shard.images();
    for (Helper helper : helpers) {
      if (helper.shard != null) {
        helper.shard.upload(begun, step, first);
        helper.shard.addGradient(isTold);
        helper.shard.download(begun);
        first += helper.shard.images();
      }
    }
    shard.upload(begun, step, 0);
    if (step.update().isEmpty()) {
      shard.addGradient(isTold);
    } else if (helpers.isEmpty()) {
      (isTold ? wholeWithEstimate : whole).run(shard.version(), () -> wholeStep(isTold));
    } else {
      shard.addGradient(isTold);
      gather();
      updating.run(0, () -> List.of(update));
      spread();
    }
    shard.download(begun);
    begun++;
  }

  private List<Kernel> wholeStep(boolean isTold) {
    List<Kernel> all = new ArrayList<>(shard.kernels(isTold));
    all.add(update);
    return all;
  }

  /** Adds the gradients of the others, one after the other. */
  private void gather() {
    for (Helper helper : helpers) {
      if (helper.shard != null) {
        helper.driver.mark().before(driver);
        driver.copyFrom(
            helper.driver, helper.gradient.address(), incoming.address(), incoming.bytes());
        adding.run();
      }
    }
  }

  /** Gives the others what is new, weights above all, and lets them begin a new gradient. */
  private void spread() {
    for (Helper helper : helpers) {
      driver.mark().before(helper.driver);
      for (TrainingRequest.Replica replica : helper.replicas) {
        Tensor original = replica.original();
        helper.driver.copyFrom(
            driver, original.address(), replica.copy().address(), original.bytes());
      }
      helper.driver.zero(helper.gradient.address(), helper.gradient.bytes());
    }
  }

  @Override
  public Outcome end() {
    if (begun == ended) {
      throw new IllegalStateException("No step was begun.");
    }
    float[] losses = new float[images];
    double[] norms = shard.await(ended, losses, 0);
    int first = shard.images();
    for (Helper helper : helpers) {
      if (helper.shard != null) {
        helper.shard.await(ended, losses, first);
        first += helper.shard.images();
      }
    }
    ended++;
    return new Outcome(losses, norms[0], norms[1]);
  }

  @Override
  public void close() {
    for (Helper helper : helpers) {
      helper.driver.synchronize();
      if (helper.shard != null) {
        helper.shard.close();
      }
    }
    whole.close();
    wholeWithEstimate.close();
    updating.close();
    if (incoming != null) {
      driver.free(incoming.address());
    }
    shard.close();
  }
}
