package org.ddpm4j.diffusion.pipeline;

import org.ddpm4j.io.Text;

/**
 * How far the drawing of some images is. They are drawn batch by batch.
 *
 * @param first the number of the first image of the batch that made the step, at least 0
 * @param end one more than the number of its last, at most {@code count}
 * @param count all images that are drawn
 * @param step 1 after the first step of the batch, {@code steps} after the last
 * @param steps of each batch
 */
public record SamplingProgress(int first, int end, int count, int step, int steps) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if the batch is not one of the images, or the step not one of
   *     the steps
   */
  public SamplingProgress {
    if (first < 0 || first >= end || end > count || step < 1 || step > steps) {
      throw new IllegalArgumentException(
          Text.format(
              "Step %d of %d for the images %d to %d of %d is no progress; the step must be one of the steps, and the images some of all.",
              step, steps, first, end - 1, count));
    }
  }

  /**
   * The share of the work that is done, all batches together.
   *
   * @return above 0, and 1 after the last step of the last batch
   */
  public double fraction() {
    double batch = (double) step / steps;
    return (first + (end - first) * batch) / count;
  }
}
