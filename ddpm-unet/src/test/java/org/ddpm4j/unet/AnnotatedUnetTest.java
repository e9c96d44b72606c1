package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The architecture: its size, names, initialisation and limits. */
class AnnotatedUnetTest {

  private static final List<Integer> MULTS = List.of(1, 2, 4);

  /** The numbers that PyTorch counts in its model. */
  @Test
  void hasAsManyParametersAsPyTorchsModel() {
    assertThat(count(AnnotatedUnet.resnet(28, 1, MULTS, 1))).isEqualTo(1_694_929);
    assertThat(count(AnnotatedUnet.convnext(28, 1, MULTS))).isEqualTo(2_996_315);
  }

  private static long count(AnnotatedUnet config) {
    return Unet.create(config, DataType.FLOAT, 0).parameters().count();
  }

  /** A table of 4·28 numbers a class; another 28 weights and a bias for another channel. */
  @Test
  void growsByItsClassesAndChannelsOfTheOutput() {
    AnnotatedUnet config = AnnotatedUnet.resnet(28, 1, MULTS, 1);
    assertThat(count(config.withClassEmbeddings(11))).isEqualTo(1_694_929 + 11 * 112);
    assertThat(count(config.withOutChannels(2))).isEqualTo(1_694_929 + 29);
    assertThat(config.outChannels()).isEqualTo(1);
    assertThat(config.withOutChannels(2).inChannels()).isEqualTo(1);
  }

  @Test
  void startsAsPyTorchDoes() {
    Parameters parameters =
        Unet.create(AnnotatedUnet.resnet(28, 1, MULTS, 1), DataType.FLOAT, 3).parameters();
    assertBound(parameters, "init_conv.weight", 49);
    assertBound(parameters, "time_mlp.1.weight", 28);
    assertBound(parameters, "time_mlp.1.bias", 28);
    assertBound(parameters, "downs.0.0.block1.proj.weight", 18 * 9);
    assertBound(parameters, "downs.0.0.block1.proj.bias", 18 * 9);
    assertBound(parameters, "downs.0.0.res_conv.weight", 18);
    // A transposed convolution counts its outputs.
    assertBound(parameters, "ups.0.3.weight", 56 * 16);
    assertThat(parameters.get("downs.0.0.block1.norm.weight").toDoubleVector()).containsOnly(1);
    assertThat(parameters.get("downs.0.0.block1.norm.bias").toDoubleVector()).containsOnly(0);
  }

  /**
   * Of n uniform numbers the largest magnitude is below 0.8 of the bound with probability 0.8^n.
   */
  private static void assertBound(Parameters parameters, String name, int fanIn) {
    double bound = 1 / Math.sqrt(fanIn);
    assertThat(parameters.get(name).amaxNumber().doubleValue())
        .as(name)
        .isBetween(0.8 * bound, bound * (1 + 1e-6));
  }

  @Test
  void namesParametersAsPyTorchDoes() {
    var names =
        Unet.create(AnnotatedUnet.convnext(4, 3, List.of(1, 2)), DataType.FLOAT, 0)
            .parameters()
            .declarations()
            .stream()
            .map(Parameter::name)
            .collect(Collectors.toSet());
    assertThat(names)
        .contains(
            "downs.0.0.mlp.1.weight",
            "downs.0.0.ds_conv.weight",
            "downs.1.2.fn.fn.to_qkv.weight",
            "mid_attn.fn.norm.weight",
            "ups.0.3.bias",
            "final_conv.0.net.4.weight",
            "final_conv.1.weight")
        .doesNotContain("downs.1.3.weight", "ups.1.0.ds_conv.weight", "final_conv.0.mlp.1.weight");
  }

  @Test
  void refusesWhatCannotBeBuilt() {
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 8),
        "resnet_block_groups is 8, which does not divide the 28 channels of a level; choose a divisor of dim");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 0),
        "resnet_block_groups is 0, which does not divide the 28 channels of a level; choose a divisor of dim");
    refused(
        () -> AnnotatedUnet.resnet(27, 1, MULTS, 1), "dim is 27; it must be even and at least 4");
    refused(() -> AnnotatedUnet.convnext(2, 1, MULTS), "dim is 2; it must be even and at least 4");
    refused(() -> AnnotatedUnet.resnet(28, 0, MULTS, 1), "channels is 0; images have 1 to 1048576");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, List.of(2, 4), 1),
        "dim_mults is [2, 4]; it needs 1 to 16 levels of which the first is 1");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, List.of(), 1),
        "dim_mults is []; it needs 1 to 16 levels of which the first is 1");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, List.of(1, 0), 1),
        "dim_mults is [1, 0]; every multiple must be at least 1");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, Arrays.asList(1, null), 1),
        "dim_mults is [1, null]; every multiple must be a number");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, List.of(1, 100_000_000), 1),
        "dim_mults is [1, 100000000] at dim 28; a level cannot have more than 1048576 channels");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withAttention(0, 32),
        "attention_heads is 0; it must be at least 1");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withAttention(4, 0),
        "attention_head_dim is 0; it must be at least 1");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withAttention(1 << 30, 1 << 30),
        "1073741824 attention heads of width 1073741824 have more than 1048576 channels");
    refused(
        () ->
            new AnnotatedUnet(
                28,
                1,
                1,
                MULTS,
                AnnotatedUnet.Block.CONVNEXT,
                8,
                0,
                4,
                32,
                0,
                1,
                0,
                AnnotatedUnet.Attention.ALL),
        "convnext_mult is 0; it must be 1 to 1024");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withDropout(1),
        "dropout is 1.0; it must be in [0,1)");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withDropout(Double.NaN),
        "dropout is NaN; it must be in [0,1)");
    refused(
        () -> AnnotatedUnet.convnext(28, 1, MULTS).withDropout(0.1),
        "dropout is 0.1, but ConvNeXt blocks have none; choose ResNet blocks");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withOutChannels(0),
        "out_dim is 0; it must be 1 to 1048576");
    refused(
        () -> AnnotatedUnet.resnet(28, 1, MULTS, 1).withPatchSize(3),
        "patch_size is 3; it must be a power of two from 1 to 16");
  }

  /** What attentions take: a normalisation, queries, keys and values without bias, a projection. */
  @ParameterizedTest
  @CsvSource({"2, 16", "1, 8", "4, 32"})
  void parametersOfAttentionsAreThoseOfTheirFormula(int heads, int headDim) {
    AnnotatedUnet all =
        AnnotatedUnet.resnet(8, 3, List.of(1, 2, 4), 4).withAttention(heads, headDim);
    assertThat(all.attention()).isEqualTo(AnnotatedUnet.Attention.ALL);
    long features = (long) heads * headDim;
    // Down at 8, 16 and 32 channels, up at 16 and 8; the linear ones are normalised once more.
    long levels = 0;
    for (int channels : new int[] {8, 16, 32, 16, 8}) {
      levels += 4 * channels * features + 5 * channels;
    }
    long middle = 4 * 32 * features + 3 * 32;
    long without = countWithPlaces(all.withAttention(AnnotatedUnet.Attention.NONE));
    assertThat(countWithPlaces(all.withAttention(AnnotatedUnet.Attention.MIDDLE)) - without)
        .isEqualTo(middle);
    assertThat(countWithPlaces(all) - without).isEqualTo(middle + levels);
  }

  private static long countWithPlaces(AnnotatedUnet config) {
    List<Parameter> declarations = Unet.declarations(config, DataType.FLOAT);
    AnnotatedUnet.Attention places = config.attention();
    assertThat(declarations.stream().map(Parameter::name).anyMatch(n -> n.startsWith("mid_attn")))
        .isEqualTo(places != AnnotatedUnet.Attention.NONE);
    assertThat(declarations.stream().map(Parameter::name).anyMatch(n -> n.contains(".2.fn.")))
        .isEqualTo(places == AnnotatedUnet.Attention.ALL);
    return declarations.stream().mapToLong(Parameter::length).sum();
  }

  /** Files of before have no such key; those of networks with all attentions still have none. */
  @Test
  void filesSayWhereAttentionIs() throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    AnnotatedUnet all = AnnotatedUnet.resnet(8, 3, List.of(1, 2), 4);
    assertThat(mapper.writeValueAsString(all)).doesNotContain("\"attention\"", "dropout");
    for (AnnotatedUnet.Attention places : AnnotatedUnet.Attention.values()) {
      AnnotatedUnet config = all.withAttention(places).withDropout(0.25);
      String json = mapper.writeValueAsString(config);
      assertThat(json).contains("\"dropout\":0.25");
      assertThat(mapper.readValue(json, AnnotatedUnet.class)).isEqualTo(config);
    }
    assertThat(mapper.writeValueAsString(all.withAttention(AnnotatedUnet.Attention.MIDDLE)))
        .contains("\"attention\":\"middle\"");
    assertThatThrownBy(
            () -> mapper.readValue("{\"dim\":8,\"attention\":\"top\"}", AnnotatedUnet.class))
        .hasMessageContaining("attention is \"top\"; it must be \"all\", \"middle\" or \"none\"");
  }

  private static void refused(Runnable construction, String reason) {
    assertThatThrownBy(construction::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("This U-Net cannot be built: %s.", reason);
  }

  /** ConvNeXt blocks have no such groups. */
  @Test
  void ignoresGroupsOfTheOtherBlock() {
    assertThat(AnnotatedUnet.convnext(28, 1, MULTS).resnetBlockGroups()).isEqualTo(8);
  }

  @Test
  void checksTheSizeOfImages() {
    AnnotatedUnet config = AnnotatedUnet.resnet(28, 1, MULTS, 1);
    assertThat(config.sizeDivisor()).isEqualTo(4);
    config.checkImageSize(28, 32);
    for (int size : new int[] {30, 0, -4}) {
      assertThatThrownBy(() -> config.checkImageSize(28, size))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "Images of 28x%d do not go through this U-Net, which halves them 2 times: height and width must be multiples of 4; resize or pad the images, or choose fewer levels.",
              size);
    }
    AnnotatedUnet.resnet(28, 1, List.of(1), 1).checkImageSize(1, 7);
    assertThat(config.withPatchSize(2).sizeDivisor()).isEqualTo(8);
  }
}
