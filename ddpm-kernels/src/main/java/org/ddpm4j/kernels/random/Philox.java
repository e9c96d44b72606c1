package org.ddpm4j.kernels.random;

import java.util.Arrays;

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
   * The same words, each of a block's four in an array of its own and as a number from 0 to 2³²-1:
   * the JIT compiler makes vector instructions of such loops.
   *
   * @param key its low 32 bits are the first word of Philox' key, its high 32 bits the second
   * @param c0 first word of the first block's counter
   * @param c1 second word of the counters
   * @param c2 third word of the counters
   * @param c3 fourth word of the counters
   * @param blocks how many, at least 0
   * @param words four arrays, which receive the first, second, third and fourth word of each block
   * @throws IndexOutOfBoundsException if there is no room for them
   */
  public static void fill(long key, int c0, int c1, int c2, int c3, int blocks, long[][] words) {
    long[] x0 = words[0];
    long[] x2 = words[2];
    long[] product0 = words[3];
    long[] product1 = words[1];
    long[] newProduct0 = new long[blocks];
    long[] newProduct1 = new long[blocks];
    for (int block = 0; block < blocks; block++) {
      x0[block] = c0 + block & LOW;
    }
    Arrays.fill(product1, 0, blocks, c1);
    Arrays.fill(x2, 0, blocks, c2 & LOW);
    Arrays.fill(product0, 0, blocks, c3);
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    // An even number of rounds, after which the last products are in the caller's arrays.
    for (int round = 0; round < ROUNDS; round += 2) {
      multiply(newProduct0, MULTIPLIER_0, x0, blocks);
      multiply(newProduct1, MULTIPLIER_1, x2, blocks);
      mix(x0, newProduct1, product1, k0 & LOW, blocks);
      mix(x2, newProduct0, product0, k1 & LOW, blocks);
      k0 += INCREMENT_0;
      k1 += INCREMENT_1;
      multiply(product0, MULTIPLIER_0, x0, blocks);
      multiply(product1, MULTIPLIER_1, x2, blocks);
      mix(x0, product1, newProduct1, k0 & LOW, blocks);
      mix(x2, product0, newProduct0, k1 & LOW, blocks);
      k0 += INCREMENT_0;
      k1 += INCREMENT_1;
    }
    keepLow(product0, blocks);
    keepLow(product1, blocks);
  }

  private static void multiply(long[] product, long factor, long[] x, int n) {
    for (int i = 0; i < n; i++) {
      product[i] = factor * x[i];
    }
  }

  private static void mix(long[] x, long[] product, long[] other, long key, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = product[i] >>> 32 ^ other[i] & LOW ^ key;
    }
  }

  private static void keepLow(long[] x, int n) {
    for (int i = 0; i < n; i++) {
      x[i] &= LOW;
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
