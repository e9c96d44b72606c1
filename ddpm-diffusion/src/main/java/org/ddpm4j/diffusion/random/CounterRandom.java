package org.ddpm4j.diffusion.random;

import java.util.Objects;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.random.Philox;

/**
 * The random numbers of a seed for one purpose. There is no stream and no state: each is a function
 * of the seed, the purpose, the number of an image, a step and an index, by {@link Philox}.
 *
 * <p>The key is the seed, low 32 bits first; the counter is (index of the block, image, step,
 * purpose's number). Whatever draws these numbers elsewhere, a GPU for example, has to keep to this
 * layout and to how numbers are made of a block's words: see {@link #bits}, {@link #uniform} and
 * {@link #gaussian}.
 *
 * @param seed chosen by the user
 * @param purpose what the numbers are for
 */
public record CounterRandom(long seed, Purpose purpose) {

  /** Images and steps are below this number, 2³². */
  public static final long COUNTER_LIMIT = 1L << 32;

  private static final long LOW = COUNTER_LIMIT - 1;

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if the purpose is missing
   */
  public CounterRandom {
    Objects.requireNonNull(purpose, "purpose");
  }

  /**
   * 64 random bits: {@code x0·2³² + x1} of block index/2 for an even index, {@code x2·2³² + x3} for
   * an odd one.
   *
   * @param image number of the image, 0 where there is none
   * @param step of the run, or the epoch
   * @param index which of the numbers that belong to this image and step
   * @return the bits
   * @throws IllegalArgumentException if image or step is not in 0..2³²-1, or the index not in
   *     0..2³³-1
   */
  public long bits(long image, long step, long index) {
    requireCounter("index", index / 2);
    requireCounter("image", image);
    requireCounter("step", step);
    int[] words = Philox.block(seed, (int) (index / 2), (int) image, (int) step, purpose.number());
    int first = index % 2 == 0 ? 0 : 2;
    return (long) words[first] << 32 | words[first + 1] & LOW;
  }

  /**
   * A number that is uniform in [0,1): the upper 53 of its {@link #bits}, times 2⁻⁵³.
   *
   * @param image number of the image, 0 where there is none
   * @param step of the run, or the epoch
   * @param index which of the numbers that belong to this image and step
   * @return the number
   * @throws IllegalArgumentException as {@link #bits} does
   */
  public double uniform(long image, long step, long index) {
    return (bits(image, step, index) >>> 11) * 0x1p-53;
  }

  /**
   * A whole number that is uniform in 0..bound-1: the whole part of {@code bound ·} {@link
   * #uniform}, which rounding never lifts to the bound.
   *
   * @param bound at least 1
   * @param image number of the image, 0 where there is none
   * @param step of the run, or the epoch
   * @param index which of the numbers that belong to this image and step
   * @return the number
   * @throws IllegalArgumentException as {@link #bits} does, or if the bound is less than 1
   */
  public int below(int bound, long image, long step, long index) {
    if (bound < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A random number below %d was asked for; the bound must be at least 1.", bound));
    }
    return (int) (uniform(image, step, index) * bound);
  }

  /**
   * A uniformly random order of 0..size-1 (Fisher and Yates' shuffle): number i goes to the place
   * {@code below(i+1)} of index i, and what was there to place i.
   *
   * @param size how many, at least 0
   * @param step of the run, or the epoch
   * @return the order
   * @throws IllegalArgumentException if the size is negative or the step not in 0..2³²-1
   */
  public int[] permutation(int size, long step) {
    if (size < 0) {
      throw new IllegalArgumentException(
          Text.format("There is no order of %d numbers; expected at least 0.", size));
    }
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = below(i + 1, 0, step, i);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /**
   * Standard normal values by Box and Muller's method: words (x0,x1) of block b make the elements
   * 4b and 4b+1, (x2,x3) the elements 4b+2 and 4b+3. With a pair (x,y) these are {@code r cos φ}
   * and {@code r sin φ}, where {@code r = √(-2 ln((x+1)/2³²))} and {@code φ = 2πy/2³²}, in double
   * precision and rounded to FLOAT at the end.
   *
   * @param image number of the image, 0 where there is none
   * @param step of the run
   * @param values receives the elements of the image, in the order of {@code [C,H,W]}
   * @param from where the first of them goes
   * @param to where they end
   * @throws IllegalArgumentException if image or step is not in 0..2³²-1
   * @throws IndexOutOfBoundsException if there is no room for the values
   */
  public void gaussian(long image, long step, float[] values, int from, int to) {
    Objects.checkFromToIndex(from, to, values.length);
    gaussian(
        image,
        step,
        to - from,
        (first, tile, n) -> System.arraycopy(tile, 0, values, from + first, n));
  }

  /** Takes n values, those from {@code first} on. */
  interface Tile {
    void accept(int first, float[] values, int n);
  }

  /** The same values of an image, a few at a time, in an array that the next ones overwrite. */
  void gaussian(long image, long step, int count, Tile tile) {
    requireCounter("image", image);
    requireCounter("step", step);
    BoxMuller pairs = new BoxMuller();
    long[][] words = new long[Philox.WORDS][BoxMuller.TILE];
    float[] values = new float[Philox.WORDS * BoxMuller.TILE];
    for (int first = 0; first < count; first += values.length) {
      int n = Math.min(count - first, values.length);
      int blocks = (n + Philox.WORDS - 1) / Philox.WORDS;
      int firstBlock = first / Philox.WORDS;
      Philox.fill(seed, firstBlock, (int) image, (int) step, purpose.number(), blocks, words);
      pairs.transform(words[0], words[1], blocks, values, 0, Philox.WORDS);
      pairs.transform(words[2], words[3], blocks, values, 2, Philox.WORDS);
      tile.accept(first, values, n);
    }
  }

  private static void requireCounter(String name, long value) {
    if (value < 0 || value >= COUNTER_LIMIT) {
      throw new IllegalArgumentException(
          Text.format(
              "The %s of a random number is %d; it must be from 0 to %d.",
              name, value, COUNTER_LIMIT - 1));
    }
  }
}
