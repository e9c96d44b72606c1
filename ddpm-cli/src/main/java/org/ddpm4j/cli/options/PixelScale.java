package org.ddpm4j.cli.options;

import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;

/** The scales that pixels can be on, by name and in words. */
public enum PixelScale {
  /** From -1 to 1. */
  SYMMETRIC(Normalization.SYMMETRIC),
  /** Mean and standard deviation of ImageNet. */
  IMAGENET(Normalization.IMAGENET);

  private final Normalization normalization;

  PixelScale(Normalization normalization) {
    this.normalization = normalization;
  }

  /** {@return the scale} */
  public Normalization normalization() {
    return normalization;
  }

  /**
   * A scale in words, with the range of each channel, and how pixels from 0 to 1 come to it. Mean
   * and standard deviation are not named: those of the images at hand are others.
   *
   * @param normalization the scale
   * @return the words
   */
  public static String describe(Normalization normalization) {
    String ranges =
        String.join(
            ", ",
            IntStream.range(0, normalization.mean().size())
                .mapToObj(
                    c ->
                        Text.format("%.4g to %.4g", normalization.lower(c), normalization.upper(c)))
                .toList());
    return Text.format(
        "%s (0 to 1, less %s, divided by %s)",
        ranges,
        numbers(normalization.mean().stream().mapToDouble(Double::doubleValue)),
        numbers(normalization.std().stream().mapToDouble(Double::doubleValue)));
  }

  private static String numbers(DoubleStream numbers) {
    return String.join(", ", numbers.mapToObj(Double::toString).toList());
  }
}
