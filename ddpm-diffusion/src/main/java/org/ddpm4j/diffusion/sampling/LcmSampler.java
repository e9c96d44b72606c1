package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Multistep sampling of latent consistency models (Luo et al. 2023, algorithm 3): each step jumps
 * to the image, and noise of the next level is added to it. For networks that were distilled to do
 * so; what others estimate in one jump is the mean of many images.
 *
 * @param levels of the run; the network is asked at all but the last, which is clean
 * @param timestepScaling s of the boundary condition: the image is {@code c_out x0 + c_skip x} with
 *     {@code c_skip = ¼/(s²t² + ¼)} and {@code c_out = st/√(s²t² + ¼)}, so that nothing changes at
 *     t = 0; positive
 * @param x0Constraint applied to every estimate of x0
 */
public record LcmSampler(NoiseLevels levels, double timestepScaling, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Of the authors and of diffusers. */
  public static final double DEFAULT_TIMESTEP_SCALING = 10;

  /** Variance of the data, with which the boundary condition reckons. */
  private static final double DATA_VARIANCE = 0.25;

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the scaling is not positive and finite
   */
  public LcmSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    requireScaling(timestepScaling);
  }

  /**
   * Checks the scaling of the timesteps.
   *
   * @param timestepScaling s
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public static void requireScaling(double timestepScaling) {
    if (!(timestepScaling > 0 && timestepScaling < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The scaling of the timesteps is %s; it must be positive and finite.",
              timestepScaling));
    }
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < steps(); i++) {
      NoiseLevel from = levels.step(i).from();
      NoiseLevel to = levels.step(i).to();
      INDArray x0 = x0Constraint.apply(denoiser.denoise(x, from).x0());
      double scaled = timestepScaling * from.t();
      double divisor = scaled * scaled + DATA_VARIANCE;
      INDArray image =
          BatchArithmetic.combine(scaled / Math.sqrt(divisor), x0, DATA_VARIANCE / divisor, x);
      x = i < steps() - 1 ? BatchArithmetic.scale(to.alpha(), image) : image;
      if (i < steps() - 1) {
        noise.addTo(x, to.sigma(), i + 1);
      }
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }
}
