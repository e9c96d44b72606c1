package org.ddpm4j.diffusion.image;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * The linear scale between pixels p in 0..255 and the values x that a model sees: {@code x = (p/255
 * - mean)/std}, for each channel its own or for all alike.
 *
 * <p>Whoever clips or saves images has to know it: with {@link #SYMMETRIC} the values fill [-1,1],
 * but with {@link #IMAGENET} they go from -2.12 to 2.64, in each channel differently. An estimate
 * of such an image that is clipped to [-1,1] has lost its lights and shadows.
 *
 * @param mean of p/255; one number for every channel alike, or C numbers
 * @param std standard deviation of p/255, more than 0; as many as there are means
 */
public record Normalization(List<Double> mean, List<Double> std) {

  /**
   * To [-1,1], exactly -1 and 1 at the ends (Ho et al. 2020, "Denoising Diffusion Probabilistic
   * Models", section 3.3).
   */
  public static final Normalization SYMMETRIC = new Normalization(List.of(0.5), List.of(0.5));

  /** To [0,1] (Song et al. 2021b, whose networks see images so). */
  public static final Normalization UNIT = new Normalization(List.of(0.0), List.of(1.0));

  /**
   * To mean 0 and standard deviation 1 of the photographs of ImageNet: red, green, blue, as
   * torchvision's classifiers expect them. Values go from -2.118 to 2.249 in red, -2.036 to 2.429
   * in green and -1.804 to 2.640 in blue.
   */
  public static final Normalization IMAGENET =
      new Normalization(List.of(0.485, 0.456, 0.406), List.of(0.229, 0.224, 0.225));

  /** Pixels are 0..MAX_PIXEL. */
  private static final int MAX_PIXEL = 255;

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if there are none or not as many of both, a mean is not a
   *     number or a standard deviation not more than 0
   */
  public Normalization {
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(std, "std");
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (mean.isEmpty() || mean.size() != std.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "A normalisation of %d mean(s) and %d standard deviations is not possible; it takes one of both, or one for each channel.",
              mean.size(), std.size()));
    }
    for (int i = 0; i < mean.size(); i++) {
      boolean possible =
          Double.isFinite(mean.get(i)) && Double.isFinite(std.get(i)) && std.get(i) > 0;
      if (!possible) {
        throw new IllegalArgumentException(
            Text.format(
                "A normalisation with mean %s and standard deviation %s is not possible; both must be finite and the second more than 0.",
                mean.get(i), std.get(i)));
      }
    }
  }

  /**
   * Whether every channel has the same scale.
   *
   * @return true if there is one mean, for any number of channels
   */
  public boolean uniform() {
    return mean.size() == 1;
  }

  /**
   * Checks that images of so many channels have a scale for each.
   *
   * @param channels C
   * @throws IllegalArgumentException if there are as many scales as for other images
   */
  public void requireChannels(long channels) {
    if (!uniform() && mean.size() != channels) {
      throw new IllegalArgumentException(
          Text.format(
              "The normalisation has a mean for each of %d channel(s), but the images have %d; take one for every channel alike, or one for each.",
              mean.size(), channels));
    }
  }

  /**
   * A pixel's value for the model.
   *
   * @param pixel 0..255
   * @param channel 0..C-1
   * @return {@code (pixel/255 - mean)/std}, computed in double precision and rounded once
   * @throws IllegalArgumentException if the pixel is not in 0..255
   */
  public float toModel(int pixel, int channel) {
    if (pixel < 0 || pixel > MAX_PIXEL) {
      throw new IllegalArgumentException("The pixel is " + pixel + ", expected 0 to 255.");
    }
    return (float) value(pixel, channel);
  }

  /**
   * The pixel nearest to a model's value; the inverse of {@link #toModel}.
   *
   * @param x any value; what lies outside of the range counts as its nearer end, and NaN as 0
   * @param channel 0..C-1
   * @return 0..255, never wrapped
   */
  public int toPixel(double x, int channel) {
    double pixel = (x * std(channel) + mean(channel)) * MAX_PIXEL;
    return (int) Math.round(Math.min(MAX_PIXEL, Math.max(0, pixel)));
  }

  /**
   * The value of the darkest pixel.
   *
   * @param channel 0..C-1
   * @return {@code -mean/std}
   */
  public double lower(int channel) {
    return value(0, channel);
  }

  /**
   * The value of the brightest pixel.
   *
   * @param channel 0..C-1
   * @return {@code (1 - mean)/std}
   */
  public double upper(int channel) {
    return value(MAX_PIXEL, channel);
  }

  /**
   * The distance between two neighbouring levels, which the discretised decoder integrates over (Ho
   * et al. 2020, eq. 13).
   *
   * @param channel 0..C-1
   * @return {@code 1/(255·std)}
   */
  public double step(int channel) {
    return 1 / (MAX_PIXEL * std(channel));
  }

  private double value(int pixel, int channel) {
    return (pixel / (double) MAX_PIXEL - mean(channel)) / std(channel);
  }

  private double mean(int channel) {
    return uniform() ? mean.get(0) : mean.get(channel);
  }

  private double std(int channel) {
    return uniform() ? std.get(0) : std.get(channel);
  }
}
