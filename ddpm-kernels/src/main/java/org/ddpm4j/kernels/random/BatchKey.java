package org.ddpm4j.kernels.random;

import java.util.Locale;

/**
 * Which random numbers belong to the images of a batch: those of an image are a function of the
 * seed, the purpose, the step and the image's own number, by {@link Philox} of the key (seed) and
 * the counter (block, image, step, purpose).
 *
 * <p>Graphs, whose inputs are floats, are given keys as {@linkplain #rows rows}.
 *
 * @param seed of the training
 * @param purpose what the numbers are for, 0..65535
 * @param firstImage number of the batch's first image, 0..2³²-1
 * @param step zero-based, 0..2³²-1
 */
public record BatchKey(long seed, int purpose, long firstImage, long step) {

  /** The numbers of a row. */
  public static final int PIECES = 9;

  private static final long LIMIT = 1L << 32;

  /** Purposes are below this; the upper half of the counter's word is a graph's own. */
  private static final int PURPOSES = 1 << 16;

  private static final int PIECE = 0xFFFF;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a number is outside its range
   */
  public BatchKey {
    require("purpose", purpose, PURPOSES);
    require("first image", firstImage, LIMIT);
    require("step", step, LIMIT);
  }

  private static void require(String name, long value, long limit) {
    if (value < 0 || value >= limit) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The %s of a key of random numbers is %d; it must be from 0 to %d.",
              name,
              value,
              limit - 1));
    }
  }

  /**
   * The keys of single images as floats: each number in pieces of 16 bits, the lowest first, which
   * floats hold exactly. Four of the seed, two of the image, two of the step, one of the purpose.
   *
   * @param images how many, N
   * @return {@code [N,9]}, row by row
   * @throws IllegalArgumentException if an image's number would be 2³² or more
   */
  public float[] rows(int images) {
    float[] rows = new float[images * PIECES];
    for (int i = 0; i < images; i++) {
      long image = firstImage + i;
      require("last image", image, LIMIT);
      int at = i * PIECES;
      put(rows, at, seed, 4);
      put(rows, at + 4, image, 2);
      put(rows, at + 6, step, 2);
      put(rows, at + 8, purpose, 1);
    }
    return rows;
  }

  private static void put(float[] rows, int at, long value, int pieces) {
    for (int i = 0; i < pieces; i++) {
      rows[at + i] = value >>> 16 * i & PIECE;
    }
  }

  /**
   * The key of an image.
   *
   * @param row its {@value #PIECES} pieces
   * @return a key whose first image it is
   */
  public static BatchKey ofRow(float[] row) {
    return new BatchKey(get(row, 0, 4), (int) get(row, 8, 1), get(row, 4, 2), get(row, 6, 2));
  }

  private static long get(float[] row, int at, int pieces) {
    long value = 0;
    for (int i = pieces - 1; i >= 0; i--) {
      value = value << 16 | (long) row[at + i];
    }
    return value;
  }
}
