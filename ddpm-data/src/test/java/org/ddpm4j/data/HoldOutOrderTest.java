package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HoldOutOrderTest {

  /** Printed by the code of the first runs, whose held-out images these must stay. */
  @Test
  void neverChanges() {
    assertThat(HoldOutOrder.of(0, 10)).containsExactly(8, 2, 7, 6, 1, 9, 0, 5, 3, 4);
    assertThat(HoldOutOrder.of(-7, 10)).containsExactly(3, 6, 9, 5, 8, 2, 1, 0, 7, 4);
  }

  @Test
  void holdsEachNumberOnce() {
    for (int size : new int[] {1, 2, 1000}) {
      int[] sorted = HoldOutOrder.of(42, size);
      Arrays.sort(sorted);
      assertThat(sorted).isEqualTo(IntStream.range(0, size).toArray());
    }
  }
}
