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
    for (int i = 0; i < sum.length; i++) {
      sum[i] =
          (i < factors.length ? factor * factors[i] : 0)
              + (i < other.factors.length ? otherFactor * other.factors[i] : 0);
    }
    return new Combination(sum);
  }

  Combination times(double factor) {
    return new Combination(Arrays.stream(factors).map(own -> factor * own).toArray());
  }

  /** Writes the factors of the image, of which there is room for some more. */
  void put(float[] row, int image, int terms) {
    for (int i = 0; i < factors.length; i++) {
      row[image * terms + i] = (float) factors[i];
    }
  }
}
