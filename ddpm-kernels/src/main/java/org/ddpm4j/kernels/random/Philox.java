package org.ddpm4j.kernels.random;

/**
 * Philox4x32-10, a random generator without a state (Salmon, Moraes, Dror and Shaw 2011, "Parallel
 * Random Numbers: As Easy as 1, 2, 3", section 3.3): of a key and a counter it makes four words,
 * which belong to them alone. Any processor can draw any number, in any order.
 */
public final class Philox {

  /** The words that a block has. */
  public static final int WORDS = 4;

  private static final int ROUNDS = 10;

  /** The multipliers of the paper's table 2, and the Weyl increments of the key. */
  private static final long MULTIPLIER_0 = 0xD2511F53L;

  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int INCREMENT_0 = 0x9E3779B9;
  private static final int INCREMENT_1 = 0xBB67AE85;

  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /**
   * The words of blocks whose counters differ in their first word alone, which counts up by one.
   *
   * @param key its low 32 bits are the first word of Philox' key, its high 32 bits the second
   * @param c0 first word of the first block's counter
   * @param c1 second word of the counters
   * @param c2 third word of the counters
   * @param c3 fourth word of the counters
   * @param blocks how many, at least 0
   * @param words receives four words of each block, from its beginning on
   * @throws IndexOutOfBoundsException if there is no room for them
   */
  public static void fill(long key, int c0, int c1, int c2, int c3, int blocks, int[] words) {
    for (int block = 0; block < blocks; block++) {
      int x0 = c0 + block;
      int x1 = c1;
      int x2 = c2;
      int x3 = c3;
      int k0 = (int) key;
      int k1 = (int) (key >>> 32);
      for (int round = 0; round < ROUNDS; round++) {
        long product0 = MULTIPLIER_0 * (x0 & LOW);
        long product1 = MULTIPLIER_1 * (x2 & LOW);
        x0 = (int) (product1 >>> 32) ^ x1 ^ k0;
        x1 = (int) product1;
        x2 = (int) (product0 >>> 32) ^ x3 ^ k1;
        x3 = (int) product0;
        k0 += INCREMENT_0;
        k1 += INCREMENT_1;
      }
      words[WORDS * block] = x0;
      words[WORDS * block + 1] = x1;
      words[WORDS * block + 2] = x2;
      words[WORDS * block + 3] = x3;
    }
  }

  /**
   * The words of one block.
   *
   * @param key its low 32 bits are the first word of Philox' key, its high 32 bits the second
   * @param c0 first word of the counter
   * @param c1 second word of the counter
   * @param c2 third word of the counter
   * @param c3 fourth word of the counter
   * @return four words
   */
  public static int[] block(long key, int c0, int c1, int c2, int c3) {
    int[] words = new int[WORDS];
    fill(key, c0, c1, c2, c3, 1, words);
    return words;
  }
}
