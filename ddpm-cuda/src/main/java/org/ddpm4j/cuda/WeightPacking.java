package org.ddpm4j.cuda;

import java.util.List;
import java.util.Locale;

/**
 * How a weight comes into another layout: one row of a table, by which a single launch packs many
 * weights.
 *
 * @param file of the kernel, which takes a table whose rows are {@link #ROW} numbers of 8 bytes,
 *     and works on row {@code blockIdx.y}
 * @param kernel its name there
 * @param defines what the file is compiled with
 * @param elements that it writes
 * @param row addresses and whole numbers
 */
record WeightPacking(
    String file, String kernel, List<String> defines, long elements, List<Number> row) {

  /** The numbers of a row; PACKING_ROW in common.cuh. */
  static final int ROW = 16;

  private static final int THREADS = 256;
  private static final int ELEMENTS_OF_THREAD = 8;
  private static final int MOST_BLOCKS = 1024;

  WeightPacking {
    if (row.size() > ROW) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "A packing has %d numbers; %d is the most.", row.size(), ROW));
    }
  }

  /** What packings have in common that one launch does. */
  record Kind(String file, String kernel, List<String> defines) {}

  Kind kind() {
    return new Kind(file, kernel, defines);
  }

  /** Enough threads for the longest of so many rows. */
  static Launch launch(List<WeightPacking> packings) {
    long longest = packings.stream().mapToLong(WeightPacking::elements).max().orElseThrow();
    long blocks = (longest + THREADS * ELEMENTS_OF_THREAD - 1) / (THREADS * ELEMENTS_OF_THREAD);
    return Launch.of((int) Math.min(Math.max(1, blocks), MOST_BLOCKS), packings.size(), THREADS);
  }
}
