package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.MinimalUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** The architecture: its size, names and limits. */
class MinimalUnetTest {

  private static List<Parameter> parameters(UnetConfig config) {
    return Unet.declarations(config, DataType.FLOAT);
  }

  private static long count(UnetConfig config) {
    return parameters(config).stream().mapToLong(Parameter::length).sum();
  }

  /** The number that PyTorch counts in the blog's model, its mistakes mended. */
  @Test
  void hasAsManyParametersAsPyTorchsModel() {
    assertThat(count(MinimalUnet.of(1))).isEqualTo(103_900_835);
    // Another channel in: two in the normalisation, 9·128 in the convolution.
    assertThat(count(MinimalUnet.of(3).withOutChannels(1)))
        .isEqualTo(103_900_835 + 2 * (2 + 9 * 128));
    assertThat(count(MinimalUnet.of(1).withOutChannels(2))).isEqualTo(103_900_835 + 65);
  }

  @Test
  void hasTheWidthsOfTheBlog() {
    List<Parameter> parameters = parameters(MinimalUnet.of(1));
    assertShape(parameters, "conv1.net.1.weight", 128, 1, 3, 3);
    assertShape(parameters, "down1.block.1.net.1.weight", 128, 64, 3, 3);
    assertShape(parameters, "down2.pos_emb.1.weight", 128, 256);
    assertShape(parameters, "conv5.net.4.weight", 512, 1024, 3, 3);
    assertShape(parameters, "up1.block.0.net.1.weight", 2048, 1024, 3, 3);
    assertShape(parameters, "up1.block.1.net.1.weight", 256, 1024, 3, 3);
    assertShape(parameters, "up4.block.1.net.4.weight", 64, 32, 3, 3);
    assertShape(parameters, "out.weight", 1, 64, 1, 1);
  }

  private static void assertShape(List<Parameter> parameters, String name, long... pyTorchShape) {
    Parameter found =
        parameters.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    assertThat(found.pyTorchShape()).containsExactly(pyTorchShape);
  }

  @Test
  void refusesWhatCannotBeBuilt() {
    for (int dim : new int[] {0, 7, 32770}) {
      refused(
          () -> new MinimalUnet(dim, 1, 1, 256),
          "dim is %d; it must be even and 2 to 32768".formatted(dim));
    }
    refused(() -> new MinimalUnet(64, 0, 1, 256), "channels is 0; images have 1 to 1048576");
    refused(() -> new MinimalUnet(64, 1, 0, 256), "out_dim is 0; it must be 1 to 1048576");
    for (int timeDim : new int[] {2, 5, 1048578}) {
      refused(
          () -> new MinimalUnet(64, 1, 1, timeDim),
          "time_dim is %d; it must be even and 4 to 1048576".formatted(timeDim));
    }
  }

  private static void refused(Runnable construction, String reason) {
    assertThatThrownBy(construction::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("This U-Net cannot be built: %s.", reason);
  }

  @Test
  void checksTheSizeOfImages() {
    MinimalUnet.of(1).checkImageSize(32, 48);
    assertThatThrownBy(() -> MinimalUnet.of(1).checkImageSize(28, 28))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("height and width must be multiples of 16");
  }
}
