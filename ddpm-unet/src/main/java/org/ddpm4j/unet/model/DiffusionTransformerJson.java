package org.ddpm4j.unet.model;

import static java.util.Map.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.kernels.ops.Activation;

/** {@link DiffusionTransformer} as the config.json of diffusers' class. */
final class DiffusionTransformerJson {

  static final String REFUSAL = "This transformer cannot be built: ";

  private static final String NORM_TYPE = "ada_norm_zero";
  private static final int NORM_NUM_GROUPS = 32;

  private static final Map<String, Activation> ACTIVATIONS =
      DiffusersFields.names(
          entry("gelu-approximate", Activation.GELU_TANH), entry("gelu", Activation.GELU));

  private DiffusionTransformerJson() {}

  /** All keys of diffusers, in its order. */
  static Map<String, Object> write(DiffusionTransformer config) {
    DiffusionTransformer.Blocks blocks = config.blocks();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(DiffusersFields.CLASS_NAME, DiffusionTransformer.CLASS_NAME);
    json.put("_diffusers_version", DiffusersFields.VERSION);
    json.put("num_attention_heads", blocks.heads());
    json.put("attention_head_dim", blocks.headDim());
    json.put("in_channels", config.inChannels());
    json.put(
        "out_channels", config.outChannels() == config.inChannels() ? null : config.outChannels());
    json.put("num_layers", blocks.count());
    json.put("dropout", blocks.dropout());
    json.put("norm_num_groups", NORM_NUM_GROUPS);
    json.put("attention_bias", true);
    json.put("sample_size", config.images().size());
    json.put("patch_size", config.images().patchSize());
    json.put("activation_fn", DiffusersFields.nameOf(blocks.activation(), ACTIVATIONS));
    json.put("num_embeds_ada_norm", config.classes());
    json.put("upcast_attention", false);
    json.put("norm_type", NORM_TYPE);
    json.put("norm_elementwise_affine", false);
    json.put("norm_eps", blocks.epsilon());
    return json;
  }

  /**
   * The architecture that a config.json describes.
   *
   * @throws IllegalArgumentException if it describes none that can be built here
   */
  static DiffusionTransformer read(JsonNode json) {
    return DiffusersFields.read(
        REFUSAL,
        json,
        new JsonMapper().valueToTree(write(DiffusionTransformer.DEFAULT)),
        Set.of(),
        "the network does",
        DiffusionTransformerJson::config);
  }

  private static DiffusionTransformer config(DiffusersFields fields) {
    fields.choice("norm_type", Map.of(NORM_TYPE, true));
    requireFlag(fields, "attention_bias", true);
    requireFlag(fields, "norm_elementwise_affine", false);
    // Of no effect, whatever they are: nothing is normalised in groups, or computed in half
    // precision.
    fields.integerOrNull("norm_num_groups");
    fields.flagOrNull("upcast_attention");
    int in = fields.integer("in_channels");
    Integer out = fields.integerOrNull("out_channels");
    return new DiffusionTransformer(
        new DiffusionTransformer.Images(
            fields.integer("sample_size"),
            in,
            out == null ? in : out,
            fields.integer("patch_size")),
        new DiffusionTransformer.Blocks(
            fields.integer("num_layers"),
            fields.integer("num_attention_heads"),
            fields.integer("attention_head_dim"),
            fields.choice("activation_fn", ACTIVATIONS),
            fields.number("norm_eps"),
            fields.number("dropout")),
        fields.integer("num_embeds_ada_norm"));
  }

  private static void requireFlag(DiffusersFields fields, String key, boolean supported) {
    DiffusionTransformer.require(
        fields.flag(key) == supported,
        "%s is %s; supported is %s",
        key,
        StrictJson.quoted(fields.get(key)),
        supported);
  }
}
