package org.ddpm4j.diffusion;

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
   * @param xt noisy images, {@code [N,C,H,W]}, all at the same time
   * @param t the timestep, zero-based
   * @return the estimate
   */
  Estimate denoise(INDArray xt, int t);

  /**
   * An estimate of both parts of {@code x_t = √ᾱ_t x0 + √(1-ᾱ_t) ε}.
   *
   * @param x0 the clean image, {@code [N,C,H,W]}
   * @param eps the noise, {@code [N,C,H,W]}
   */
  record Estimate(INDArray x0, INDArray eps) {}
}
