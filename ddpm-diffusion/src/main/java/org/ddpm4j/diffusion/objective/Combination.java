package org.ddpm4j.diffusion.objective;

import java.util.Arrays;

/**
 * A sum of batches of images that are not there yet, by factors of one image: of the noisy images
 * that a network is given in training, and of what networks answer one after the other.
 */
final class Combination {

  private final double[] factors;

  private Combination(double[] factors) {
    this.factors = factors;
  }

  /** What the network in training is given. */
  static Combination given() {
    return answer(0);
  }

  /** The answer of the network that is asked as the number-th, counted from 1. */
  static Combination answer(int number) {
    double[] factors = new double[number + 1];
    factors[number] = 1;
    return new Combination(factors);
  }

  /** This and the other, each multiplied. */
  Combination mix(double factor, Combination other, double otherFactor) {
    double[] sum = new double[Math.max(factors.length, other.factors.length)];
    Arrays.setAll(sum, i -> factor * factor(i) + otherFactor * other.factor(i));
    return new Combination(sum);
  }

  private double factor(int i) {
    return i < factors.length ? factors[i] : 0;
  }

  Combination times(double factor) {
    return new Combination(Arrays.stream(factors).map(own -> factor * own).toArray());
  }

  /**
   * Writes the factors.
   *
   * @param rows one for each image, of so many terms, {@code [N,terms]}
   * @param image whose factors these are
   */
  void put(float[] rows, int image, int terms) {
    for (int i = 0; i < terms; i++) {
      rows[image * terms + i] = (float) factor(i);
    }
  }
}
