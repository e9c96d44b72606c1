package org.ddpm4j.spark.training;

import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How long a step of {@link SparkGradientStep} takes by so many machines, by arithmetic: the
 * gradient's part that is shared out, what Spark takes to begin and end a job, the weights to the
 * executors, and one gradient after the other through the driver's link and into its sum. {@code
 * docs/spark-scaling.md} has its tables.
 *
 * @param imagesPerSecond of training by one machine alone
 * @param weights of the network
 * @param gigabits a second of the driver's link
 */
public record StepTime(double imagesPerSecond, long weights, double gigabits) {

  /** What a job takes that computes nothing, in seconds: an assumption, of a quiet cluster. */
  public static final double JOB = 0.05;

  /** Of a link's nominal rate, what arrives. */
  public static final double GOODPUT = 0.9;

  /** To read a number of a gradient and add it, in seconds. */
  public static final double ADDITION = 1e-9;

  /** As many times the weights leave the driver; executors hand them on to each other. */
  public static final int BROADCASTS = 2;

  private static final int MOST_MACHINES = 10_000;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is not above 0
   */
  public StepTime {
    if (!(imagesPerSecond > 0 && weights > 0 && gigabits > 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%s images and %s gigabits a second and %d weights are no training; each must be above 0.",
              imagesPerSecond,
              gigabits,
              weights));
    }
  }

  /**
   * The time of a step.
   *
   * @param batch images of it
   * @param machines how many compute a shard each; one does without Spark
   * @return seconds
   */
  public double seconds(int batch, int machines) {
    double computing = batch / (imagesPerSecond * machines);
    if (machines == 1) {
      return computing;
    }
    double transfer = weights * Float.BYTES / (gigabits * 1e9 / Byte.SIZE * GOODPUT);
    return computing
        + JOB
        + (BROADCASTS + machines) * transfer
        + machines * (double) weights * ADDITION;
  }

  /**
   * How many times as fast as one.
   *
   * @param batch images of a step
   * @param machines how many
   * @return the quotient of the times
   */
  public double speedup(int batch, int machines) {
    return seconds(batch, 1) / seconds(batch, machines);
  }

  /**
   * Beyond which more machines make a step longer.
   *
   * @param batch images of a step
   * @return the number of machines of the shortest step
   */
  public int mostUseful(int batch) {
    int best = 1;
    for (int machines = 2; machines <= MOST_MACHINES; machines++) {
      if (seconds(batch, machines) < seconds(batch, best)) {
        best = machines;
      }
    }
    return best;
  }

  /**
   * Up to which machines are at least half as useful as one alone.
   *
   * @param batch images of a step
   * @return the greatest number with half of the ideal speed, 1 if there is none
   */
  public int halfUseful(int batch) {
    return IntStream.rangeClosed(2, MOST_MACHINES)
        .filter(machines -> speedup(batch, machines) >= 0.5 * machines)
        .max()
        .orElse(1);
  }
}
