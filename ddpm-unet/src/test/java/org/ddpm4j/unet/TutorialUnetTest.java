package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.ddpm4j.unet.layers.Initialization;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.WeightLayout;
import org.ddpm4j.unet.model.TutorialUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** The architecture: its size, names, initialisation and limits. */
class TutorialUnetTest {

  private static List<Parameter> parameters(UnetConfig config) {
    return Unet.declarations(config, DataType.FLOAT);
  }

  private static long count(UnetConfig config) {
    return parameters(config).stream().mapToLong(Parameter::length).sum();
  }

  /** The numbers that PyTorch counts in the tutorial's model. */
  @Test
  void hasAsManyParametersAsPyTorchsModel() {
    assertThat(count(TutorialUnet.of(1, 1000))).isEqualTo(221_249);
    assertThat(count(TutorialUnet.of(1, 1000).withClassEmbeddings(10))).isEqualTo(221_569);
    // A null class is one more row.
    assertThat(count(TutorialUnet.of(1, 1000).withClassEmbeddings(11))).isEqualTo(221_569 + 32);
  }

  @Test
  void namesParametersAsPyTorchDoes() {
    assertThat(parameters(TutorialUnet.of(3, 600).withDim(4).withClassEmbeddings(10)))
        .contains(
            new Parameter(
                "enc1.net.0.weight",
                WeightLayout.CONVOLUTION,
                new long[] {3, 3, 3, 4},
                Initialization.fanIn(27)),
            new Parameter(
                "to_b.weight", WeightLayout.POINTWISE, new long[] {4, 8}, Initialization.fanIn(4)),
            new Parameter(
                "class_emb.weight",
                WeightLayout.EMBEDDING,
                new long[] {10, 4},
                Initialization.STANDARD_NORMAL))
        .extracting(Parameter::name)
        .contains("time_mlp.0.weight", "time_mlp.2.bias", "dec2.net.2.weight", "final.bias")
        .hasSize(2 * (10 + 1 + 2 + 5) + 1);
  }

  /** Its time is a part of T, whatever T is: the seed's model reads a global variable. */
  @Test
  void dividesTimestepsByTheirNumber() {
    RandomArrays random = new RandomArrays(3);
    var x = random.gaussian(1, 2, 1, 4, 4);
    var one = Unet.create(TutorialUnet.of(1, 100).withDim(4), DataType.DOUBLE, 1);
    var other = Unet.of(TutorialUnet.of(1, 1000).withDim(4), one.parameters());
    var t = random.gaussian(50, 2);
    assertThat(one.predict(x, t).equalsWithEps(other.predict(x, t.mul(10)), 1e-12)).isTrue();
    assertThat(one.predict(x, t).equalsWithEps(other.predict(x, t), 1e-6)).isFalse();
  }

  @Test
  void refusesWhatCannotBeBuilt() {
    refused(() -> new TutorialUnet(0, 1, 1000, 0), "dim is 0; it must be 1 to 262144");
    refused(() -> new TutorialUnet(262145, 1, 1000, 0), "dim is 262145; it must be 1 to 262144");
    refused(() -> new TutorialUnet(32, 0, 1000, 0), "channels is 0; images have 1 to 1048576");
    refused(() -> new TutorialUnet(32, 1, 0, 0), "timesteps is 0; it must be at least 1");
    refused(
        () -> new TutorialUnet(32, 1, 1000, -1), "num_class_embeds is -1; it must be 0 to 1048576");
  }

  private static void refused(Runnable construction, String reason) {
    assertThatThrownBy(construction::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("This U-Net cannot be built: %s.", reason);
  }

  @Test
  void checksTheSizeOfImages() {
    TutorialUnet.of(1, 1000).checkImageSize(28, 32);
    assertThatThrownBy(() -> TutorialUnet.of(1, 1000).checkImageSize(28, 30))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("height and width must be multiples of 4");
  }
}
