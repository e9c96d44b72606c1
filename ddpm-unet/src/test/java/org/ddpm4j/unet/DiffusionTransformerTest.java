package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import java.util.stream.Collectors;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.DiffusionTransformer;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** The architecture: its size, names, files and limits. */
class DiffusionTransformerTest {

  /** The file of facebook/DiT-XL-2-256, whose class was another then. */
  private static final String XL_2 =
      """
      {"_class_name": "Transformer2DModel", "_diffusers_version": "0.12.0.dev0",
       "activation_fn": "gelu-approximate", "attention_bias": true, "attention_head_dim": 72,
       "cross_attention_dim": null, "dropout": 0.0, "in_channels": 4,
       "norm_elementwise_affine": false, "norm_num_groups": 32, "norm_type": "ada_norm_zero",
       "num_attention_heads": 16, "num_embeds_ada_norm": 1000, "num_layers": 28,
       "num_vector_embeds": null, "only_cross_attention": false, "out_channels": 8,
       "patch_size": 2, "sample_size": 32, "upcast_attention": false,
       "use_linear_projection": false}
      """;

  private static UnetConfig read(String json) throws IOException {
    return UnetFolder.configFromJson(json, "test");
  }

  private static Map<String, Parameter> parameters(UnetConfig config) {
    return Unet.declarations(config, DataType.FLOAT).stream()
        .collect(Collectors.toMap(Parameter::name, parameter -> parameter));
  }

  @Test
  void readsThePublishedFile() throws IOException {
    DiffusionTransformer config = (DiffusionTransformer) read(XL_2);
    assertThat(config)
        .isEqualTo(
            new DiffusionTransformer(
                new DiffusionTransformer.Images(32, 4, 8, 2),
                DiffusionTransformer.DEFAULT.blocks(),
                1000));
    assertThat(config.learnsVariance()).isTrue();
    assertThat(config.classEmbeddings()).isEqualTo(1001);
    assertThat(config.nullClass()).isEqualTo(1000);
    assertThat(parameters(config).values().stream().mapToLong(Parameter::length).sum())
        .isEqualTo(749826464L);
    assertThat(
            parameters(config)
                .get("transformer_blocks.27.norm1.emb.class_embedder.embedding_table.weight")
                .pyTorchShape())
        .containsExactly(1001, 1152);
    assertThat(read(UnetFolder.configToJson(config))).isEqualTo(config);
  }

  @Test
  void aMissingKeyHasDiffusersDefault() throws IOException {
    assertThat(read("{\"_class_name\": \"DiTTransformer2DModel\"}"))
        .isEqualTo(DiffusionTransformer.DEFAULT);
    DiffusersDefaults.assertAre(
        UnetFolder.configToJson(DiffusionTransformer.DEFAULT), DiffusersDefaults.TRANSFORMER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"norm_type\": \"layer_norm\" | norm_type is \"layer_norm\"; supported is \"ada_norm_zero\"",
        "\"attention_bias\": false | attention_bias is false; supported is true",
        "\"norm_elementwise_affine\": true | norm_elementwise_affine is true; supported is false",
        "\"activation_fn\": \"geglu\" | activation_fn is \"geglu\"; supported are \"gelu-approximate\", \"gelu\"",
        "\"num_embeds_ada_norm\": null | num_embeds_ada_norm is null; it must be a whole number",
        "\"sample_size\": 33 | sample_size is 33; it must be a multiple of patch_size, 2",
        "\"patch_size\": 0 | patch_size is 0; it must be 1 to 64",
        "\"num_layers\": 1000000 | num_layers is 1000000; it must be 1 to 256",
        "\"attention_head_dim\": 7, \"num_attention_heads\": 3 | num_attention_heads is 3 and attention_head_dim 7; their product must be a multiple of 4",
        "\"norm_eps\": -1 | norm_eps is -1.0",
        "\"dropout\": 2 | dropout is 2.0",
        "\"caption_channels\": 4096 | caption_channels is 4096, a key that is not known here",
      })
  void refusesAKeyByName(String keyAndValue, String reason) {
    assertThatThrownBy(
            () -> read("{\"_class_name\": \"DiTTransformer2DModel\", " + keyAndValue + "}"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("test: This transformer cannot be built: " + reason)
        .hasMessageEndingWith(".");
  }

  @Test
  void latentsThatAreNoPatchesAreRefused() {
    assertThatThrownBy(() -> DiffusionTransformer.DEFAULT.checkImageSize(32, 31))
        .hasMessageContaining("multiples of 2");
  }
}
