package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MicroBatchesTest {

  private static List<Integer> sizes(int images, int largest) {
    MicroBatches cut = MicroBatches.of(images, largest);
    List<Integer> sizes = new ArrayList<>();
    for (int i = 0; i < cut.count(); i++) {
      assertThat(cut.first(i)).isEqualTo(sizes.stream().mapToInt(n -> n).sum());
      sizes.add(cut.size(i));
    }
    return sizes;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 8, 1",
    "3, 8, 3",
    "4, 8, 4",
    "8, 8, 4",
    "16, 8, 4",
    "17, 8, 8",
    "32, 8, 8",
    "40, 8, 8",
    "64, 8, 8",
    "65, 8, 16",
    "128, 8, 16",
    "512, 8, 64",
    "4, 2, 4",
    "16, 2, 8",
    "5, 1, 5",
    "9, 1, 9",
    "12, 1, 12"
  })
  void severalThreadsFindWork(int images, int largest, int count) {
    assertThat(MicroBatches.of(images, largest).count()).isEqualTo(count);
  }

  @Test
  void imagesAreSharedOutEvenly() {
    for (int largest : new int[] {1, 2, 8, 16}) {
      for (int images = 1; images < 300; images++) {
        List<Integer> sizes = sizes(images, largest);
        assertThat(sizes.stream().mapToInt(n -> n).sum()).isEqualTo(images);
        int most = sizes.stream().mapToInt(n -> n).max().orElseThrow();
        int least = sizes.stream().mapToInt(n -> n).min().orElseThrow();
        assertThat(most).isLessThanOrEqualTo(largest);
        assertThat(least).isPositive().isGreaterThanOrEqualTo(most - 1);
      }
    }
  }

  @Test
  void largeBatchesAreCutAsSmallOnes() {
    MicroBatches cut = MicroBatches.of(1 << 27, 16);
    assertThat(cut.count()).isEqualTo(1 << 23);
    assertThat(cut.first(cut.count() - 1)).isEqualTo((1 << 27) - 16);
    assertThat(cut.size(cut.count() - 1)).isEqualTo(16);
  }
}
