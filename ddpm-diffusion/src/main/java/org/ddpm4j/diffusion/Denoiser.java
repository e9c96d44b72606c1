package org.ddpm4j.diffusion;

import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What samplers know of a model: an estimate of the clean image. What the network predicts (ε, x0,
 * …) is the business of the implementation.
 */
@FunctionalInterface
public interface Denoiser {

  /**
   * Estimates the image and the noise of which a noisy image is made.
   *
   * @param xt noisy images, {@code [N,C,H,W]}, all equally noisy; not to be modified
   * @param level how noisy they are, and the time that stands for it
   * @return the estimate, of finite numbers, in the shape and type of the images
   */
  Estimate denoise(INDArray xt, NoiseLevel level);

  /**
   * A denoiser that thinks in timesteps.
   *
   * @param denoiser of images at a timestep
   * @return a denoiser that refuses times between two timesteps with an {@link
   *     IllegalArgumentException}
   */
  static Denoiser ofTimesteps(AtTimestep denoiser) {
    Objects.requireNonNull(denoiser, "denoiser");
    return (xt, level) -> {
      if (level.t() != Math.rint(level.t())) {
        throw new IllegalArgumentException(
            Text.format(
                "The denoiser knows whole timesteps only and was asked at %s; choose a sampler without fractional times.",
                level.t()));
      }
      return denoiser.denoise(xt, (int) level.t());
    };
  }

  /** What {@link #ofTimesteps} makes a denoiser of. */
  @FunctionalInterface
  interface AtTimestep {

    /**
     * Estimates the image and the noise of which a noisy image is made.
     *
     * @param xt noisy images, {@code [N,C,H,W]}
     * @param t the timestep of all of them, zero-based
     * @return the estimate
     */
    Estimate denoise(INDArray xt, int t);
  }

  /**
   * An estimate of both parts of {@code x_t = √ᾱ_t x0 + √(1-ᾱ_t) ε}.
   *
   * @param x0 the clean image, {@code [N,C,H,W]}
   * @param eps the noise, {@code [N,C,H,W]}
   * @param varianceInterpolation for models that learned their variance: v, about -1 where it is
   *     the posterior's β̃_t and 1 where it is β_t, {@code [N,C,H,W]} (Nichol and Dhariwal 2021,
   *     eq. 15)
   */
  record Estimate(INDArray x0, INDArray eps, Optional<INDArray> varianceInterpolation) {

    /** Checks that nothing is missing. */
    public Estimate {
      Objects.requireNonNull(x0, "x0");
      Objects.requireNonNull(eps, "eps");
      Objects.requireNonNull(varianceInterpolation, "varianceInterpolation");
    }

    /**
     * Of a model that has not learned a variance.
     *
     * @param x0 the clean image, {@code [N,C,H,W]}
     * @param eps the noise, {@code [N,C,H,W]}
     */
    public Estimate(INDArray x0, INDArray eps) {
      this(x0, eps, Optional.empty());
    }

    /**
     * The same estimate in another type.
     *
     * @param type FLOAT or DOUBLE
     * @return an estimate of that type; arrays that have it already are not copied
     */
    public Estimate castTo(DataType type) {
      return new Estimate(
          x0.castTo(type), eps.castTo(type), varianceInterpolation.map(v -> v.castTo(type)));
    }
  }
}
