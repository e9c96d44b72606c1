package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
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
    implements Sampler {

  /**
   * Checks that nothing is missing.
   *
   * @param times the timesteps to visit
   * @param variance σ² of each step
   * @param x0Constraint applied to every estimate of x0
   * @throws NullPointerException if one is missing
   */
  public AncestralSampler {
    Objects.requireNonNull(times, "times");
    Objects.requireNonNull(variance, "variance");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public INDArray sample(
      Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
    NoiseSchedule schedule = times.schedule();
    INDArray x = noise.initial(steps(), shape);
    for (int i = steps() - 1; i >= 0; i--) {
      Denoiser.Estimate estimate = denoiser.denoise(x, level(i));
      INDArray x0 = x0Constraint.apply(estimate.x0());
      INDArray mean =
          x0.mul(schedule.posteriorMeanCoef1(i)).addi(x.mul(schedule.posteriorMeanCoef2(i)));
      x = mean;
      if (i > 0) {
        x.addi(variance.scale(noise.gaussian(i, shape), schedule, i, estimate));
      }
      observer.onStep(steps() - i, x, x0);
    }
    return x;
  }

  private NoiseLevel level(int i) {
    return NoiseLevel.of(times.schedule(), i).withT(times.originalTimestep(i));
  }

  @Override
  public int steps() {
    return times.schedule().timesteps();
  }
}
