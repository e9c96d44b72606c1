package org.ddpm4j.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KeyedRandomTest {

  @Test
  void sameKeyGivesTheSameStream() {
    SplittableRandom a = KeyedRandom.of(5, 1, 2);
    SplittableRandom b = KeyedRandom.of(5, 1, 2);
    for (int i = 0; i < 100; i++) {
      assertThat(a.nextLong()).isEqualTo(b.nextLong());
    }
  }

  @Test
  void neighbouringKeysHaveNoValueInCommon() {
    Set<Long> values = new HashSet<>();
    int drawn = 0;
    for (long seed = -2; seed <= 2; seed++) {
      for (long image = 0; image < 20; image++) {
        for (long step = 0; step < 20; step++) {
          SplittableRandom random = KeyedRandom.of(seed, image, step);
          for (int i = 0; i < 20; i++) {
            values.add(random.nextLong());
            drawn++;
          }
        }
      }
    }
    assertThat(values).hasSize(drawn);
  }

  @Test
  void orderAndLengthOfTheKeyMatter() {
    Set<Long> first = new HashSet<>();
    for (long[] key :
        new long[][] {{}, {0}, {0, 0}, {0, 0, 0}, {1, 0}, {0, 1}, {1, 2}, {2, 1}, {-1}, {-1, -1}}) {
      first.add(KeyedRandom.of(0, key).nextLong());
    }
    assertThat(first).hasSize(10);
  }

  /** Image i of seed j is not image j of seed i, and image i of seed i is not image j of seed j. */
  @Test
  void seedAndPartsCannotBeExchanged() {
    Set<Long> first = new HashSet<>();
    for (long a = 0; a < 50; a++) {
      for (long b = 0; b < 50; b++) {
        first.add(KeyedRandom.of(a, b, 7).nextLong());
        first.add(KeyedRandom.of(7, a, b).nextLong());
      }
    }
    // of(7, x, 7) is in both.
    assertThat(first).hasSize(2 * 50 * 50 - 50);
  }

  /** The first value of each stream, over keys that count up, is as uniform as within a stream. */
  @Test
  void firstValuesOfCountingKeysAreUniform() {
    int[] buckets = new int[64];
    int keys = 64_000;
    for (int key = 0; key < keys; key++) {
      buckets[KeyedRandom.of(1, 7, key).nextInt(64)]++;
    }
    double chiSquare = 0;
    for (int count : buckets) {
      chiSquare += (count - 1000.0) * (count - 1000.0) / 1000;
    }
    // 63 degrees of freedom: mean 63, standard deviation 11.
    assertThat(chiSquare).isCloseTo(63, within(45.0));
  }

  /** A guard against changes by accident, not evidence: these were printed by this very code. */
  @Test
  void valuesStayAsTheyWereReleased() {
    assertThat(KeyedRandom.of(0).nextLong()).isEqualTo(2158877437495972032L);
    assertThat(KeyedRandom.of(42, 3, 1000).nextLong()).isEqualTo(6107755810944246466L);
  }
}
