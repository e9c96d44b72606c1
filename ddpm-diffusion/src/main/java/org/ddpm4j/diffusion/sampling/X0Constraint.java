package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

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
   * @throws IllegalArgumentException if the range is empty
   */
  static X0Constraint clip(double min, double max) {
    if (!(min < max)) {
      throw new IllegalArgumentException(
          Text.format("Images cannot be clipped to [%s,%s]; the range is empty.", min, max));
    }
    return x0 -> BatchArithmetic.clip(x0, min, max);
  }

  /**
   * Clips each channel to the range that pixels can have in it. Clipping to [-1,1] whatever the
   * normalisation would forbid the brightest and darkest pixels of images that reach further.
   *
   * @param normalization how the training images' values were made of pixels
   * @return the constraint, for images of as many channels as the normalisation is for
   */
  static X0Constraint clip(Normalization normalization) {
    Objects.requireNonNull(normalization, "normalization");
    if (normalization.uniform()) {
      return clip(normalization.lower(0), normalization.upper(0));
    }
    return x0 -> {
      normalization.requireChannels(x0.size(1));
      INDArray clipped = x0.dup('c');
      for (int c = 0; c < x0.size(1); c++) {
        INDArray channel = clipped.get(NDArrayIndex.all(), NDArrayIndex.point(c));
        channel.assign(
            BatchArithmetic.clip(channel.dup(), normalization.lower(c), normalization.upper(c)));
      }
      return clipped;
    };
  }

  /**
   * Dynamic thresholding (Saharia et al. 2022, section 2.3), for images in [-1,1]: each image is
   * clipped to [-s,s] and divided by s, where s is a high quantile of its absolute values, or 1 if
   * that is more.
   *
   * @param ratio which quantile, in (0,1]; 0.995 in the paper
   * @return the constraint
   * @throws IllegalArgumentException if the ratio is out of its range
   */
  static X0Constraint dynamicThreshold(double ratio) {
    return dynamicThreshold(ratio, Double.POSITIVE_INFINITY);
  }

  /**
   * Dynamic thresholding with a bound on s, which diffusers calls {@code sample_max_value}. Its
   * default there is 1, and that is plain clipping to [-1,1]; with less, every image is clipped to
   * [-s,s] and stretched to [-1,1].
   *
   * @param ratio which quantile, in (0,1]
   * @param maxThreshold the greatest s, positive
   * @return the constraint
   * @throws IllegalArgumentException if one is out of its range
   */
  static X0Constraint dynamicThreshold(double ratio, double maxThreshold) {
    return new DynamicThreshold(ratio, maxThreshold);
  }
}
