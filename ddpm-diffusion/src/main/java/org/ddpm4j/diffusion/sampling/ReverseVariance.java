package org.ddpm4j.diffusion.sampling;

import java.util.Locale;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** The variance σ² of the reverse process (Ho et al. 2020, section 3.2). */
public enum ReverseVariance {
  /** {@code σ_t² = β_t}, optimal for data that is white noise: "fixed large". */
  BETA {
    @Override
    public INDArray logVariance(NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      return estimate.x0().like().assign(Math.log(schedule.betas(t)));
    }

    @Override
    void addNoise(
        INDArray x, INDArray noise, NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      BatchArithmetic.addScaled(x, Math.sqrt(schedule.betas(t)), noise);
    }
  },
  /**
   * {@code σ_t² = β̃_t}, the variance of the posterior {@code q(x_{t-1} | x_t, x_0)}, optimal for
   * data that is a single point: "fixed small".
   */
  POSTERIOR {
    @Override
    public INDArray logVariance(NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      return estimate.x0().like().assign(schedule.posteriorLogVarianceClipped(t));
    }

    @Override
    void addNoise(
        INDArray x, INDArray noise, NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      BatchArithmetic.addScaled(x, Math.sqrt(schedule.posteriorVariance(t)), noise);
    }
  },
  /**
   * Between the two, for each element what the network says: {@code log σ² = f log β_t + (1-f) log
   * β̃_t} with {@code f = (v+1)/2} (Nichol and Dhariwal 2021, eq. 15). On a respaced chain β and β̃
   * are those of that chain.
   */
  LEARNED {
    @Override
    public INDArray logVariance(NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      INDArray v =
          estimate
              .varianceInterpolation()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "The network has not learned a variance; choose the variance beta or posterior, or train one with the loss terms hybrid."));
      double least = schedule.posteriorLogVarianceClipped(t);
      double halfRange = (Math.log(schedule.betas(t)) - least) / 2;
      return v.mul(halfRange).addi(least + halfRange);
    }

    @Override
    void addNoise(
        INDArray x, INDArray noise, NoiseSchedule schedule, int t, Denoiser.Estimate estimate) {
      INDArray halfLog = logVariance(schedule, t, estimate).divi(2);
      x.addi(noise.muli(Transforms.exp(halfLog, false)));
    }
  };

  /**
   * The logarithm of the variance of a step. That of the posterior at t = 0, where it is 0, is
   * clipped to the value of t = 1 (see {@link NoiseSchedule#posteriorLogVarianceClipped}).
   *
   * @param schedule of the chain that is being reversed
   * @param t timestep, zero-based
   * @param estimate of the step
   * @return log σ_t² in nats, of the shape and type of the estimate, {@code [N,C,H,W]}
   * @throws IllegalArgumentException if the estimate lacks what it takes
   */
  public abstract INDArray logVariance(NoiseSchedule schedule, int t, Denoiser.Estimate estimate);

  /** Adds standard normal noise, which may be overwritten, times σ_t. */
  abstract void addNoise(
      INDArray x, INDArray noise, NoiseSchedule schedule, int t, Denoiser.Estimate estimate);

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code
   * posterior}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
