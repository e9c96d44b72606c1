package org.ddpm4j.spark.training;

import java.util.stream.IntStream;
import org.ddpm4j.io.Text;

/**
 * How long a step of {@link SparkGradientStep} takes by so many machines in barrier mode, by
 * arithmetic: the gradient's part that is shared out, and the exchange of weights and gradients,
 * which hardly depends on the number of machines. {@code docs/spark-scaling.md} has its tables.
 *
 * @param imagesPerSecond of training by one machine alone
 * @param weights of the network
 * @param gigabits a second of each machine's link
 */
public record StepTime(double imagesPerSecond, long weights, double gigabits) {

  /** What an exchange of nothing takes, in seconds: an assumption, of a quiet cluster. */
  public static final double ROUND = 0.005;

  /** Of a link's nominal rate, what arrives. */
  public static final double GOODPUT = 0.9;

  /** To read a number of a gradient and add it, in seconds. */
  public static final double ADDITION = 1e-9;

  private static final int MOST_MACHINES = 10_000;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is not above 0
   */
  public StepTime {
    if (!(imagesPerSecond > 0 && weights > 0 && gigabits > 0)) {
      throw new IllegalArgumentException(
          Text.format(
              "%s images and %s gigabits a second and %d weights are no training; each must be above 0.",
              imagesPerSecond, gigabits, weights));
    }
  }

  /**
   * The time that weights and gradients take at a step. The driver sends the weights in slices and
   * receives the sum in slices; in between each machine sends what is not its own slice of the
   * weights and of a gradient, and adds its own slice of as many gradients as there are machines.
   *
   * @param machines how many compute a shard each; one does without Spark
   * @return seconds
   */
  public double exchangeSeconds(int machines) {
    if (machines == 1) {
      return 0;
    }
    double all = weights * Float.BYTES / (gigabits * 1e9 / Byte.SIZE * GOODPUT);
    double allButOne = all * (machines - 1) / machines;
    return ROUND + 2 * all + 2 * allButOne + weights * ADDITION;
  }

  /**
   * The time of a step.
   *
   * @param batch images of it
   * @param machines how many compute a shard each; one does without Spark
   * @return seconds
   */
  public double seconds(int batch, int machines) {
    return batch / (imagesPerSecond * machines) + exchangeSeconds(machines);
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
