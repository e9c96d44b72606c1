package org.ddpm4j.diffusion.sampling;

import java.util.Locale;
import org.apache.commons.math3.distribution.BetaDistribution;

/**
 * How the noise levels of a run lie between the first and the last at which the network is asked.
 */
public enum LevelSpacing {
  /** At the timesteps of a {@link TimestepSpacing}. */
  TIMESTEPS {
    @Override
    public double[] ratios(double first, double last, int steps) {
      throw new IllegalStateException("Timesteps, not ratios, are spaced.");
    }
  },
  /** {@code ρ^{1/7}} evenly spaced (Karras et al. 2022, eq. 5). */
  KARRAS {
    @Override
    public double[] ratios(double first, double last, int steps) {
      double top = Math.pow(first, 1 / KARRAS_RHO);
      double bottom = Math.pow(last, 1 / KARRAS_RHO);
      double[] ratios = new double[steps];
      for (int i = 0; i < steps; i++) {
        ratios[i] = Math.pow(top + i / (steps - 1.0) * (bottom - top), KARRAS_RHO);
      }
      return ratios;
    }
  },
  /** {@code log ρ} evenly spaced: each ratio is the same multiple of the next. */
  EXPONENTIAL {
    @Override
    public double[] ratios(double first, double last, int steps) {
      double top = Math.log(first);
      double bottom = Math.log(last);
      double[] ratios = new double[steps];
      for (int i = 0; i < steps; i++) {
        ratios[i] = Math.exp(top + i / (steps - 1.0) * (bottom - top));
      }
      return ratios;
    }
  },
  /**
   * ρ as the quantiles of a beta distribution with both parameters 0.6, which has many at either
   * end (Lee et al. 2024).
   */
  BETA {
    @Override
    public double[] ratios(double first, double last, int steps) {
      BetaDistribution distribution = new BetaDistribution(null, BETA_SHAPE, BETA_SHAPE);
      double[] ratios = new double[steps];
      for (int i = 0; i < steps; i++) {
        double quantile = distribution.inverseCumulativeProbability(1 - i / (steps - 1.0));
        ratios[i] = last + quantile * (first - last);
      }
      return ratios;
    }
  },
  /**
   * λ evenly spaced (Lu et al. 2022a, section 3.3). As λ is -log ρ, these are the levels of {@link
   * #EXPONENTIAL}; diffusers has both names and rounds the times of the two otherwise.
   */
  LAMBDA {
    @Override
    public double[] ratios(double first, double last, int steps) {
      return EXPONENTIAL.ratios(first, last, steps);
    }
  },
  /**
   * {@code log ρ} evenly spaced, but asked at the timesteps of a {@link TimestepSpacing}, wherever
   * these lie: diffusers' {@code log_linear} of Euler's sampler.
   */
  LOG_LINEAR {
    @Override
    public double[] ratios(double first, double last, int steps) {
      return EXPONENTIAL.ratios(first, last, steps);
    }
  };

  private static final double KARRAS_RHO = 7;
  private static final double BETA_SHAPE = 0.6;

  /**
   * Noise-to-signal ratios, or shares of noise.
   *
   * @param first the greatest, finite
   * @param last the least, positive and less
   * @param steps how many, at least 2
   * @return descending, both ends included
   * @throws IllegalStateException of {@link #TIMESTEPS}, which are no ratios
   */
  public abstract double[] ratios(double first, double last, int steps);

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code
   * log-linear}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
