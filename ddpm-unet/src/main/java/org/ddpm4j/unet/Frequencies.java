package org.ddpm4j.unet;

/**
 * The frequencies of a sinusoidal embedding: {@code f_i = 10000^(-i/(h - shift))} for {@code i = 0,
 * …, h-1} with {@code h = width/2}.
 *
 * @param width of the embedding, which holds a sine and a cosine of each; even, at least 4
 * @param shift 0 as in Vaswani et al. 2017, section 3.5, where 1/10000 would come after the last; 1
 *     as in the code of Ho et al. 2020, where it is the last. diffusers calls it {@code
 *     downscale_freq_shift}
 */
public record Frequencies(int width, int shift) {

  private static final double LARGEST_PERIOD = 10000;

  /**
   * Checks the ranges.
   *
   * @param width of the embedding
   * @param shift of the exponents' divisor
   * @throws IllegalArgumentException if the width is odd or less than 4, or the shift neither 0 nor
   *     1
   */
  public Frequencies {
    if (width < 4 || width % 2 != 0) {
      throw new IllegalArgumentException(
          "A sinusoidal embedding cannot be %d wide; the width must be even and at least 4."
              .formatted(width));
    }
    if (shift != 0 && shift != 1) {
      throw new IllegalArgumentException(
          "The frequencies of an embedding cannot be shifted by %d; the shift is 0 or 1."
              .formatted(shift));
    }
  }

  /**
   * How many there are.
   *
   * @return half the width
   */
  public int count() {
    return width / 2;
  }

  /**
   * One frequency.
   *
   * @param index i, from 0 to count-1
   * @return {@code f_i}, in radians per timestep
   */
  public double get(int index) {
    return Math.exp(-Math.log(LARGEST_PERIOD) * index / (count() - shift));
  }
}
