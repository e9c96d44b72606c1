package org.ddpm4j.diffusion.bound;

import org.ddpm4j.kernels.ops.StandardNormal;

/**
 * The density of the Gaussian, for data that is truly continuous. Of pixels it says little: a model
 * that has learned that they are whole numbers can make their density as large as it likes, and the
 * bound on it falls below 0.
 */
public record ContinuousGaussian() implements Decoder {

  @Override
  public LogLikelihood logLikelihood(int channel, double x0, double mean, double logVariance) {
    double z = (x0 - mean) * Math.exp(-logVariance / 2);
    return new LogLikelihood(
        StandardNormal.logDensity(z) - logVariance / 2,
        z * Math.exp(-logVariance / 2),
        (z * z - 1) / 2);
  }
}
