package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;

/**
 * What diffusers 0.42.1 takes where a config.json does not say it: the defaults of the constructors
 * of its classes, by Python's {@code inspect.signature}.
 */
final class DiffusersDefaults {

  static final String UNET_2D =
      """
      {"sample_size": null, "in_channels": 3, "out_channels": 3, "center_input_sample": false,
       "time_embedding_type": "positional", "time_embedding_dim": null, "freq_shift": 0,
       "flip_sin_to_cos": true, "down_block_types": ["DownBlock2D", "AttnDownBlock2D",
       "AttnDownBlock2D", "AttnDownBlock2D"], "mid_block_type": "UNetMidBlock2D",
       "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
       "block_out_channels": [224, 448, 672, 896], "layers_per_block": 2,
       "mid_block_scale_factor": 1, "downsample_padding": 1, "downsample_type": "conv",
       "upsample_type": "conv", "dropout": 0.0, "act_fn": "silu", "attention_head_dim": 8,
       "norm_num_groups": 32, "attn_norm_num_groups": null, "norm_eps": 1e-05,
       "resnet_time_scale_shift": "default", "add_attention": true, "class_embed_type": null,
       "num_class_embeds": null, "num_train_timesteps": null}
      """;

  static final String TRANSFORMER =
      """
      {"num_attention_heads": 16, "attention_head_dim": 72, "in_channels": 4,
       "out_channels": null, "num_layers": 28, "dropout": 0.0, "norm_num_groups": 32,
       "attention_bias": true, "sample_size": 32, "patch_size": 2,
       "activation_fn": "gelu-approximate", "num_embeds_ada_norm": 1000,
       "upcast_attention": false, "norm_type": "ada_norm_zero",
       "norm_elementwise_affine": false, "norm_eps": 1e-05}
      """;

  static final String GAUSSIAN_AUTOENCODER =
      """
      {"in_channels": 3, "out_channels": 3, "down_block_types": ["DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D"], "block_out_channels": [64],
       "layers_per_block": 1, "act_fn": "silu", "latent_channels": 4, "norm_num_groups": 32,
       "sample_size": 32, "scaling_factor": 0.18215, "shift_factor": null, "latents_mean": null,
       "latents_std": null, "force_upcast": true, "use_quant_conv": true,
       "use_post_quant_conv": true, "mid_block_add_attention": true}
      """;

  static final String QUANTIZED_AUTOENCODER =
      """
      {"in_channels": 3, "out_channels": 3, "down_block_types": ["DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D"], "block_out_channels": [64],
       "layers_per_block": 1, "act_fn": "silu", "latent_channels": 3, "sample_size": 32,
       "num_vq_embeddings": 256, "norm_num_groups": 32, "vq_embed_dim": null,
       "scaling_factor": 0.18215, "norm_type": "group", "mid_block_add_attention": true,
       "lookup_from_codebook": false, "force_upcast": false}
      """;

  private DiffusersDefaults() {}

  /**
   * Checks that a configuration has these values and no others.
   *
   * @param json all keys of a configuration
   * @param defaults of one of the constants
   */
  static void assertAre(String json, String defaults) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    JsonNode found = mapper.readTree(json);
    JsonNode expected = mapper.readTree(defaults);
    for (Map.Entry<String, JsonNode> field : expected.properties()) {
      JsonNode value = found.get(field.getKey());
      if (field.getValue().isNumber()) {
        assertThat(value.doubleValue())
            .as(field.getKey())
            .isEqualTo(field.getValue().doubleValue());
      } else {
        assertThat(value).as(field.getKey()).isEqualTo(field.getValue());
      }
    }
    // Beside them there are the class and the version.
    assertThat(found.size()).isEqualTo(expected.size() + 2);
  }
}
