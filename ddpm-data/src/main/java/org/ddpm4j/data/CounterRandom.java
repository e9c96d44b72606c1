package org.ddpm4j.data;

import java.util.SplittableRandom;

/**
 * Randomness that depends on a seed, a purpose and counters, and not on what was drawn before.
 *
 * <p>The hash is the output function of SplitMix64 (Steele, Lea and Flood, "Fast Splittable
 * Pseudorandom Number Generators", OOPSLA 2014, figure 16; variant 13 of Stafford's mixers),
 * applied once for each counter. Each application is a bijection, so that two counters after the
 * same prefix never share a key.
 */
final class CounterRandom {

  /** What a draw is for; equal counters of different purposes are unrelated. */
  enum Purpose {
    SHUFFLE(1),
    FLIP(2),
    HOLD_OUT(3);

    // Written down, because an ordinal would change when a constant is inserted.
    private final long number;

    Purpose(long number) {
      this.number = number;
    }
  }

  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  private CounterRandom() {}

  /** The key of one draw. */
  static long key(long seed, Purpose purpose, long... counters) {
    long hash = mix64(mix64(seed + GOLDEN_GAMMA) + GOLDEN_GAMMA + purpose.number);
    for (long counter : counters) {
      hash = mix64(hash + GOLDEN_GAMMA + counter);
    }
    return hash;
  }

  /** A fair coin: the highest bit of a key. */
  static boolean coin(long key) {
    return key < 0;
  }

  /** A uniformly random order of 0..size-1 (Fisher and Yates' shuffle). */
  static int[] permutation(long key, int size) {
    SplittableRandom random = new SplittableRandom(key);
    int[] order = new int[size];
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private static long mix64(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }
}
