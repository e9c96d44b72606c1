package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The sampler of DDPM (Ho et al. 2020, algorithm 2), on all timesteps or on a respaced few (Nichol
 * and Dhariwal 2021, section 4). Each step draws {@code x_{t-1}} from the posterior {@code
 * q(x_{t-1} | x_t, x0)} (eq. 7) at the estimate of x0, which for an unconstrained estimate is the
 * mean of eq. 11; the last step adds no noise.
 *
 * @param times the timesteps to visit
 * @param variance σ² of each step
 * @param x0Constraint applied to every estimate of x0
 */
public record AncestralSampler(
    RespacedSchedule times, ReverseVariance variance, X0Constraint x0Constraint)
    implements PathSampler {

  /** Checks that nothing is missing. */
  public AncestralSampler {
    Objects.requireNonNull(times, "times");
    Objects.requireNonNull(variance, "variance");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public NoiseLevel first() {
    return level(steps() - 1);
  }

  @Override
  public INDArray initial(NoiseSource noise, long... shape) {
    return noise.initial(steps(), shape);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = steps() - 1; i >= 0; i--) {
      Step step = step(denoiser, x, i, i > 0 ? noise.gaussian(i, start.shape()) : null);
      x = step.x();
      observer.onStep(steps() - i, x, step.x0());
    }
    return x;
  }

  /**
   * What a step has made.
   *
   * @param x the state after the step, {@code [N,C,H,W]}
   * @param x0 the constrained estimate of the image that it was made with, same shape
   */
  public record Step(INDArray x, INDArray x0) {

    /** Checks that nothing is missing. */
    public Step {
      Objects.requireNonNull(x, "x");
      Objects.requireNonNull(x0, "x0");
    }
  }

  /**
   * One step of the chain, from {@code x_i} to {@code x_{i-1}}.
   *
   * @param denoiser the model
   * @param x the state before the step, {@code [N,C,H,W]}; not modified
   * @param i timestep of the respaced chain, 0..S-1
   * @param eps standard normal noise of that shape, which may be overwritten; may be null at 0,
   *     where no noise is added
   * @return the state after the step
   */
  public Step step(Denoiser denoiser, INDArray x, int i, INDArray eps) {
    NoiseSchedule schedule = times.schedule();
    Denoiser.Estimate estimate = denoiser.denoise(x, level(i));
    INDArray x0 = x0Constraint.apply(estimate.x0());
    INDArray next =
        BatchArithmetic.combine(
            schedule.posteriorMeanCoef1(i), x0, schedule.posteriorMeanCoef2(i), x);
    if (i > 0) {
      variance.addNoise(next, eps, schedule, i, estimate);
    }
    return new Step(next, x0);
  }

  private NoiseLevel level(int i) {
    return NoiseLevel.of(times.schedule(), i).withT(times.originalTimestep(i));
  }

  @Override
  public int steps() {
    return times.schedule().timesteps();
  }
}
