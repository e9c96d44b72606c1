package org.ddpm4j.diffusion.cold;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What all degradations share: the checks, and the way from a batch to images and back. */
final class ImageByImage {

  /** Degrades one image in place. */
  @FunctionalInterface
  interface Operation {

    /**
     * Degrades an image.
     *
     * @param pixels {@code [C,H,W]}, the last axis varying fastest
     * @param severity at least 1
     * @param key of the image
     */
    void apply(double[] pixels, int severity, long key);
  }

  private ImageByImage() {}

  static ImageShape shape(INDArray x0) {
    Objects.requireNonNull(x0, "x0");
    if (x0.rank() != 4 || !x0.dataType().isFPType()) {
      throw new IllegalArgumentException(
          Text.format(
              "An array of shape %s and type %s cannot be degraded; it must be [N,C,H,W], FLOAT or DOUBLE.",
              Arrays.toString(x0.shape()), x0.dataType()));
    }
    return new ImageShape((int) x0.size(1), (int) x0.size(2), (int) x0.size(3));
  }

  static INDArray apply(
      Degradation degradation, INDArray x0, int[] severity, long[] keys, Operation operation) {
    ImageShape shape = shape(x0);
    Objects.requireNonNull(severity, "severity");
    Objects.requireNonNull(keys, "keys");
    int images = Math.toIntExact(x0.size(0));
    if (severity.length != images || keys.length != images) {
      throw new IllegalArgumentException(
          Text.format(
              "%d severities and %d keys were given for %d image(s).",
              severity.length, keys.length, images));
    }
    for (int s : severity) {
      requireSeverity(degradation, s);
    }
    INDArray result = x0.dup('c');
    double[] values = result.data().asDouble();
    int volume = shape.channels() * shape.height() * shape.width();
    for (int i = 0; i < images; i++) {
      if (severity[i] > 0) {
        double[] pixels = Arrays.copyOfRange(values, i * volume, (i + 1) * volume);
        operation.apply(pixels, severity[i], keys[i]);
        System.arraycopy(pixels, 0, values, i * volume, volume);
      }
    }
    result.data().setData(values);
    return result;
  }

  static void requireSeverity(Degradation degradation, int severity) {
    if (severity < 0 || severity > degradation.steps()) {
      throw new IllegalArgumentException(
          Text.format("The severity is %d; it must be in 0..%d.", severity, degradation.steps()));
    }
  }

  static void requireSteps(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException(
          Text.format("A degradation in %d steps does nothing; it takes at least 1.", steps));
    }
  }

  static void requireStds(double firstStd, double stdIncrement) {
    if (!(firstStd > 0 && firstStd < Double.POSITIVE_INFINITY)
        || !(stdIncrement >= 0 && stdIncrement < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The standard deviation starts at %s and grows by %s; it must start above 0 and not shrink.",
              firstStd, stdIncrement));
    }
  }
}
