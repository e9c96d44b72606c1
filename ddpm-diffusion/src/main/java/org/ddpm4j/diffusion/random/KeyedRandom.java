package org.ddpm4j.diffusion.random;

import java.util.SplittableRandom;

/** Random generators that are determined by a key. */
public final class KeyedRandom {

  /**
   * Odd and without a pattern. Not SplittableRandom's own increment, with which the key of a part
   * would be a number of its parent's stream.
   */
  private static final long INCREMENT = 0xD1B54A32D192ED03L;

  private KeyedRandom() {}

  /**
   * The generator of a key. Different keys give independent streams for all practical purposes; the
   * same key always gives the same stream.
   *
   * @param seed chosen by the user
   * @param key what the numbers are for, for example a purpose, an image and a step
   * @return a fresh generator at the beginning of the key's stream
   */
  public static SplittableRandom of(long seed, long... key) {
    long hash = mix(seed + INCREMENT);
    for (long part : key) {
      // The part goes in unmixed: were both sides mixed alike, seed and part could be exchanged.
      hash = mix((hash ^ part) + INCREMENT);
    }
    return new SplittableRandom(hash);
  }

  /** Stafford's variant 13 of the finaliser of MurmurHash3, a bijection of 64 bits. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
