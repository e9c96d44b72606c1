package org.ddpm4j.unet.layers;

import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * A sinusoidal embedding's frequencies {@code f_i = 10000^(-i/(h - shift))} for {@code i = 0, …,
 * h-1} with {@code h = width/2}, and whether their sines or their cosines come first.
 *
 * @param width of the embedding, which holds a sine and a cosine of each; even, at least 2
 * @param shift 0 as in Vaswani et al. 2017, section 3.5, where 1/10000 would come after the last; 1
 *     as in the code of Ho et al. 2020, where it is the last; in general less than h. diffusers
 *     calls it {@code downscale_freq_shift}
 * @param order of sines and cosines
 */
public record Frequencies(int width, int shift, Order order) {

  private static final double LARGEST_PERIOD = 10000;

  /** What comes first in the embedding. */
  public enum Order {
    /** {@code [sin(t·f_0), …, cos(t·f_0), …]}. */
    SINES_FIRST,
    /** {@code [cos(t·f_0), …, sin(t·f_0), …]}; in diffusers {@code flip_sin_to_cos}. */
    COSINES_FIRST
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if the width is odd or less than 2, or the shift not less than
   *     half of it
   */
  public Frequencies {
    Objects.requireNonNull(order, "order");
    if (width < 2 || width % 2 != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "A sinusoidal embedding cannot be %d wide; the width must be even and at least 2.",
              width));
    }
    if (shift >= width / 2) {
      throw new IllegalArgumentException(
          Text.format(
              "The %d frequencies of an embedding cannot be shifted by %d; the shift must be less than their number.",
              width / 2, shift));
    }
  }

  /**
   * Frequencies of an embedding with the sines first.
   *
   * @param width of the embedding
   * @param shift of the exponents' divisor
   */
  public Frequencies(int width, int shift) {
    this(width, shift, Order.SINES_FIRST);
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
    return Math.exp(-Math.log(LARGEST_PERIOD) * index / (count() - (double) shift));
  }
}
