package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.Unet2D.Block;
import org.ddpm4j.unet.model.Unet2D.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The architecture: its size, names, files and limits. */
class Unet2DTest {

  /** The published file of google/ddpm-cifar10-32, from before many of today's keys. */
  private static final String CIFAR10 =
      """
      {
        "_class_name": "UNet2DModel",
        "_diffusers_version": "0.0.4",
        "act_fn": "silu",
        "attention_head_dim": null,
        "block_out_channels": [128, 256, 256, 256],
        "center_input_sample": false,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
        "downsample_padding": 0,
        "flip_sin_to_cos": false,
        "freq_shift": 1,
        "in_channels": 3,
        "layers_per_block": 2,
        "mid_block_scale_factor": 1,
        "norm_eps": 1e-06,
        "norm_num_groups": 32,
        "sample_size": 32,
        "time_embedding_type": "positional",
        "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
        "out_channels": 3
      }
      """;

  private static Map<String, Parameter> parameters(Unet2D config) {
    return Unet.declarations(config, DataType.FLOAT).stream()
        .collect(Collectors.toMap(Parameter::name, parameter -> parameter));
  }

  private static long count(Unet2D config) {
    return parameters(config).values().stream().mapToLong(Parameter::length).sum();
  }

  private static Unet2D read(String json) throws IOException {
    return (Unet2D) UnetFolder.configFromJson(json, "test");
  }

  /** The CIFAR-10 network with a line of its file replaced. */
  private static Unet2D readWith(String key, String value) throws IOException {
    String other = "\"%s\": %s,".formatted(key, value);
    String pattern = "\"" + key + "\": .*\n";
    assertThat(CIFAR10).containsPattern(pattern);
    return read(
        CIFAR10.replaceFirst(pattern, "").replaceFirst("\\{", "{" + other.replace("$", "\\$")));
  }

  private static Unet2D readWithMore(String keysAndValues) throws IOException {
    return read(CIFAR10.replaceFirst("\\{", "{" + keysAndValues + ","));
  }

  /** As Ho et al. 2020 counted: 35.7 million for CIFAR-10, 114 million for LSUN and CelebA-HQ. */
  @Test
  void hasAsManyParametersAsThePublishedNetworks() throws IOException {
    assertThat(count(Unet2D.cifar10())).isEqualTo(35_746_307);
    List<Level> levels = new ArrayList<>();
    for (int channels : new int[] {128, 128, 256, 256, 512, 512}) {
      Block block = levels.size() == 4 ? Block.ATTENTION : Block.PLAIN;
      levels.add(new Level(channels, block, block));
    }
    Unet2D lsun = Unet2D.of(3, levels).withAttentionHeadDim(null);
    assertThat(count(lsun)).isEqualTo(113_673_219);
    // Heads that fill the channels take no more parameters.
    assertThat(count(lsun.withAttentionHeadDim(64))).isEqualTo(113_673_219);
  }

  /** openai/diffusers-cd_imagenet64_l2 and diffusers-cd_bedroom256_l2, as diffusers counts them. */
  @ParameterizedTest
  @CsvSource({
    "64, '192, 384, 576, 768', 3, 1, 1000, scale_shift, 295899267",
    "256, '256, 256, 512, 512, 1024, 1024', 2, 3, null, default, 526304771"
  })
  void hasAsManyParametersAsThePublishedConsistencyModels(
      int size, String widths, int layers, int plain, String classes, String shift, long count)
      throws IOException {
    int depth = widths.split(",").length;
    List<String> down = new ArrayList<>();
    List<String> up = new ArrayList<>();
    for (int level = 0; level < depth; level++) {
      down.add(level < plain ? "\"ResnetDownsampleBlock2D\"" : "\"AttnDownBlock2D\"");
      up.add(0, level < plain ? "\"ResnetUpsampleBlock2D\"" : "\"AttnUpBlock2D\"");
    }
    Unet2D config =
        read(
            """
            {"_class_name": "UNet2DModel", "act_fn": "silu", "attention_head_dim": 64,
             "attn_norm_num_groups": 32, "block_out_channels": [%s], "down_block_types": %s,
             "downsample_type": "resnet", "flip_sin_to_cos": false, "in_channels": 3,
             "layers_per_block": %d, "num_class_embeds": %s, "out_channels": 3,
             "resnet_time_scale_shift": "%s", "sample_size": %d, "up_block_types": %s,
             "upsample_type": "resnet"}
            """
                .formatted(widths, down, layers, classes, shift, size, up));
    assertThat(count(config)).isEqualTo(count);
  }

  @Test
  void readsThePublishedFileOfTheCifar10Network() throws IOException {
    assertThat(read(CIFAR10)).isEqualTo(Unet2D.cifar10());
  }

  @Test
  void hasTheNamesAndShapesOfDiffusers() {
    Map<String, Parameter> parameters = parameters(Unet2D.cifar10().withClassEmbeddings(10));
    assertShape(parameters, "conv_in.weight", 128, 3, 3, 3);
    assertShape(parameters, "time_embedding.linear_1.weight", 512, 128);
    assertShape(parameters, "time_embedding.linear_2.bias", 512);
    assertShape(parameters, "class_embedding.weight", 10, 512);
    assertShape(parameters, "down_blocks.0.downsamplers.0.conv.weight", 128, 128, 3, 3);
    assertShape(parameters, "down_blocks.1.resnets.0.conv_shortcut.weight", 256, 128, 1, 1);
    assertShape(parameters, "down_blocks.1.resnets.0.time_emb_proj.weight", 256, 512);
    assertShape(parameters, "down_blocks.1.attentions.1.group_norm.bias", 256);
    assertShape(parameters, "down_blocks.1.attentions.1.to_q.weight", 256, 256);
    assertShape(parameters, "mid_block.attentions.0.to_out.0.weight", 256, 256);
    assertShape(parameters, "up_blocks.3.resnets.0.norm1.weight", 384);
    assertShape(parameters, "up_blocks.2.upsamplers.0.conv.bias", 256);
    assertShape(parameters, "conv_norm_out.weight", 128);
    assertShape(parameters, "conv_out.weight", 3, 128, 3, 3);
    assertThat(parameters.keySet())
        .doesNotContain(
            "down_blocks.3.downsamplers.0.conv.weight",
            "up_blocks.3.upsamplers.0.conv.weight",
            "down_blocks.0.resnets.0.conv_shortcut.weight");
  }

  private static void assertShape(
      Map<String, Parameter> parameters, String name, long... pyTorchShape) {
    assertThat(parameters).containsKey(name);
    assertThat(parameters.get(name).pyTorchShape()).containsExactly(pyTorchShape);
  }

  /** Where heads do not fill the channels, diffusers drops the rest. */
  @Test
  void headsMayLeaveChannelsOver() {
    Unet2D config = Unet2D.cifar10().withAttentionHeadDim(96);
    assertShape(parameters(config), "mid_block.attentions.0.to_k.weight", 192, 256);
    assertShape(parameters(config), "mid_block.attentions.0.to_out.0.weight", 256, 192);
  }

  @Test
  void readsFormerNamesOfAttention() {
    Unet2D config = Unet2D.cifar10();
    assertThat(
            List.of(
                config.parameterName("mid_block.attentions.0.query.weight"),
                config.parameterName("up_blocks.1.attentions.2.key.bias"),
                config.parameterName("up_blocks.1.attentions.2.value.weight"),
                config.parameterName("up_blocks.1.attentions.2.proj_attn.bias"),
                config.parameterName("up_blocks.1.attentions.2.group_norm.bias"),
                config.parameterName("query.weight")))
        .containsExactly(
            "mid_block.attentions.0.to_q.weight",
            "up_blocks.1.attentions.2.to_k.bias",
            "up_blocks.1.attentions.2.to_v.weight",
            "up_blocks.1.attentions.2.to_out.0.bias",
            "up_blocks.1.attentions.2.group_norm.bias",
            "query.weight");
  }

  @Test
  void writesAllKeysOfDiffusers() {
    assertThat(
            UnetFolder.configToJson(
                Unet2D.cifar10()
                    .withSampleSize(new Unet2D.ImageSize(32, 64))
                    .withClassEmbeddings(4)))
        .isEqualTo(
            """
            {
              "_class_name" : "UNet2DModel",
              "_diffusers_version" : "0.42.1",
              "sample_size" : [ 32, 64 ],
              "in_channels" : 3,
              "out_channels" : 3,
              "center_input_sample" : false,
              "time_embedding_type" : "positional",
              "time_embedding_dim" : null,
              "freq_shift" : 1,
              "flip_sin_to_cos" : false,
              "down_block_types" : [ "DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D" ],
              "mid_block_type" : "UNetMidBlock2D",
              "up_block_types" : [ "UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D" ],
              "block_out_channels" : [ 128, 256, 256, 256 ],
              "layers_per_block" : 2,
              "mid_block_scale_factor" : 1.0,
              "downsample_padding" : 0,
              "downsample_type" : "conv",
              "upsample_type" : "conv",
              "dropout" : 0.0,
              "act_fn" : "silu",
              "attention_head_dim" : null,
              "norm_num_groups" : 32,
              "attn_norm_num_groups" : null,
              "norm_eps" : 1.0E-6,
              "resnet_time_scale_shift" : "default",
              "add_attention" : true,
              "class_embed_type" : null,
              "num_class_embeds" : 4,
              "num_train_timesteps" : null
            }""");
  }

  @Test
  void aMissingKeyHasDiffusersDefault() throws IOException {
    Unet2D config = read("{\"_class_name\": \"UNet2DModel\"}");
    assertThat(config).isEqualTo(Unet2D.DEFAULT);
    DiffusersDefaults.assertAre(UnetFolder.configToJson(config), DiffusersDefaults.UNET_2D);
    // diffusers' default for another first level
    Unet2D narrow =
        read("{\"_class_name\": \"UNet2DModel\", \"block_out_channels\": [32,32,64,64]}");
    assertThat(narrow.time().width()).isEqualTo(128);
  }

  /** As there: such a key was never given, so that today's default holds. */
  @Test
  void aKeyAmongTheDefaultsHasTheDefault() throws IOException {
    assertThat(
            read(
                """
                {"_class_name": "UNet2DModel", "norm_eps": 0.00001, "in_channels": 4,
                 "_use_default_values": ["norm_eps", "dropout", "something"]}
                """))
        .isEqualTo(
            Unet2D.DEFAULT.withImages(new Unet2D.Images(null, 4, 3, Unet2D.InputScale.AS_IT_IS)));
  }

  @ParameterizedTest
  @CsvSource({
    "norm_eps, 0.001, 'norm_eps is 0.001, but _use_default_values says'",
    "act_fn, '\"gelu\"', 'act_fn is \"gelu\", but _use_default_values says'",
    "time_embedding_type, '\"learned\"', time_embedding_type"
  })
  void aKeyAmongTheDefaultsIsNothingElse(String key, String value, String message) {
    assertThatThrownBy(
            () ->
                read(
                    """
                    {"_class_name": "UNet2DModel", "%s": %s, "_use_default_values": ["%s"]}
                    """
                        .formatted(key, value, key)))
        .hasMessageContaining(message);
  }

  /** google/ncsnpp-ffhq-256, but for its size: 65,574,549 parameters as diffusers counts them. */
  @Test
  void readsAFileOfNcsnpp() throws IOException {
    Unet2D config =
        read(
            """
            {"_class_name": "UNet2DModel", "_diffusers_version": "0.1.0", "act_fn": "silu",
             "attention_head_dim": null, "block_out_channels": [128, 128, 256, 256, 256, 256, 256],
             "center_input_sample": false, "flip_sin_to_cos": true, "freq_shift": 0,
             "down_block_types": ["SkipDownBlock2D", "SkipDownBlock2D", "SkipDownBlock2D",
               "SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D", "SkipDownBlock2D"],
             "up_block_types": ["SkipUpBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D",
               "SkipUpBlock2D", "SkipUpBlock2D", "SkipUpBlock2D", "SkipUpBlock2D"],
             "in_channels": 3, "layers_per_block": 2, "mid_block_scale_factor": 1.4142135623730951,
             "norm_eps": 1e-06, "norm_num_groups": null, "out_channels": 3, "sample_size": 256,
             "time_embedding_type": "fourier"}
            """);
    assertThat(count(config)).isEqualTo(65_574_549);
    assertShape(parameters(config), "time_proj.weight", 128);
    assertShape(parameters(config), "time_embedding.linear_1.weight", 512, 256);
    assertShape(
        parameters(config), "down_blocks.0.resnet_down.conv_shortcut.weight", 128, 128, 1, 1);
    assertShape(parameters(config), "up_blocks.5.skip_conv.weight", 3, 128, 3, 3);
    assertThat(read(UnetFolder.configToJson(config))).isEqualTo(config);
  }

  /**
   * Parameters of diffusers' networks of these settings, and how many of them are in the middle.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"dropout\": 0 | 45259 | 30",
        "\"add_attention\": false | 44139 | 20",
        "\"mid_block_type\": null | 33675 | 0",
      })
  void theMiddleMayLackAttentionOrAll(String middle, long numbers, long inTheMiddle)
      throws IOException {
    Unet2D config =
        read(
            """
            {"_class_name": "UNet2DModel", "sample_size": 16, "block_out_channels": [8, 16],
             "layers_per_block": 1, "norm_num_groups": 4, %s,
             "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
             "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]}
            """
                .formatted(middle));
    assertThat(count(config)).isEqualTo(numbers);
    assertThat(parameters(config).keySet().stream().filter(name -> name.startsWith("mid_block.")))
        .hasSize((int) inTheMiddle);
    assertThat(read(UnetFolder.configToJson(config))).isEqualTo(config);
  }

  @Test
  void whatAsksForNothingIsAccepted() throws IOException {
    assertThat(
            readWithMore(
                """
                "_name_or_path": "somewhere", "_commit_hash": "abc", "dropout": 0,
                "num_train_timesteps": 1000, "attention_legacy_order": false,
                "resnet_skip_time_act": false, "encoder_hid_dim": null,
                "time_embedding_dim": 0, "downsample_type": null, "only_cross_attention": [],
                "decay": 0.9999, "optimization_step": 330000
                """))
        .isEqualTo(Unet2D.cifar10());
    assertThat(readWith("layers_per_block", "2.0")).isEqualTo(Unet2D.cifar10());
    assertThat(readWith("sample_size", "[32, 32]")).isEqualTo(Unet2D.cifar10());
    assertThat(readWith("act_fn", "\"Swish\"")).isEqualTo(Unet2D.cifar10());
    assertThat(readWith("sample_size", "null")).isEqualTo(Unet2D.cifar10().withSampleSize(null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "time_embedding_type | \"learned\" | time_embedding_type is \"learned\"; supported are \"positional\", \"fourier\"",
        "act_fn | \"tanh\" | act_fn is \"tanh\"; supported are \"silu\", \"swish\", \"mish\", \"gelu\", \"relu\"",
        "act_fn | 5 | act_fn is 5; supported are",
        "downsample_padding | 2 | downsample_padding is 2; supported are 0, which pads below and on the right, and 1",
        "norm_num_groups | 48 | norm_num_groups is 48, which does not divide the 128 channels in down_blocks.0.resnets.0",
        "norm_num_groups | null | norm_num_groups is null, which only networks of nothing but SkipDownBlock2D",
        "norm_num_groups | 0 | norm_num_groups is 0; it must be 1 to 1048576",
        "norm_eps | \"small\" | norm_eps is \"small\"; it must be a number",
        "norm_eps | -1 | norm_eps is -1.0; it must be finite and at least 0",
        "norm_eps | 1e999 | norm_eps is",
        "attention_head_dim | 300 | attention_head_dim is 300, but a level with attention has 256 channels",
        "attention_head_dim | 0 | attention_head_dim is 0; it must be 1 to 1048576",
        "freq_shift | 64 | freq_shift is 64; it must be less than 64, half of the first of block_out_channels",
        "freq_shift | 0.5 | freq_shift is 0.5; it must be a whole number within 32 bits",
        "mid_block_scale_factor | 0 | mid_block_scale_factor is 0.0; it must be finite and not 0",
        "layers_per_block | 0 | layers_per_block is 0; it must be 1 to 64",
        "layers_per_block | 1000000 | layers_per_block is 1000000; it must be 1 to 64",
        "layers_per_block | 17 | layers_per_block is 17; with 4 levels it must be 1 to 16",
        "in_channels | -3 | in_channels is -3; it must be 1 to 1048576",
        "center_input_sample | 1 | center_input_sample is 1; it must be true or false",
        "sample_size | [32] | sample_size is [32]; it must be a whole number, a height and a width, or null",
        "sample_size | 0 | sample_size is 0; it must be 1 to 1048576",
        "block_out_channels | 128 | block_out_channels is 128; it must be a list",
        "block_out_channels | [128, 256] | block_out_channels, down_block_types and up_block_types have 2, 4 and 4 entries",
        "block_out_channels | [] | block_out_channels, down_block_types and up_block_types have 0, 4 and 4 entries",
        "down_block_types | [\"DownBlock2D\"] | block_out_channels, down_block_types and up_block_types have 4, 1 and 4 entries",
        "up_block_types | [\"UpBlock2D\"] | block_out_channels, down_block_types and up_block_types have 4, 4 and 1 entries",
        "block_out_channels | [127, 256, 256, 256] | block_out_channels starts with 127; the first must be even",
        "down_block_types | [\"DownBlock2D\", \"SkipDownBlock2D\", \"DownBlock2D\", \"DownBlock2D\"] | down_block_types has 1 of 4 entries that carry the image along (SkipDownBlock2D, AttnSkipDownBlock2D); it must be all or none",
        "up_block_types | [\"UpBlock2D\", \"DownBlock2D\", \"UpBlock2D\", \"UpBlock2D\"] | up_block_types has an entry that is \"DownBlock2D\"; supported are \"UpBlock2D\", \"AttnUpBlock2D\", \"ResnetUpsampleBlock2D\", \"SkipUpBlock2D\", \"AttnSkipUpBlock2D\"",
        "up_block_types | [\"UpBlock2D\", \"AttnSkipUpBlock2D\", \"UpBlock2D\", \"UpBlock2D\"] | up_block_types has 1 of 4 entries that carry the image along (SkipUpBlock2D, AttnSkipUpBlock2D); it must be all or none",
      })
  void refusesAValueByName(String key, String value, String reason) {
    assertThatThrownBy(() -> readWith(key, value))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("test: This U-Net cannot be built: " + reason)
        .hasMessageEndingWith(".")
        .satisfies(e -> assertThat(e.getMessage()).hasLineCount(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"mid_block_type\": \"UnCLIPUNetMidBlock2D\" | mid_block_type is \"UnCLIPUNetMidBlock2D\"; supported is \"UNetMidBlock2D\"",
        "\"class_embed_type\": \"identity\" | class_embed_type is \"identity\"; supported is \"timestep\"",
        "\"resnet_time_scale_shift\": \"ada_group\" | resnet_time_scale_shift is \"ada_group\"; supported are \"default\", \"scale_shift\"",
        "\"upsample_type\": \"fir\" | upsample_type is \"fir\"; supported are \"conv\", \"resnet\"",
        "\"num_class_embeds\": 0 | num_class_embeds is 0; it must be 1 to 1048576",
        "\"attn_norm_num_groups\": 48 | attn_norm_num_groups is 48, which does not divide the 256 channels in mid_block",
        "\"dropout\": 1 | dropout is 1.0; it must be in [0,1)",
        "\"time_embedding_dim\": -4 | time_embedding_dim is -4; it must be 1 to 4194304",
        "\"attention_legacy_order\": true | attention_legacy_order is true, a key that is not known here",
        "\"only_cross_attention\": [true, false] | only_cross_attention is [true,false], a key that is not known here",
        "\"cross_attention_dim\": 1280 | cross_attention_dim is 1280, a key that is not known here",
      })
  void refusesAKeyByName(String keyAndValue, String reason) {
    assertThatThrownBy(() -> readWithMore(keyAndValue))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("test: This U-Net cannot be built: " + reason)
        .hasMessageEndingWith(".");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"UNet2DConditionModel\"", "null", "[\"UNet2DModel\"]"})
  void refusesOtherClasses(String name) {
    assertThatThrownBy(() -> read("{\"_class_name\": %s}".formatted(name)))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "test describes no network known here: _class_name is %s and must be \"UNet2DModel\" or \"DiTTransformer2DModel\".",
            name.replace(" ", ""));
  }

  /** Nobody can put a page of text, or a second line, into an error. */
  @Test
  void quotesOnlyTheBeginningOfAValue() {
    assertThatThrownBy(() -> readWith("act_fn", "\"" + "a\\n".repeat(10_000) + "\""))
        .isInstanceOf(IOException.class)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(300).hasLineCount(1));
  }

  /** The channels from below and from the way down are normalised together. */
  @Test
  void groupsMustDivideWhatIsConcatenated() {
    Unet2D.ResnetBlocks resnets =
        new Unet2D.ResnetBlocks(1, Activation.SILU, 8, 1e-5, Unet2D.TimeConditioning.SHIFT, 0);
    List<Level> levels =
        List.of(new Level(8, Block.PLAIN, Block.PLAIN), new Level(24, Block.PLAIN, Block.PLAIN));
    Unet2D config =
        new Unet2D(
            Unet2D.DEFAULT.images(),
            levels,
            Unet2D.DEFAULT.time(),
            Unet2D.Classes.NONE,
            resnets,
            8,
            Unet2D.DEFAULT.middle(),
            Unet2D.DEFAULT.resampling());
    assertShape(parameters(config), "up_blocks.0.resnets.1.norm1.weight", 32);
    List<Level> uneven =
        List.of(new Level(8, Block.PLAIN, Block.PLAIN), new Level(20, Block.PLAIN, Block.PLAIN));
    assertThatThrownBy(
            () ->
                new Unet2D(
                    Unet2D.DEFAULT.images(),
                    uneven,
                    Unet2D.DEFAULT.time(),
                    Unet2D.Classes.NONE,
                    resnets,
                    4,
                    Unet2D.DEFAULT.middle(),
                    Unet2D.DEFAULT.resampling()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            "norm_num_groups is 8, which does not divide the 20 channels in down_blocks.1.resnets.0");
  }

  @Test
  void checksTheSizeOfImages() {
    Unet2D.cifar10().checkImageSize(32, 8);
    assertThatThrownBy(() -> Unet2D.cifar10().checkImageSize(32, 12))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("height and width must be multiples of 8");
  }
}
