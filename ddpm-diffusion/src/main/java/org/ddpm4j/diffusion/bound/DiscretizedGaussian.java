package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.StandardNormal;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The probability that a Gaussian gives to a pixel's bin (Ho et al. 2020, eq. 13). The range of the
 * pixels is cut into bins of one step around each of their values; the first and the last bin are
 * open-ended, so that the probabilities add up to 1.
 *
 * <p>Range and step are those of the data as the model sees it, for each channel: pixels that were
 * normalised by the mean and deviation of ImageNet lie between -2.1 and 2.6, in bins of their own
 * width.
 */
public final class DiscretizedGaussian implements Decoder {

  /** Two whole numbers of steps apart as far as rounding in single precision allows. */
  private static final double WHOLE = 1e-3;

  private final double[] lower;
  private final double[] upper;
  private final double[] step;

  /**
   * Bins for each channel.
   *
   * @param lower the value of the darkest pixel in each channel, C of them or one for all; copied
   * @param upper the value of the brightest pixel, above lower, as many; copied
   * @param step from one value of a pixel to the next, above 0, as many; copied
   * @throws IllegalArgumentException if the lengths differ, a range is empty or not a whole number
   *     of steps
   */
  public DiscretizedGaussian(double[] lower, double[] upper, double[] step) {
    Objects.requireNonNull(lower, "lower");
    Objects.requireNonNull(upper, "upper");
    Objects.requireNonNull(step, "step");
    if (lower.length < 1 || upper.length != lower.length || step.length != lower.length) {
      throw new IllegalArgumentException(
          Text.format(
              "The decoder was given %d lower ends, %d upper ends and %d steps; it takes one of each for every channel, or one of each for all.",
              lower.length, upper.length, step.length));
    }
    for (int c = 0; c < lower.length; c++) {
      double steps = (upper[c] - lower[c]) / step[c];
      if (!(step[c] > 0 && steps > 0.5 && Math.abs(steps - Math.rint(steps)) < WHOLE)) {
        throw new IllegalArgumentException(
            Text.format(
                "Pixels from %s to %s cannot be %s apart; the range must be a whole number of steps, 255 of them for pixels of 8 bits.",
                lower[c], upper[c], step[c]));
      }
    }
    this.lower = lower.clone();
    this.upper = upper.clone();
    this.step = step.clone();
  }

  /**
   * For 8-bit pixels that were scaled to [-1,1].
   *
   * @return a decoder of 256 bins, for images of any number of channels
   */
  public static DiscretizedGaussian ofBytes() {
    return of(Normalization.SYMMETRIC);
  }

  /**
   * For 8-bit pixels of any scale.
   *
   * @param normalization the scale between pixels and the images
   * @return a decoder of 256 bins in each channel
   */
  public static DiscretizedGaussian of(Normalization normalization) {
    Objects.requireNonNull(normalization, "normalization");
    int channels = normalization.mean().size();
    return new DiscretizedGaussian(
        IntStream.range(0, channels).mapToDouble(normalization::lower).toArray(),
        IntStream.range(0, channels).mapToDouble(normalization::upper).toArray(),
        IntStream.range(0, channels).mapToDouble(normalization::step).toArray());
  }

  /**
   * The logarithm of the probability of the bin in which an element lies.
   *
   * @throws IllegalArgumentException if the element lies more than half a step outside of the
   *     range: the images are then of another normalisation
   * @throws IndexOutOfBoundsException if there is no such channel
   */
  @Override
  public LogLikelihood logLikelihood(int channel, double x0, double mean, double logVariance) {
    int c = lower.length == 1 ? 0 : channel;
    int level = level(channel, x0);
    int last = last(c);
    double value = lower[c] + level * step[c];
    double deviation = Math.exp(logVariance / 2);
    double from = level == 0 ? Double.NEGATIVE_INFINITY : (value - step[c] / 2 - mean) / deviation;
    double to = level == last ? Double.POSITIVE_INFINITY : (value + step[c] / 2 - mean) / deviation;
    StandardNormal.Interval bin = StandardNormal.interval(from, to, step[c] / deviation);
    return new LogLikelihood(
        bin.logProbability(), -bin.rise() / deviation, -bin.weightedRise() / 2);
  }

  /** The number of the bin in which an element lies. */
  private int level(int channel, double x0) {
    int c = lower.length == 1 ? 0 : channel;
    double level = Math.rint((x0 - lower[c]) / step[c]);
    if (!(level >= 0 && level <= last(c))) {
      throw new IllegalArgumentException(
          Text.format(
              "An image has the value %s in channel %d, but the decoder is for images in [%s,%s]; give it the range of the images' own normalisation.",
              x0, channel, lower[c], upper[c]));
    }
    return (int) level;
  }

  private int last(int c) {
    return (int) Math.rint((upper[c] - lower[c]) / step[c]);
  }

  /**
   * Checks that images are such as the decoder is for.
   *
   * @param x0 images, {@code [N,C,H,W]}
   * @throws IllegalArgumentException if an element lies more than half a step outside of the range
   * @throws IndexOutOfBoundsException if the images have more channels
   */
  public void check(INDArray x0) {
    double[] elements = Elements.of(x0, x0);
    int channels = (int) x0.size(1);
    int positions = (int) (x0.size(2) * x0.size(3));
    for (int i = 0; i < elements.length; i++) {
      level(i / positions % channels, elements[i]);
    }
  }

  /**
   * The values of pixels, for graphs whose loss is the bound.
   *
   * @return those of each channel, or one for all
   */
  public List<BoundLoss.Pixels> pixels() {
    return IntStream.range(0, lower.length)
        .mapToObj(c -> new BoundLoss.Pixels(lower[c], step[c], last(c)))
        .toList();
  }

  @Override
  public String toString() {
    return Text.format(
        "DiscretizedGaussian[lower=%s, upper=%s, step=%s]",
        Arrays.toString(lower), Arrays.toString(upper), Arrays.toString(step));
  }
}
