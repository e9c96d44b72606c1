package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResamplingTest {

  /** The level of a pixel. */
  private interface Picture {
    int at(int c, int y, int x);
  }

  private static int[] cover(Picture picture, int channels, int h, int w, int newH, int newW) {
    byte[] bytes =
        Resampling.cover(
            (y, rows) -> {
              for (int c = 0; c < channels; c++) {
                for (int x = 0; x < w; x++) {
                  rows[c][x] = picture.at(c, y, x);
                }
              }
            },
            channels,
            h,
            w,
            newH,
            newW);
    int[] levels = new int[bytes.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Byte.toUnsignedInt(bytes[i]);
    }
    return levels;
  }

  @Test
  void theRightSizeChangesNothing() {
    int[] same = cover((c, y, x) -> 100 * c + 10 * y + x, 2, 3, 4, 3, 4);
    assertThat(same)
        .containsExactly(
            0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 100, 101, 102, 103, 110, 111, 112, 113, 120,
            121, 122, 123);
  }

  /** Twice as wide as needed: a fourth falls away on either side. */
  @Test
  void theMiddleIsCutOut() {
    assertThat(cover((c, y, x) -> 10 * x, 1, 4, 8, 4, 4))
        .containsExactly(20, 30, 40, 50, 20, 30, 40, 50, 20, 30, 40, 50, 20, 30, 40, 50);
    assertThat(cover((c, y, x) -> 10 * y, 1, 8, 2, 2, 2)).containsExactly(30, 30, 40, 40);
  }

  /** By hand: the shares of four pixels in a row of two are 3/7, 3/7 and 1/7 at the border. */
  @Test
  void shrinkingAverages() {
    assertThat(cover((c, y, x) -> x < 2 ? 0 : 210, 1, 4, 4, 2, 2))
        .containsExactly(30, 180, 30, 180);
  }

  @Test
  void growingInterpolates() {
    assertThat(cover((c, y, x) -> 200 * x, 1, 2, 2, 4, 4))
        .containsExactly(0, 50, 150, 200, 0, 50, 150, 200, 0, 50, 150, 200, 0, 50, 150, 200);
  }

  /** A pattern of single pixels, black and white, has to become grey, not a moiré. */
  @Test
  void nothingAliases() {
    int[] small = cover((c, y, x) -> (x + y) % 2 * 255, 1, 90, 90, 20, 20);
    for (int level : small) {
      assertThat(level).isCloseTo(128, within(16));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 7, 5", "1, 100, 3, 3", "97, 31, 8, 24", "5, 5, 64, 1", "64, 1, 1, 64"})
  void aPlainImageStaysPlain(int h, int w, int newH, int newW) {
    for (int level : cover((c, y, x) -> 255 - 100 * c, 3, h, w, newH, newW)) {
      assertThat(level).isIn(255, 155, 55);
    }
    int[] levels = cover((c, y, x) -> 255 - 100 * c, 3, h, w, newH, newW);
    assertThat(levels).hasSize(3 * newH * newW);
    assertThat(levels[0]).isEqualTo(255);
    assertThat(levels[newH * newW]).isEqualTo(155);
    assertThat(levels[3 * newH * newW - 1]).isEqualTo(55);
  }
}
