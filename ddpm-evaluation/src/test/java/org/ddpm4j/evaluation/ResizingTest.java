package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ResizingTest {

  /**
   * PyTorch: {@code interpolate(x, (2, 3), mode="bilinear", antialias=True)}, which is Pillow's.
   */
  @Test
  void shrinksAsPyTorchDoes() {
    INDArray image = Nd4j.arange(24).castTo(DataType.FLOAT);
    image.muli(image);

    INDArray small = Resizing.to(image.reshape(1, 1, 4, 6), 1, 2, 3);

    assertThat(small.ravel().toFloatVector())
        .containsExactly(
            new float[] {43.12245f, 64.42857f, 91.59184f, 226.30612f, 281.28571f, 342.12247f},
            within(1e-3f));
  }

  @Test
  void coloursBecomeLuma() {
    INDArray red = Nd4j.zeros(1, 3, 28, 28);
    red.slice(0).slice(0).assign(200);

    assertThat(Resizing.to(red, 1, 28, 28).ravel().toFloatVector())
        .containsOnly(new float[] {59.8f}, within(1e-4f));
    assertThatThrownBy(() -> Resizing.to(Nd4j.zeros(1, 2, 28, 28), 1, 28, 28))
        .hasMessageContaining("Images of 2 channels");
  }

  /** Each channel as if it were alone; grey ones thrice. */
  @Test
  void coloursStayWhereTheyAreWanted() {
    INDArray image = Nd4j.arange(3 * 4 * 6).castTo(DataType.FLOAT).reshape(1, 3, 4, 6);
    image.muli(image);

    INDArray small = Resizing.to(image, 3, 2, 3);

    for (int c = 0; c < 3; c++) {
      INDArray channel = image.slice(0).slice(c).reshape(1, 1, 4, 6);
      INDArray alone = Resizing.to(channel, 1, 2, 3);
      assertThat(small.slice(0).slice(c).ravel().toFloatVector())
          .containsExactly(alone.ravel().toFloatVector(), within(1e-3f));
      assertThat(Resizing.to(channel, 3, 2, 3).slice(0).slice(c).ravel().toFloatVector())
          .containsExactly(alone.ravel().toFloatVector(), within(1e-3f));
    }
  }

  /** Colours to grey and grey to colours, too. */
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 1", "1, 3", "3, 3"})
  void severalAreAsOneAfterTheOther(int channels, int wanted) {
    INDArray images = Nd4j.arange(2 * channels * 24).castTo(DataType.FLOAT);
    images.muli(images);
    images = images.reshape(2, channels, 4, 6);

    INDArray both = Resizing.to(images, wanted, 2, 3);

    assertThat(both.shape()).containsExactly(2, wanted, 2, 3);
    for (int n = 0; n < 2; n++) {
      INDArray alone = images.slice(n).dup().reshape(1, channels, 4, 6);
      assertThat(both.slice(n).ravel().toFloatVector())
          .containsExactly(Resizing.to(alone, wanted, 2, 3).ravel().toFloatVector());
    }
  }

  @Test
  void leavesWhatFitsAsItIs() {
    INDArray image = Nd4j.zeros(1, 1, 28, 28);

    assertThat(Resizing.to(image, 1, 28, 28)).isSameAs(image);
    for (long[] other : new long[][] {{3, 28, 28}, {1, 14, 28}, {1, 28, 14}}) {
      INDArray changed = Resizing.to(image, (int) other[0], (int) other[1], (int) other[2]);
      assertThat(changed.shape()).containsExactly(1, other[0], other[1], other[2]);
    }
  }
}
