package org.ddpm4j.diffusion.cold;

import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Lets it snow, in the manner of Bansal et al. 2022, section 4.4, which goes back to the snow of
 * ImageNet-C (Hendrycks and Dietterich 2019), made as simple as it can be. For pixels p in [0,1]:
 *
 * <ol>
 *   <li>The air turns white: {@code p + w (max(p, 1.5 g + 0.5) - p)}, g being the mean of the
 *       pixel's channels.
 *   <li>Flakes fall where a field of standard normal values, two pixels to a value and interpolated
 *       between, exceeds a threshold θ; a flake is {@code min(1, field - θ)} bright and drawn out
 *       over five pixels, down or sideways.
 *   <li>The flakes and the same turned by 180° are added, and the sum is clipped to [0,1].
 * </ol>
 *
 * <p>With the severity w rises and θ falls, both in equal steps. Field and direction are those of
 * the image's key at every severity, so that no pixel ever becomes darker. What is outside [-1,1]
 * is clipped.
 *
 * @param steps T, at least 1
 * @param firstThreshold θ at severity 1, in standard deviations; finite
 * @param lastThreshold θ at severity T, finite, at most the first
 * @param lastWhiteness w at severity T, in [0,1]
 */
public record Snow(int steps, double firstThreshold, double lastThreshold, double lastWhiteness)
    implements Degradation {

  private static final int ZOOM = 2;
  private static final int STREAK_RADIUS = 2;
  private static final int FIELD_DRAW = 0;
  private static final int DIRECTION_DRAW = 1;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public Snow {
    ImageByImage.requireSteps(steps);
    if (!Double.isFinite(firstThreshold) || !Double.isFinite(lastThreshold)) {
      throw new IllegalArgumentException(
          Text.format(
              "The threshold of flakes goes from %s to %s; both must be finite, and beyond 10 hardly a flake falls.",
              firstThreshold, lastThreshold));
    }
    if (!(lastThreshold <= firstThreshold)) {
      throw new IllegalArgumentException(
          Text.format(
              "The threshold of flakes goes from %s to %s; it must not rise, lest there be less snow.",
              firstThreshold, lastThreshold));
    }
    if (!(lastWhiteness >= 0 && lastWhiteness <= 1)) {
      throw new IllegalArgumentException(
          Text.format("The whiteness is %s; it must be in [0,1].", lastWhiteness));
    }
  }

  /**
   * From a single flake to a snowstorm in which shapes can still be made out.
   *
   * @param steps T, at least 1
   * @return the snow
   */
  public static Snow storm(int steps) {
    return new Snow(steps, 2, 0.5, 0.4);
  }

  @Override
  public INDArray degrade(INDArray x0, int[] severity, long[] keys) {
    ImageShape shape = ImageByImage.shape(x0);
    return ImageByImage.apply(
        this, x0, severity, keys, (pixels, s, key) -> snow(pixels, shape, s, key));
  }

  private void snow(double[] pixels, ImageShape shape, int severity, long key) {
    double share = steps == 1 ? 1 : (severity - 1.0) / (steps - 1);
    double threshold = firstThreshold + share * (lastThreshold - firstThreshold);
    double whiteness = lastWhiteness * severity / steps;
    double[] flakes = flakes(shape, threshold, key);
    int plane = flakes.length;
    for (int i = 0; i < plane; i++) {
      double grey = 0;
      for (int c = 0; c < shape.channels(); c++) {
        grey += unit(pixels[c * plane + i]) / shape.channels();
      }
      double fall = flakes[i] + flakes[plane - 1 - i];
      for (int c = 0; c < shape.channels(); c++) {
        double p = unit(pixels[c * plane + i]);
        double white = p + whiteness * (Math.max(p, 1.5 * grey + 0.5) - p);
        pixels[c * plane + i] = 2 * Math.min(1, white + fall) - 1;
      }
    }
  }

  private static double unit(double value) {
    return Math.min(1, Math.max(0, (value + 1) / 2));
  }

  /** The brightness of the flakes, {@code [H,W]}, at least 0. */
  private static double[] flakes(ImageShape shape, double threshold, long key) {
    CounterRandom random = new CounterRandom(key, Purpose.DEGRADATIONS);
    boolean sideways = random.bits(0, DIRECTION_DRAW, 0) < 0;
    int height = shape.height();
    int width = shape.width();
    double[] field = field(random, height, width);
    double[] flakes = new double[height * width];
    for (int i = 0; i < flakes.length; i++) {
      for (int k = -STREAK_RADIUS; k <= STREAK_RADIUS; k++) {
        int y = i / width + (sideways ? 0 : k);
        int x = i % width + (sideways ? k : 0);
        if (y >= 0 && y < height && x >= 0 && x < width) {
          double brightness = Math.min(1, Math.max(0, field[y * width + x] - threshold));
          flakes[i] += brightness / (2 * STREAK_RADIUS + 1);
        }
      }
    }
    return flakes;
  }

  /** Standard normal values at every {@value #ZOOM}th pixel, interpolated linearly between. */
  private static double[] field(CounterRandom random, int height, int width) {
    int across = (width - 1) / ZOOM + 2;
    int down = (height - 1) / ZOOM + 2;
    float[] knots = new float[down * across];
    random.gaussian(0, FIELD_DRAW, knots, 0, knots.length);
    double[] field = new double[height * width];
    for (int i = 0; i < field.length; i++) {
      int y = i / width;
      int x = i % width;
      int knot = y / ZOOM * across + x / ZOOM;
      double fy = y % ZOOM / (double) ZOOM;
      double fx = x % ZOOM / (double) ZOOM;
      field[i] =
          (1 - fy) * ((1 - fx) * knots[knot] + fx * knots[knot + 1])
              + fy * ((1 - fx) * knots[knot + across] + fx * knots[knot + across + 1]);
    }
    return field;
  }
}
