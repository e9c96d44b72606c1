package org.ddpm4j.diffusion.cold;

import org.ddpm4j.diffusion.Network;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The restoration operator R (Bansal et al. 2022, section 3.1): guesses x0 in one go. */
@FunctionalInterface
public interface RestorationOperator {

  /**
   * Guesses the images.
   *
   * @param xs degraded images, {@code [N,C,H,W]}; not to be modified
   * @param severity of all of them, in 1..T
   * @return the guess of x0, of finite numbers in the same shape; it is taken in the type of the
   *     images
   */
  INDArray restore(INDArray xs, int severity);

  /**
   * A network that was trained by {@link ColdObjective}.
   *
   * @param network of the degraded images and of t = severity - 1, for example {@code
   *     unet::predict}
   * @return the operator
   */
  static RestorationOperator of(Network network) {
    return (xs, severity) -> {
      try (INDArray t = Nd4j.valueArrayOf(new long[] {xs.size(0)}, severity - 1, DataType.INT32)) {
        return network.predict(xs, t);
      }
    };
  }
}
