package org.ddpm4j.spark.sampling;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.io.Text;

/**
 * What is drawn. Neither partitions nor batches change an image.
 *
 * @param count how many images, at least 1
 * @param seed image i of a seed is always the same, however many are drawn with it
 * @param partitions how many tasks draw them, at least 1; what a lost executor loses are the tasks
 *     that it was at, so a few for each core
 * @param batchSize images that a task draws in one go, at least 1
 */
public record SparkSampling(int count, long seed, int partitions, int batchSize)
    implements Serializable {

  private static final long serialVersionUID = 1L;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a number is less than 1
   */
  public SparkSampling {
    if (count < 1 || partitions < 1 || batchSize < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "%d images cannot be drawn by %d task(s) in batches of %d; each must be at least 1.",
              count, partitions, batchSize));
    }
  }

  /**
   * In batches of the usual size.
   *
   * @param count how many images, at least 1
   * @param seed of the noise
   * @param partitions how many tasks draw them, at least 1
   * @return what is drawn
   * @throws IllegalArgumentException if a number is less than 1
   */
  public static SparkSampling of(int count, long seed, int partitions) {
    return new SparkSampling(count, seed, partitions, DiffusionPipeline.DEFAULT_BATCH_SIZE);
  }

  /**
   * Images with consecutive numbers.
   *
   * @param first the number of the first
   * @param end the number after that of the last
   */
  public record Range(int first, int end) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /**
   * What each task draws.
   *
   * @param multiple ranges begin at multiples of this number
   * @return at most as many ranges as partitions, none of them empty, in order
   */
  public List<Range> ranges(int multiple) {
    long units = (count + (long) multiple - 1) / multiple;
    int parts = (int) Math.min(units, partitions);
    return IntStream.range(0, parts)
        .mapToObj(
            i ->
                new Range(
                    (int) (units * i / parts * multiple),
                    (int) Math.min(count, units * (i + 1) / parts * multiple)))
        .toList();
  }
}
