package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.ddpm4j.unet.layers.WeightLayout;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** What each module declares; PyTorch's own modules are the model. */
class ModulesTest {

  private final SameDiff graph = SameDiff.create();
  private final List<Parameter> declared = new ArrayList<>();
  private final Modules modules =
      new Modules(
          new ReferenceLayers(graph, DataType.FLOAT),
          parameter -> {
            declared.add(parameter);
            return graph.var(parameter.name(), DataType.FLOAT, parameter.shape());
          });
  private final FeatureMap x =
      new FeatureMap(graph.placeHolder("x", DataType.FLOAT, -1, 6, 8, 3), 6, 8, 3);

  private void assertDeclared(
      WeightLayout layout, List<Long> pyTorchShape, long outputs, Initialization initialization) {
    Parameter weight = declared.get(0);
    assertThat(weight.name()).isEqualTo("m.weight");
    assertThat(weight.layout()).isEqualTo(layout);
    assertThat(weight.pyTorchShape())
        .containsExactly(pyTorchShape.stream().mapToLong(size -> size).toArray());
    assertThat(weight.initialization()).isEqualTo(initialization);
    assertThat(declared.subList(1, declared.size()))
        .containsExactly(
            new Parameter("m.bias", WeightLayout.VECTOR, new long[] {outputs}, initialization));
  }

  @Test
  void conv2d() {
    FeatureMap y = modules.conv2d("m", x, 5, new Convolution(4, 2, 1));
    assertThat(List.of(y.height(), y.width(), y.channels())).containsExactly(3, 4, 5);
    assertDeclared(
        WeightLayout.CONVOLUTION, List.of(5L, 3L, 4L, 4L), 5, Initialization.fanIn(3 * 16));
  }

  @Test
  void pointwiseWithoutBias() {
    modules.pointwiseWithoutBias("m", x, 5);
    assertThat(declared)
        .containsExactly(
            new Parameter(
                "m.weight",
                WeightLayout.CONVOLUTION,
                new long[] {1, 1, 3, 5},
                Initialization.fanIn(3)));
  }

  /** PyTorch counts its fan on the side of the outputs. */
  @Test
  void convTranspose2d() {
    FeatureMap y = modules.convTranspose2d("m", x, 5, new Convolution(4, 2, 1));
    assertThat(List.of(y.height(), y.width(), y.channels())).containsExactly(12, 16, 5);
    assertDeclared(
        WeightLayout.TRANSPOSED_CONVOLUTION,
        List.of(3L, 5L, 4L, 4L),
        5,
        Initialization.fanIn(5 * 16));
  }

  @Test
  void depthwiseConv2d() {
    modules.depthwiseConv2d("m", x, Convolution.same(7));
    assertDeclared(
        WeightLayout.DEPTHWISE_CONVOLUTION, List.of(3L, 1L, 7L, 7L), 3, Initialization.fanIn(49));
  }

  @Test
  void linear() {
    SDVariable in = graph.placeHolder("in", DataType.FLOAT, -1, 4);
    modules.linear("m", in, 4, 7, Activation.SILU);
    assertDeclared(WeightLayout.LINEAR, List.of(7L, 4L), 7, Initialization.fanIn(4));
  }

  @Test
  void linearAtEveryPosition() {
    modules.linear("m", x, 7);
    assertDeclared(WeightLayout.POSITIONWISE, List.of(7L, 3L), 7, Initialization.fanIn(3));
  }

  @Test
  void pointwise() {
    SDVariable in = graph.placeHolder("in", DataType.FLOAT, -1, 4);
    modules.pointwise("m", in, 4, 7);
    assertDeclared(WeightLayout.POINTWISE, List.of(7L, 4L, 1L, 1L), 7, Initialization.fanIn(4));
  }

  @Test
  void embedding() {
    modules.embedding("m", graph.placeHolder("labels", DataType.FLOAT, -1), 10, 4);
    assertThat(declared)
        .containsExactly(
            new Parameter(
                "m.weight",
                WeightLayout.EMBEDDING,
                new long[] {10, 4},
                Initialization.STANDARD_NORMAL));
  }

  @Test
  void groupNorm() {
    modules.groupNorm("m", x, 3, 1e-5, Activation.IDENTITY);
    long[] channels = {3};
    assertThat(declared)
        .containsExactly(
            new Parameter("m.weight", WeightLayout.VECTOR, channels, Initialization.ONES),
            new Parameter("m.bias", WeightLayout.VECTOR, channels, Initialization.ZEROS));
  }

  @Test
  void refusesGroupsThatDoNotDivide() {
    for (int groups : new int[] {2, 0, -3}) {
      assertThatThrownBy(() -> modules.groupNorm("m", x, groups, 1e-5, Activation.IDENTITY))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("%d groups do not divide the 3 channels of m; choose a divisor.", groups);
    }
  }

  @Test
  void onlyPlainConvolutionsPadAsymmetrically() {
    Convolution shape = new Convolution(3, 2, 0, 1);
    assertThatThrownBy(() -> modules.convTranspose2d("m", x, 4, shape))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Transposed and depthwise convolutions pad all sides alike; the padding cannot be 0 and 1.");
    assertThatThrownBy(() -> modules.depthwiseConv2d("m", x, shape))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesConvolutionsThatDoNotExist() {
    for (int[] shape : new int[][] {{0, 1, 0}, {3, 0, 1}, {3, 1, -1}}) {
      assertThatThrownBy(() -> new Convolution(shape[0], shape[1], shape[2]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("kernel and stride must be at least 1, padding at least 0.");
    }
    assertThatThrownBy(() -> new Convolution(3, 2, 0, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "A convolution of kernel 3, stride 2 and padding 0 and -1 does not exist; kernel and stride must be at least 1, padding at least 0.");
    assertThatThrownBy(() -> Convolution.same(4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A kernel of 4 cannot be centred; take an odd size.");
  }
}
