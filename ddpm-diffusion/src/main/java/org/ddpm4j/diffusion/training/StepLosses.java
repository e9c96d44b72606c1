package org.ddpm4j.diffusion.training;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * How the images of a step, or of a shard of it, fared.
 *
 * @param t the timestep of each image, zero-based, N of them
 * @param weights of the images' losses, N of them
 * @param losses of the images, without their weights, N of them
 */
public record StepLosses(int[] t, double[] weights, double[] losses) {

  /**
   * Checks that there are as many of each.
   *
   * @throws IllegalArgumentException if there are not
   */
  public StepLosses {
    Objects.requireNonNull(t, "t");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(losses, "losses");
    if (weights.length != t.length || losses.length != t.length) {
      throw new IllegalArgumentException(
          Text.format(
              "%d timesteps, %d weights and %d losses were given; each image has one of each.",
              t.length, weights.length, losses.length));
    }
  }

  /**
   * The losses of several parts together.
   *
   * @param parts in the order of their images
   * @return all of them
   */
  public static StepLosses concat(List<StepLosses> parts) {
    Objects.requireNonNull(parts, "parts");
    return new StepLosses(
        parts.stream().flatMapToInt(part -> Arrays.stream(part.t)).toArray(),
        parts.stream().flatMapToDouble(part -> Arrays.stream(part.weights)).toArray(),
        parts.stream().flatMapToDouble(part -> Arrays.stream(part.losses)).toArray());
  }

  /** {@return the number of images, N} */
  public int images() {
    return t.length;
  }

  /**
   * The loss that is minimised.
   *
   * @return the mean of the weighted losses
   */
  public double mean() {
    double mean = 0;
    for (int i = 0; i < t.length; i++) {
      mean += weights[i] * losses[i] / t.length;
    }
    return mean;
  }
}
