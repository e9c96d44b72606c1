package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.ddpm4j.data.CounterRandom.Purpose;
import org.junit.jupiter.api.Test;

class CounterRandomTest {

  @Test
  void keysOfNeighboursDiffer() {
    Set<Long> keys = new HashSet<>();
    for (long seed = -10; seed < 10; seed++) {
      for (Purpose purpose : Purpose.values()) {
        for (long epoch = 0; epoch < 10; epoch++) {
          for (long image = 0; image < 100; image++) {
            keys.add(CounterRandom.key(seed, purpose, epoch, image));
          }
        }
      }
    }
    assertThat(keys).hasSize(20 * Purpose.values().length * 10 * 100);
  }

  @Test
  void oneChangedBitOfACounterChangesHalfTheBitsOfTheKey() {
    long changed = 0;
    int trials = 64 * 200;
    for (int i = 0; i < 200; i++) {
      for (int bit = 0; bit < 64; bit++) {
        long key = CounterRandom.key(1, Purpose.FLIP, 5, i);
        changed += Long.bitCount(key ^ CounterRandom.key(1, Purpose.FLIP, 5, i ^ (1L << bit)));
      }
    }
    // 32 of 64, with a standard deviation of 4/sqrt(12800) = 0.035.
    assertThat(changed / (double) trials).isCloseTo(32, within(0.2));
  }

  @Test
  void permutationsHoldEachNumberOnce() {
    for (int size : new int[] {1, 2, 3, 10, 1000}) {
      int[] sorted = CounterRandom.permutation(42, size);
      Arrays.sort(sorted);
      assertThat(sorted).isEqualTo(IntStream.range(0, size).toArray());
    }
  }

  @Test
  void everyOrderIsEquallyLikely() {
    int[] counts = new int[1000];
    int trials = 24_000;
    for (int i = 0; i < trials; i++) {
      int[] p = CounterRandom.permutation(CounterRandom.key(7, Purpose.SHUFFLE, i), 4);
      counts[64 * p[0] + 16 * p[1] + 4 * p[2] + p[3]]++;
    }
    int[] seen = Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertThat(seen).hasSize(24);
    double chiSquare =
        Arrays.stream(seen).mapToDouble(c -> (c - 1000.0) * (c - 1000.0)).sum() / 1000;
    // 23 degrees of freedom: exceeded by chance once in 10,000 seeds, and the seed is fixed.
    assertThat(chiSquare).isLessThan(55);
  }

  @Test
  void drawsAreTheSameOnEveryMachineAndJdk() {
    // From a Python version of both published algorithms. A change would break the resuming of
    // saved
    // training.
    assertThat(CounterRandom.key(1, Purpose.SHUFFLE, 0)).isEqualTo(-3092394649769597035L);
    assertThat(CounterRandom.permutation(1, 10)).containsExactly(5, 4, 7, 8, 2, 0, 9, 1, 6, 3);
  }
}
