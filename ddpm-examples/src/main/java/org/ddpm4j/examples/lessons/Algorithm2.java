package org.ddpm4j.examples.lessons;

import java.util.function.IntToDoubleFunction;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Algorithm 2 of Ho et al. 2020, line by line, as an exercise. The library's {@code
 * AncestralSampler} does the same, and can clip x0.
 *
 * @param times the timesteps to visit
 * @param sigma σ_t, what multiplies the noise of a step
 */
record Algorithm2(RespacedSchedule times, IntToDoubleFunction sigma) implements Sampler {

  @Override
  public INDArray sample(
      Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
    NoiseSchedule schedule = times.schedule();
    INDArray x = noise.gaussian(steps(), shape); // 1: x_T ~ N(0, I)
    for (int t = steps() - 1; t >= 0; t--) { // 2: the paper's T … 1 is T-1 … 0 here
      Denoiser.Estimate estimate =
          denoiser.denoise(x, NoiseLevel.of(schedule, t).withT(times.originalTimestep(t)));
      double epsFactor = schedule.betas(t) / schedule.sqrtOneMinusAlphasCumprod(t);
      x = x.sub(estimate.eps().mul(epsFactor)).muli(schedule.sqrtRecipAlphas(t)); // 4: the mean
      if (t > 0) { // 3: z = 0 in the last step
        x.addi(noise.gaussian(t, shape).muli(sigma.applyAsDouble(t)));
      }
      observer.onStep(steps() - t, x, estimate.x0());
    }
    return x; // 6
  }

  @Override
  public int steps() {
    return times.schedule().timesteps();
  }
}
