package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Some of many, without putting back. */
final class RandomChoice {

  private RandomChoice() {}

  /**
   * Different numbers of 0..size-1 in any order (Fisher and Yates' method).
   *
   * @param random advanced
   * @param size of what is chosen from
   * @param count how many, at most size
   */
  static int[] of(SplittableRandom random, int size, int count) {
    int[] all = new int[size];
    Arrays.setAll(all, i -> i);
    for (int i = 0; i < count; i++) {
      int other = i + random.nextInt(size - i);
      int kept = all[i];
      all[i] = all[other];
      all[other] = kept;
    }
    return Arrays.copyOf(all, count);
  }
}
