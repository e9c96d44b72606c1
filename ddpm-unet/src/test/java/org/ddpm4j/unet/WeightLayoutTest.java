package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Each axis has a size of its own, so that its place tells which it is. */
class WeightLayoutTest {

  @Test
  void vector() {
    assertThat(WeightLayout.VECTOR.toPyTorch(5L)).containsExactly(5);
    assertThat(WeightLayout.VECTOR.rank()).isEqualTo(1);
  }

  /** 2 inputs, 3 outputs. */
  @Test
  void linear() {
    assertThat(WeightLayout.LINEAR.toPyTorch(2L, 3L)).containsExactly(3, 2);
    checkElement(WeightLayout.LINEAR, new long[] {2, 3}, new int[] {1, 2}, new int[] {2, 1});
  }

  /** Kernel of 5x7, 2 input channels, 3 output channels. */
  @Test
  void convolution() {
    assertThat(WeightLayout.CONVOLUTION.toPyTorch(5, 7, 2, 3)).containsExactly(3, 2, 5, 7);
    checkElement(
        WeightLayout.CONVOLUTION,
        new long[] {5, 7, 2, 3},
        new int[] {4, 6, 1, 2},
        new int[] {2, 1, 4, 6});
  }

  /** Kernel of 5x7, 3 output channels, 2 input channels. */
  @Test
  void transposedConvolution() {
    assertThat(WeightLayout.TRANSPOSED_CONVOLUTION.toPyTorch(5, 7, 3, 2))
        .containsExactly(2, 3, 5, 7);
    checkElement(
        WeightLayout.TRANSPOSED_CONVOLUTION,
        new long[] {5, 7, 3, 2},
        new int[] {4, 6, 2, 1},
        new int[] {1, 2, 4, 6});
  }

  /** Kernel of 5x7, 3 channels. */
  @Test
  void depthwiseConvolution() {
    assertThat(WeightLayout.DEPTHWISE_CONVOLUTION.toPyTorch(5, 7, 3, 1))
        .containsExactly(3, 1, 5, 7);
    checkElement(
        WeightLayout.DEPTHWISE_CONVOLUTION,
        new long[] {5, 7, 3, 1},
        new int[] {4, 6, 2, 0},
        new int[] {2, 0, 4, 6});
  }

  /** 2 inputs, 3 outputs; also where the weight is a part of a longer buffer. */
  @Test
  void pointwise() {
    assertThat(WeightLayout.POINTWISE.toPyTorch(2L, 3L)).containsExactly(3, 2, 1, 1);
    assertThat(WeightLayout.POINTWISE.rank()).isEqualTo(2);
    checkElement(
        WeightLayout.POINTWISE, new long[] {2, 3}, new int[] {1, 2}, new int[] {2, 1, 0, 0});
    INDArray flat = Nd4j.zeros(DataType.FLOAT, 11);
    INDArray weight = flat.get(NDArrayIndex.interval(4, 10)).reshape('c', 2, 3);
    WeightLayout.POINTWISE.toPyTorch(weight).assign(Nd4j.arange(6).reshape(3, 2, 1, 1));
    assertThat(flat.toDoubleVector()).containsExactly(0, 0, 0, 0, 0, 2, 4, 1, 3, 5, 0);
  }

  /** 2 inputs, 3 outputs; also where the weight is a part of a longer buffer. */
  @Test
  void positionwise() {
    assertThat(WeightLayout.POSITIONWISE.toPyTorch(1L, 1L, 2L, 3L)).containsExactly(3, 2);
    assertThat(WeightLayout.POSITIONWISE.rank()).isEqualTo(4);
    checkElement(
        WeightLayout.POSITIONWISE,
        new long[] {1, 1, 2, 3},
        new int[] {0, 0, 1, 2},
        new int[] {2, 1});
    INDArray flat = Nd4j.zeros(DataType.FLOAT, 11);
    INDArray weight = flat.get(NDArrayIndex.interval(4, 10)).reshape('c', 1, 1, 2, 3);
    WeightLayout.POSITIONWISE.toPyTorch(weight).assign(Nd4j.arange(6).reshape(3, 2));
    assertThat(flat.toDoubleVector()).containsExactly(0, 0, 0, 0, 0, 2, 4, 1, 3, 5, 0);
  }

  /** Three channels; also where the gains are a part of a longer buffer. */
  @Test
  void gain() {
    assertThat(WeightLayout.GAIN.toPyTorch(3L)).containsExactly(1, 3, 1, 1);
    assertThat(WeightLayout.GAIN.rank()).isEqualTo(1);
    INDArray flat = Nd4j.zeros(DataType.FLOAT, 5);
    INDArray gain = flat.get(NDArrayIndex.interval(1, 4));
    WeightLayout.GAIN.toPyTorch(gain).assign(Nd4j.arange(7, 10).reshape(1, 3, 1, 1));
    assertThat(flat.toDoubleVector()).containsExactly(0, 7, 8, 9, 0);
  }

  /** Four memories of keys and values of three heads of five features. */
  @Test
  void memory() {
    assertThat(WeightLayout.MEMORY.toPyTorch(4, 2, 3, 5)).containsExactly(2, 3, 4, 5);
    checkElement(
        WeightLayout.MEMORY,
        new long[] {4, 2, 3, 5},
        new int[] {3, 1, 2, 4},
        new int[] {1, 2, 3, 4});
    assertThat(WeightLayout.TRANSPOSED_MEMORY.toPyTorch(4, 2, 3, 5)).containsExactly(2, 3, 5, 4);
    checkElement(
        WeightLayout.TRANSPOSED_MEMORY,
        new long[] {4, 2, 3, 5},
        new int[] {3, 1, 2, 4},
        new int[] {1, 2, 4, 3});
  }

  /** 4 rows of 3. */
  @Test
  void embedding() {
    assertThat(WeightLayout.EMBEDDING.toPyTorch(4L, 3L)).containsExactly(4, 3);
    checkElement(WeightLayout.EMBEDDING, new long[] {4, 3}, new int[] {3, 1}, new int[] {3, 1});
  }

  @Test
  void aParameterMustHaveTheRankOfItsLayout() {
    assertThatThrownBy(
            () ->
                new Parameter(
                    "mlp.weight", WeightLayout.LINEAR, new long[] {2, 3, 4}, Initialization.ZEROS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Parameter mlp.weight of layout LINEAR cannot have the shape [2, 3, 4]; it needs 2 sizes of at least 1.");
    assertThatThrownBy(
            () -> new Parameter("bias", WeightLayout.VECTOR, new long[] {0}, Initialization.ZEROS))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** One marked element is where it belongs in PyTorch's view, and is written through it. */
  private static void checkElement(WeightLayout layout, long[] shape, int[] here, int[] there) {
    INDArray weight = Nd4j.zeros(DataType.FLOAT, shape);
    weight.putScalar(here, 5);
    INDArray pyTorch = layout.toPyTorch(weight);
    assertThat(pyTorch.getDouble(there)).isEqualTo(5);
    assertThat(pyTorch.sumNumber().doubleValue()).isEqualTo(5);
    pyTorch.putScalar(there, 6);
    assertThat(weight.getDouble(here)).isEqualTo(6);
  }
}
