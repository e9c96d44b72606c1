package org.ddpm4j.diffusion.sampling;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a sampler does to each estimate of the clean image before it uses it. */
@FunctionalInterface
public interface X0Constraint {

  /** Leaves the estimate as it is. */
  X0Constraint NONE = x0 -> x0;

  /**
   * Constrains an estimate.
   *
   * @param x0 the estimate, {@code [N,C,H,W]}; not to be modified
   * @return the constrained estimate, same shape
   */
  INDArray apply(INDArray x0);

  /**
   * Clips to the range of the training data.
   *
   * @param min lowest value of a pixel
   * @param max highest value of a pixel
   * @return the constraint
   */
  static X0Constraint clip(double min, double max) {
    if (!(min < max)) {
      throw new IllegalArgumentException(
          "Images cannot be clipped to [%s,%s]; the range is empty.".formatted(min, max));
    }
    return x0 -> Nd4j.math().clipByValue(x0, min, max);
  }
}
