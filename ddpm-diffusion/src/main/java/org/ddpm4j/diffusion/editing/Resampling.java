package org.ddpm4j.diffusion.editing;

import java.util.Arrays;
import org.ddpm4j.io.Text;

/**
 * RePaint's way through the chain (Lugmayr et al. 2022, section 4.2 and appendix B): from time to
 * time it goes back up to noisier images, and down again, so that what is drawn has the time to
 * agree with what is known.
 *
 * @param jumpLength j, how many steps up, at least 1; 10 in the paper
 * @param resamplings r, how many times each stretch of j steps is denoised, at least 1; 10 in the
 *     paper, and 1 never goes back
 */
public record Resampling(int jumpLength, int resamplings) {

  /** The paper's, for a chain of 250 steps, of which it makes 2410. */
  public static final Resampling PAPER = new Resampling(10, 10);

  /** Straight down. */
  public static final Resampling NONE = new Resampling(1, 1);

  /** Months of drawing, and an array that still fits into memory. */
  private static final int MAX_VISITS = 1 << 24;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is less than 1
   */
  public Resampling {
    if (jumpLength < 1 || resamplings < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "Resampling %d times by jumps of %d steps is not possible; both must be at least 1.",
              resamplings, jumpLength));
    }
  }

  /**
   * The timesteps of the states that are visited, one after the other. Neighbours differ by 1:
   * where the timestep falls, the denoiser is asked; where it rises, noise is added.
   *
   * <p>Each of {@code 0, j, 2j, …} below {@code S-j} is a place to jump up from, r-1 times.
   *
   * @param steps S, the length of the chain, at least 1
   * @return from S-1, where the state is noise, to -1, where it is an image
   * @throws IllegalArgumentException if there are no steps, or more than 16 million visits
   */
  public int[] timesteps(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A chain of %d steps cannot be gone through; it must have at least 1.", steps));
    }
    int places = steps > jumpLength ? (steps - 1) / jumpLength : 0;
    double visits = steps + 1.0 + 2.0 * places * (resamplings - 1.0) * jumpLength;
    if (visits > MAX_VISITS) {
      throw new IllegalArgumentException(
          Text.format(
              "%d resamplings by jumps of %d on %d steps visit %.0f states; take fewer.",
              resamplings, jumpLength, steps, visits));
    }
    int[] jumps = new int[places];
    Arrays.fill(jumps, resamplings - 1);
    int[] visited = new int[(int) visits];
    int count = 0;
    int t = steps - 1;
    visited[count++] = t;
    while (t >= 0) {
      int place = t / jumpLength;
      if (t % jumpLength == 0 && place < places && jumps[place] > 0) {
        jumps[place]--;
        for (int k = 0; k < jumpLength; k++) {
          visited[count++] = ++t;
        }
      }
      visited[count++] = --t;
    }
    return visited;
  }
}
