package org.ddpm4j.data;

import java.util.SplittableRandom;

/**
 * The order from whose beginning images are held out. It has its own random numbers, which never
 * change: what was held out of a run's training must still be so when the run is measured.
 */
final class HoldOutOrder {

  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  /** Parts these draws from others that once were made in the same way. */
  private static final long PURPOSE = 3;

  private HoldOutOrder() {}

  /** A uniformly random order of 0..size-1 (Fisher and Yates' shuffle). */
  static int[] of(long seed, int size) {
    SplittableRandom random =
        new SplittableRandom(mix64(mix64(seed + GOLDEN_GAMMA) + GOLDEN_GAMMA + PURPOSE));
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /**
   * The output function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
   * Generators", OOPSLA 2014, figure 16; variant 13 of Stafford's mixers).
   */
  private static long mix64(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }
}
