package org.ddpm4j.kernels.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {

  /** The vectors for philox4x32-10 that its authors publish with Random123, in kat_vectors. */
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420 24126ea1"
  })
  void givesTheAuthorsVectors(String counter, String key, String expected) {
    int[] c = words(counter);
    int[] k = words(key);
    long bothWords = (long) k[1] << 32 | k[0] & 0xFFFFFFFFL;
    assertThat(Philox.block(bothWords, c[0], c[1], c[2], c[3])).isEqualTo(words(expected));
  }

  private static int[] words(String hexadecimal) {
    return Arrays.stream(hexadecimal.split(" "))
        .mapToInt(word -> Integer.parseUnsignedInt(word, 16))
        .toArray();
  }

  /** Against the definition in numbers without limits: the round function, ten times. */
  @Test
  void isTheDefinition() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200; i++) {
      long key = random.nextLong();
      int[] c = random.ints(4).toArray();
      assertThat(Philox.block(key, c[0], c[1], c[2], c[3])).isEqualTo(definition(key, c));
    }
  }

  private static int[] definition(long key, int... counter) {
    BigInteger word = BigInteger.ONE.shiftLeft(32);
    BigInteger[] x =
        Arrays.stream(counter)
            .mapToObj(c -> BigInteger.valueOf(Integer.toUnsignedLong(c)))
            .toArray(BigInteger[]::new);
    BigInteger k0 = BigInteger.valueOf(key & 0xFFFFFFFFL);
    BigInteger k1 = BigInteger.valueOf(key >>> 32);
    for (int round = 0; round < 10; round++) {
      BigInteger[] low = BigInteger.valueOf(0xD2511F53L).multiply(x[0]).divideAndRemainder(word);
      BigInteger[] high = BigInteger.valueOf(0xCD9E8D57L).multiply(x[2]).divideAndRemainder(word);
      x = new BigInteger[] {high[0].xor(x[1]).xor(k0), high[1], low[0].xor(x[3]).xor(k1), low[1]};
      k0 = k0.add(BigInteger.valueOf(0x9E3779B9L)).mod(word);
      k1 = k1.add(BigInteger.valueOf(0xBB67AE85L)).mod(word);
    }
    return Arrays.stream(x).mapToInt(BigInteger::intValue).toArray();
  }

  @Test
  void blocksCountTheirFirstWordUp() {
    int[] words = new int[4 * 5 + 1];
    Philox.fill(77, -2, 3, 4, 5, 5, words);
    for (int block = 0; block < 5; block++) {
      assertThat(Arrays.copyOfRange(words, 4 * block, 4 * block + 4))
          .isEqualTo(Philox.block(77, block - 2, 3, 4, 5));
    }
    assertThat(words[20]).isZero();
    assertThatThrownBy(() -> Philox.fill(77, 0, 0, 0, 0, 6, words))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** The first words of blocks pass 2³² on the way. */
  @Test
  void wordsInArraysOfTheirOwnAreTheSame() {
    SplittableRandom random = new SplittableRandom(3);
    for (int blocks : new int[] {0, 1, 2, 7, 64, 129}) {
      long key = random.nextLong();
      int[] c = random.ints(4).toArray();
      c[0] = -3;
      long[][] words = new long[4][blocks + 1];
      Philox.fill(key, c[0], c[1], c[2], c[3], blocks, words);
      for (int block = 0; block < blocks; block++) {
        int[] expected = definition(key, c[0] + block, c[1], c[2], c[3]);
        for (int word = 0; word < 4; word++) {
          assertThat(words[word][block]).isEqualTo(Integer.toUnsignedLong(expected[word]));
        }
      }
      for (long[] word : words) {
        assertThat(word[blocks]).isZero();
      }
    }
    assertThatThrownBy(() -> Philox.fill(77, 0, 0, 0, 0, 6, new long[4][5]))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** One changed bit of counter or key changes half the bits of the words. */
  @Test
  void everyBitMatters() {
    SplittableRandom random = new SplittableRandom(2);
    int trials = 100;
    for (int bit = 0; bit < 192; bit++) {
      int changed = 0;
      for (int i = 0; i < trials; i++) {
        long key = random.nextLong();
        int[] c = random.ints(4).toArray();
        int[] before = Philox.block(key, c[0], c[1], c[2], c[3]);
        if (bit < 128) {
          c[bit / 32] ^= 1 << bit % 32;
        } else {
          key ^= 1L << bit - 128;
        }
        int[] after = Philox.block(key, c[0], c[1], c[2], c[3]);
        for (int w = 0; w < 4; w++) {
          changed += Integer.bitCount(before[w] ^ after[w]);
        }
      }
      // 6400 of 12800 with a standard deviation of 57; the largest of 192 is within five of these.
      assertThat(changed).as("bit %d", bit).isBetween(6400 - 5 * 57, 6400 + 5 * 57);
    }
  }
}
