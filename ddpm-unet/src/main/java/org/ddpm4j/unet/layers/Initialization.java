package org.ddpm4j.unet.layers;

import java.util.Objects;
import java.util.SplittableRandom;
import org.ddpm4j.io.Text;

/**
 * How a parameter starts: with random numbers of a distribution.
 *
 * @param distribution uniform or normal
 * @param mean the middle
 * @param spread of a uniform distribution half the width, of a normal one the standard deviation;
 *     at least 0, and 0 is a constant
 */
public record Initialization(Distribution distribution, double mean, double spread) {

  /** All zeros. */
  public static final Initialization ZEROS = uniform(0, 0);

  /** All ones. */
  public static final Initialization ONES = uniform(1, 0);

  /** Mean 0 and standard deviation 1: PyTorch's default for embeddings. */
  public static final Initialization STANDARD_NORMAL =
      new Initialization(Distribution.NORMAL, 0, 1);

  /** Families of random numbers. */
  public enum Distribution {
    /** Evenly in {@code [mean - spread, mean + spread)}. */
    UNIFORM {
      @Override
      double draw(SplittableRandom random) {
        return 2 * random.nextDouble() - 1;
      }
    },
    /** Gaussian. */
    NORMAL {
      /** Box and Muller 1958: the same numbers in every version of Java. */
      @Override
      double draw(SplittableRandom random) {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
        return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
      }
    };

    /** A number of mean 0 and spread 1. */
    abstract double draw(SplittableRandom random);
  }

  /**
   * Checks the spread.
   *
   * @throws IllegalArgumentException if the spread is negative or a number is not finite
   */
  public Initialization {
    Objects.requireNonNull(distribution, "distribution");
    if (!(spread >= 0) || !Double.isFinite(mean) || !Double.isFinite(spread)) {
      throw new IllegalArgumentException(
          Text.format(
              "Weights cannot start within %s of %s; the spread must be finite and at least 0.",
              spread, mean));
    }
  }

  /**
   * Evenly distributed.
   *
   * @param mean the middle
   * @param bound half the width, finite, at least 0; 0 is a constant
   * @return the initialisation
   */
  public static Initialization uniform(double mean, double bound) {
    return new Initialization(Distribution.UNIFORM, mean, bound);
  }

  /**
   * PyTorch's default for the weight and the bias of linear and convolutional layers: uniform
   * within {@code 1/sqrt(fanIn)} of zero.
   *
   * @param fanIn the number of inputs that one output sums
   * @return the initialisation
   */
  public static Initialization fanIn(long fanIn) {
    return uniform(0, 1 / Math.sqrt(fanIn));
  }

  /**
   * Gaussian.
   *
   * @param mean the middle
   * @param deviation the standard deviation, finite, at least 0
   * @return the initialisation
   */
  public static Initialization normal(double mean, double deviation) {
    return new Initialization(Distribution.NORMAL, mean, deviation);
  }

  /**
   * One start value.
   *
   * @param random where the number comes from
   * @return the value
   */
  public double draw(SplittableRandom random) {
    return mean + spread * distribution.draw(random);
  }
}
