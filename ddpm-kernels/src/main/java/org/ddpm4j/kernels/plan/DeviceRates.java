package org.ddpm4j.kernels.plan;

import java.util.Locale;
import java.util.Objects;

/**
 * What a device reaches at best, measured on it: what the speed of a network is compared with.
 *
 * @param matmulGigaflops 10⁹ floating-point operations a second, in a large product of matrices
 * @param matmulBy whose product, a few words for people
 * @param copyGigabytes 10⁹ bytes a second, read and written, in a large copy within its memory
 */
public record DeviceRates(double matmulGigaflops, String matmulBy, double copyGigabytes) {

  /**
   * Checks the rates.
   *
   * @throws IllegalArgumentException if one is not above 0
   */
  public DeviceRates {
    Objects.requireNonNull(matmulBy, "matmulBy");
    if (!(matmulGigaflops > 0 && copyGigabytes > 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A device cannot reach %s GFLOP/s and %s GB/s; both are above 0.",
              matmulGigaflops,
              copyGigabytes));
    }
  }
}
