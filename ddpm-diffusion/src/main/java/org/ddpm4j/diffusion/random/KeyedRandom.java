package org.ddpm4j.diffusion.random;

import java.util.SplittableRandom;

/** Random generators that are determined by a key. */
public final class KeyedRandom {

  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

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
    long hash = mix(seed + GOLDEN_GAMMA);
    for (long part : key) {
      hash = mix(hash ^ mix(part + GOLDEN_GAMMA)) + GOLDEN_GAMMA;
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
