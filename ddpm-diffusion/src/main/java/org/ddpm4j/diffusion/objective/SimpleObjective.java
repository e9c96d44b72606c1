package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.random.BatchRandom;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.kernels.ops.ImageLoss;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The error of what a network predicts of a noisy image (Ho et al. 2020, algorithm 1 and eq. 14),
 * weighted by the timestep. A network that conditions on itself is told its own estimate of the
 * images in half of the steps, which is not differentiated, and none in the others (Chen et al.
 * 2022, algorithm 1); held-out images are always asked twice. Nothing is dropped as it makes that
 * estimate, nor for held-out images.
 *
 * @param schedule of the chain
 * @param parameterization what the network predicts
 * @param loss of an error
 * @param weighting how much it counts at each timestep
 */
public record SimpleObjective(
    NoiseSchedule schedule,
    Parameterization parameterization,
    LossFunction loss,
    LossWeighting weighting)
    implements GraphObjective {

  /** Chen et al. 2022, section 3.2. */
  private static final double SELF_CONDITIONED_SHARE = 0.5;

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   */
  public SimpleObjective {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(loss, "loss");
    Objects.requireNonNull(weighting, "weighting");
  }

  @Override
  public int timesteps() {
    return schedule.timesteps();
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    double[] factors = new double[batch.size()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = weights[i] * weight(batch.t()[i]);
    }
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch.Noisy noisy = batch.noisy(schedule, parameterization, temporaries);
      INDArray target = target(batch, noisy.eps(), temporaries);
      INDArray imageWeights = temporaries.add(Nd4j.createFromArray(factors));
      UnetInput input =
          conditioned(unet, batch, noisy, tellsEstimate(batch), temporaries)
              .withDropout(batch.dropout());
      double[] losses = unet.lossAndGradient(loss, input, target, imageWeights, gradient);
      return weigh(losses, batch.t());
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch.Noisy noisy = batch.noisy(schedule, parameterization, temporaries);
      INDArray target = target(batch, noisy.eps(), temporaries);
      UnetInput input = conditioned(unet, batch, noisy, true, temporaries);
      return weigh(unet.losses(loss, input, target), batch.t());
    }
  }

  /**
   * One choice for all images of a step, so that in the other half of them nobody is asked twice.
   */
  private static boolean tellsEstimate(long seed, long step) {
    return new CounterRandom(seed, Purpose.SELF_CONDITIONING).uniform(0, step, 0)
        < SELF_CONDITIONED_SHARE;
  }

  private static boolean tellsEstimate(TrainingBatch batch) {
    BatchRandom random = batch.random();
    return tellsEstimate(random.random().seed(), random.step());
  }

  /** What a network is given, with its own estimate before the images if it conditions on it. */
  private UnetInput conditioned(
      Unet unet,
      TrainingBatch batch,
      TrainingBatch.Noisy noisy,
      boolean tellsEstimate,
      Temporaries temporaries) {
    UnetInput input = noisy.input();
    if (!unet.config().selfConditions()) {
      return input;
    }
    INDArray nothing = temporaries.add(input.x().like());
    UnetInput first = with(nothing, input, temporaries);
    if (!tellsEstimate) {
      return first;
    }
    INDArray answer = temporaries.add(unet.predict(first));
    INDArray xt =
        temporaries.add(
            Parameterization.EPSILON.input(schedule, batch.x0(), noisy.eps(), batch.t()));
    List<NoiseLevel> levels =
        Arrays.stream(batch.t()).mapToObj(t -> NoiseLevel.of(schedule, t)).toList();
    return with(
        temporaries.add(parameterization.x0(schedule, xt, answer, levels)), input, temporaries);
  }

  private static UnetInput with(INDArray estimate, UnetInput input, Temporaries temporaries) {
    return new UnetInput(
        temporaries.add(Nd4j.concat(1, estimate, input.x())), input.t(), input.labels());
  }

  /**
   * How much the error counts at a timestep.
   *
   * @param t the timestep, zero-based
   * @return at least 0
   */
  @Override
  public double weight(int t) {
    return weighting.weight(parameterization, schedule, t);
  }

  @Override
  public Optional<ImageLoss> graphLoss() {
    return Optional.of(loss);
  }

  @Override
  public boolean tellsEstimates() {
    return true;
  }

  @Override
  public Optional<float[]> estimateFactors(long seed, long step, int... t) {
    if (!tellsEstimate(seed, step)) {
      return Optional.empty();
    }
    float[] factors = new float[2 * t.length];
    for (int i = 0; i < t.length; i++) {
      NoiseLevel level = NoiseLevel.of(schedule, t[i]);
      double[] ofX0 = parameterization.x0Factors(schedule, level);
      factors[2 * i] = (float) (ofX0[0] / parameterization.inputFactor(level));
      factors[2 * i + 1] = (float) ofX0[1];
    }
    return Optional.of(factors);
  }

  private double[] weigh(double[] losses, int[] t) {
    for (int i = 0; i < losses.length; i++) {
      losses[i] *= weight(t[i]);
    }
    return losses;
  }

  /** The noise itself, or a temporary array. */
  private INDArray target(TrainingBatch batch, INDArray eps, Temporaries temporaries) {
    return parameterization == Parameterization.EPSILON
        ? eps
        : temporaries.add(parameterization.target(schedule, batch.x0(), eps, batch.t()));
  }
}
