package org.ddpm4j.kernels.ops;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A term of the variational bound (Ho et al. 2020, eq. 5) as the loss of what a network says of an
 * image, alone or beside a simple error. What depends on the timestep comes with each image, as
 * {@link Coefficients}.
 *
 * <p>Whatever the network predicts, the mean of the reverse step is off by a multiple of the error
 * {@code e = prediction - target}. In units of the deviation of the least variance that is z, and
 * with {@code δ = h (1 + v)} for the logarithm of the variance over the least one, the divergence
 * of a step is {@code (δ + e^-δ - 1 + z² e^-δ)/2}.
 *
 * @param simple error of the prediction. The bound then moves the variance alone: its gradient
 *     stops at the prediction (Nichol and Dhariwal 2021, section 3.1). Empty for the bound alone
 * @param pixels the values of each channel, one for each channel or one for all, whose bins the
 *     last step gives probabilities to; empty if it gives densities
 */
public record BoundLoss(Optional<LossFunction> simple, List<Pixels> pixels) implements ImageLoss {

  /**
   * Copies the list.
   *
   * @throws NullPointerException if something is missing
   */
  public BoundLoss {
    Objects.requireNonNull(simple, "simple");
    pixels = List.copyOf(pixels);
  }

  /**
   * The values of pixels in a channel: {@code lower + k·step} with k from 0 to last. The first and
   * the last bin are open-ended.
   *
   * @param lower the darkest
   * @param step from one to the next, above 0
   * @param last the number of the brightest, at least 1
   */
  public record Pixels(double lower, double step, int last) {}

  /**
   * What the loss takes from an image's timestep.
   *
   * @param errorScale z of an error of 1
   * @param halfLogRange h, half of the logarithm of the largest variance over the least; 0 where
   *     the variance is not learned
   * @param inverseDeviation one over the deviation of the least variance
   * @param isLast whether this is the last step, which ends on pixels, and not a divergence
   * @param boundFactor of the bound's nats in an element's loss
   * @param errorFactor of the simple error in it
   */
  public record Coefficients(
      double errorScale,
      double halfLogRange,
      double inverseDeviation,
      boolean isLast,
      double boundFactor,
      double errorFactor) {

    /** How many numbers they are. */
    public static final int COUNT = 6;

    /**
     * Writes them as the operation reads them.
     *
     * @param to rows of {@value #COUNT}
     * @param row number of the row
     */
    public void put(float[] to, int row) {
      int i = row * COUNT;
      to[i] = (float) errorScale;
      to[i + 1] = (float) halfLogRange;
      to[i + 2] = (float) inverseDeviation;
      to[i + 3] = isLast ? 1 : 0;
      to[i + 4] = (float) boundFactor;
      to[i + 5] = (float) errorFactor;
    }

    /**
     * Reads them, rounded to floats.
     *
     * @param from rows of {@value #COUNT}
     * @param row number of the row
     * @return the coefficients
     */
    public static Coefficients read(FloatBuffer from, int row) {
      int i = row * COUNT;
      return new Coefficients(
          from.get(i),
          from.get(i + 1),
          from.get(i + 2),
          from.get(i + 3) != 0,
          from.get(i + 4),
          from.get(i + 5));
    }
  }
}
