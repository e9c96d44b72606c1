package org.ddpm4j.kernels.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BatchKeyTest {

  private static final long LAST = (1L << 32) - 1;

  @Test
  void aRowHasItsNumbersInPiecesOfSixteenBits() {
    BatchKey key = new BatchKey(0x0123456789ABCDEFL, 12, 0x00010002, 0xFFFF0003L);
    assertThat(key.rows(1)).containsExactly(0xCDEF, 0x89AB, 0x4567, 0x0123, 2, 1, 3, 0xFFFF, 12);
  }

  @Test
  void everyImageHasTheKeyOfItsNumber() {
    for (long seed : new long[] {0, 1, -1, Long.MIN_VALUE, 0x8000_7FFF_FFFF_8000L}) {
      BatchKey key = new BatchKey(seed, 0xFFFF, LAST - 2, LAST);
      float[] rows = key.rows(3);
      for (int i = 0; i < 3; i++) {
        float[] row = Arrays.copyOfRange(rows, i * BatchKey.PIECES, (i + 1) * BatchKey.PIECES);
        assertThat(BatchKey.ofRow(row)).isEqualTo(new BatchKey(seed, 0xFFFF, LAST - 2 + i, LAST));
      }
    }
  }

  @Test
  void numbersOutsideOfTheCounterAreRefused() {
    assertThatThrownBy(() -> new BatchKey(1, 1 << 16, 0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The purpose of a key of random numbers is 65536; it must be from 0 to 65535.");
    assertThatThrownBy(() -> new BatchKey(1, 0, -1, 0)).hasMessageContaining("first image");
    assertThatThrownBy(() -> new BatchKey(1, 0, 0, LAST + 1)).hasMessageContaining("step");
    assertThatThrownBy(() -> new BatchKey(1, 0, LAST, 0).rows(2))
        .hasMessageContaining("last image of a key of random numbers is 4294967296");
  }
}
