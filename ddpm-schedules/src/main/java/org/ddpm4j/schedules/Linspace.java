package org.ddpm4j.schedules;

/** Evenly spaced numbers, rounded as NumPy's {@code linspace} rounds them. */
final class Linspace {

  private Linspace() {}

  /**
   * Numbers from {@code start} to {@code end}, both included.
   *
   * @param count at least 1; a single number is {@code start}
   */
  static double[] of(double start, double end, int count) {
    double[] numbers = new double[count];
    double step = (end - start) / Math.max(1, count - 1);
    for (int i = 0; i < count; i++) {
      numbers[i] = start + i * step;
    }
    if (count > 1) {
      numbers[count - 1] = end; // which start + (count-1)·step misses by rounding
    }
    return numbers;
  }
}
