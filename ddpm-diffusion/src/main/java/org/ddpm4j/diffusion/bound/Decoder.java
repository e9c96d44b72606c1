package org.ddpm4j.diffusion.bound;

/**
 * The last step of the reverse process, {@code p(x0 | x1)}: what an image costs, given a Gaussian
 * for each of its elements.
 */
@FunctionalInterface
public interface Decoder {

  /**
   * The log-likelihood of one element of an image.
   *
   * @param channel of the image that the element belongs to, zero-based
   * @param x0 the element
   * @param mean of the Gaussian
   * @param logVariance log σ² of the Gaussian
   * @return log p(x0) and its derivatives
   * @throws IllegalArgumentException if no image that the decoder is made for has such an element
   */
  LogLikelihood logLikelihood(int channel, double x0, double mean, double logVariance);

  /**
   * A log-likelihood and its derivatives.
   *
   * @param nats log p(x0), in nats
   * @param meanDerivative by the mean
   * @param logVarianceDerivative by log σ²
   */
  record LogLikelihood(double nats, double meanDerivative, double logVarianceDerivative) {}
}
