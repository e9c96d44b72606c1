package org.ddpm4j.diffusion.cold;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The degradation operator D (Bansal et al. 2022, section 3.1): makes images worse, the more so the
 * higher the severity. Each image is degraded by itself, so that its result does not depend on the
 * others of its batch. Implementations hold nothing but their options and are thread-safe.
 */
public interface Degradation {

  /** {@return T, the highest severity, at least 1} */
  int steps();

  /**
   * Degrades images.
   *
   * @param x0 images, {@code [N,C,H,W]}, FLOAT or DOUBLE, in [-1,1] unless the implementation says
   *     otherwise
   * @param severity of each image, N of them, in 0..T; 0 leaves an image as it is
   * @param keys of each image, N of them: where the degradation has a choice, such as the place of
   *     a mask, the same key makes the same choice at every severity
   * @return D(x0, severity), a new array of x0's shape and type
   * @throws IllegalArgumentException if numbers or shapes differ or a severity is not in 0..T
   */
  INDArray degrade(INDArray x0, int[] severity, long[] keys);

  /**
   * Degrades all images alike.
   *
   * @param x0 images, {@code [N,C,H,W]}, FLOAT or DOUBLE
   * @param severity of all images, in 0..T
   * @param keys of each image, N of them
   * @return D(x0, severity), a new array of x0's shape and type
   * @throws IllegalArgumentException if numbers or shapes differ or the severity is not in 0..T
   */
  default INDArray degrade(INDArray x0, int severity, long[] keys) {
    int[] severities = new int[Math.toIntExact(x0.size(0))];
    Arrays.fill(severities, severity);
    return degrade(x0, severities, keys);
  }
}
