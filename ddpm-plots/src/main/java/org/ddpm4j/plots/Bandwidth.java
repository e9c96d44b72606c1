package org.ddpm4j.plots;

/**
 * Rules for the bandwidth h of a kernel density estimate of n samples with standard deviation s
 * (with n-1 in its denominator). Both are best for normal data and smooth other shapes too much.
 */
public enum Bandwidth {
  /** h = s · n^(-1/5) (Scott 1992), the default of SciPy and seaborn. */
  SCOTT {
    @Override
    double factor(int samples) {
      return Math.pow(samples, -0.2);
    }
  },
  /** h = s · (3n/4)^(-1/5) (Silverman 1986, eq. 3.28), wider by 6 %. */
  SILVERMAN {
    @Override
    double factor(int samples) {
      return Math.pow(samples * 0.75, -0.2);
    }
  };

  abstract double factor(int samples);
}
