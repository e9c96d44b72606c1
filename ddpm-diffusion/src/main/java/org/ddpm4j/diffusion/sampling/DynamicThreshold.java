package org.ddpm4j.diffusion.sampling;

import java.util.Arrays;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Dynamic thresholding (Saharia et al. 2022, section 2.3).
 *
 * @param ratio which quantile of the absolute values of an image
 * @param maxThreshold the greatest threshold
 */
record DynamicThreshold(double ratio, double maxThreshold) implements X0Constraint {

  DynamicThreshold {
    if (!(ratio > 0 && ratio <= 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "The quantile of dynamic thresholding is %s; it must be above 0 and at most 1.",
              ratio));
    }
    if (!(maxThreshold > 0)) {
      throw new IllegalArgumentException(
          Text.format("The greatest threshold is %s; it must be positive.", maxThreshold));
    }
  }

  @Override
  public INDArray apply(INDArray x0) {
    INDArray thresholded = x0.dup('c');
    for (long n = 0; n < x0.size(0); n++) {
      INDArray image = thresholded.get(NDArrayIndex.point(n));
      double s = Math.min(Math.max(quantile(image), 1), maxThreshold);
      image.assign(Nd4j.math().clipByValue(image.dup(), -s, s).divi(s));
    }
    return thresholded;
  }

  /** Interpolated linearly between the two values in order that are nearest to it. */
  private double quantile(INDArray image) {
    double[] values = image.dup('c').data().asDouble();
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.abs(values[i]);
    }
    Arrays.sort(values);
    double place = ratio * (values.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, values.length - 1);
    return values[below] + (place - below) * (values[above] - values[below]);
  }
}
