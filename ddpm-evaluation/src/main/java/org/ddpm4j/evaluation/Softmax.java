package org.ddpm4j.evaluation;

/** From logits to probabilities. */
final class Softmax {

  private Softmax() {}

  /**
   * The probabilities of one image.
   *
   * @param values a row with the logits in it
   * @param first where they begin
   * @param count K
   * @return {@code [K]}, which add up to 1
   */
  static double[] of(double[] values, int first, int count) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < count; k++) {
      largest = Math.max(largest, values[first + k]);
    }
    double sum = 0;
    double[] exponentials = new double[count];
    for (int k = 0; k < count; k++) {
      exponentials[k] = Math.exp(values[first + k] - largest);
      sum += exponentials[k];
    }
    for (int k = 0; k < count; k++) {
      exponentials[k] /= sum;
    }
    return exponentials;
  }
}
