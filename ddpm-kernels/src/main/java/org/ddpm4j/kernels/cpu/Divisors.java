package org.ddpm4j.kernels.cpu;

/** Numbers of equal parts. */
final class Divisors {

  private Divisors() {}

  /**
   * The largest divisor that is not above a bound.
   *
   * @param number at least 1
   * @param most at least 1
   * @return a divisor of the number, from 1 to most
   */
  static int largest(int number, int most) {
    int divisor = Math.min(number, most);
    while (number % divisor != 0) {
      divisor--;
    }
    return divisor;
  }
}
