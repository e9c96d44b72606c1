package org.ddpm4j.unet.model;

import static java.util.Map.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.kernels.ops.Activation;

/** {@link AutoencoderConfig} as the config.json of diffusers' classes. */
final class AutoencoderJson {

  static final String GAUSSIAN = "AutoencoderKL";
  static final String QUANTIZED = "VQModel";

  static final String REFUSAL = "This autoencoder cannot be built: ";

  private static final Map<String, AutoencoderConfig.Block> DOWN_BLOCKS =
      DiffusersFields.names(
          entry("DownEncoderBlock2D", AutoencoderConfig.Block.PLAIN),
          entry("AttnDownEncoderBlock2D", AutoencoderConfig.Block.ATTENTION));

  private static final Map<String, AutoencoderConfig.Block> UP_BLOCKS =
      DiffusersFields.names(
          entry("UpDecoderBlock2D", AutoencoderConfig.Block.PLAIN),
          entry("AttnUpDecoderBlock2D", AutoencoderConfig.Block.ATTENTION));

  /** What these pipelines of diffusers leave out, although other ones do it. */
  private static final List<String> NOT_APPLIED =
      List.of("shift_factor", "latents_mean", "latents_std");

  private final DiffusersFields fields;

  private AutoencoderJson(DiffusersFields fields) {
    this.fields = fields;
  }

  /** All keys of diffusers, in its order. */
  static Map<String, Object> write(AutoencoderConfig config) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(DiffusersFields.CLASS_NAME, config.className());
    json.put("_diffusers_version", DiffusersFields.VERSION);
    json.put("in_channels", config.images().inChannels());
    json.put("out_channels", config.images().outChannels());
    List<String> downs = new ArrayList<>();
    List<String> ups = new ArrayList<>();
    List<Integer> channels = new ArrayList<>();
    for (AutoencoderConfig.Level level : config.levels()) {
      downs.add(DiffusersFields.nameOf(level.down(), DOWN_BLOCKS));
      ups.add(0, DiffusersFields.nameOf(level.up(), UP_BLOCKS));
      channels.add(level.channels());
    }
    json.put("down_block_types", downs);
    json.put("up_block_types", ups);
    json.put("block_out_channels", channels);
    AutoencoderConfig.Blocks blocks = config.blocks();
    json.put("layers_per_block", blocks.perLevel());
    json.put("act_fn", DiffusersFields.nameOf(blocks.activation(), Unet2DJson.ACTIVATIONS));
    AutoencoderConfig.Latents latents = config.latents();
    json.put("latent_channels", latents.channels());
    json.put("norm_num_groups", blocks.groups());
    json.put("sample_size", Unet2DJson.sampleSize(config.images().size()));
    json.put("scaling_factor", latents.scalingFactor());
    if (latents instanceof AutoencoderConfig.Gaussian gaussian) {
      NOT_APPLIED.forEach(key -> json.put(key, null));
      json.put(
          "use_quant_conv", gaussian.behindEncoder() == AutoencoderConfig.Convolution.POINTWISE);
      json.put(
          "use_post_quant_conv",
          gaussian.beforeDecoder() == AutoencoderConfig.Convolution.POINTWISE);
    }
    if (latents instanceof AutoencoderConfig.Quantized quantized) {
      json.put("num_vq_embeddings", quantized.codes());
      // A file without it has as many as latent_channels, whatever that is.
      json.put(
          "vq_embed_dim", quantized.width() == quantized.channels() ? null : quantized.width());
      json.put("norm_type", "group");
      json.put("lookup_from_codebook", quantized.lookup() == AutoencoderConfig.Lookup.NUMBERS);
    }
    json.put("force_upcast", latents.halfPrecision() == AutoencoderConfig.HalfPrecision.NEVER);
    json.put(
        "mid_block_add_attention",
        blocks.middle() == AutoencoderConfig.MiddleBlocks.RESNETS_AND_ATTENTION);
    return json;
  }

  private static AutoencoderConfig defaults(AutoencoderConfig.Latents latents) {
    return new AutoencoderConfig(
        new AutoencoderConfig.Images(new Unet2D.ImageSize(32, 32), 3, 3),
        List.of(
            new AutoencoderConfig.Level(
                64, AutoencoderConfig.Block.PLAIN, AutoencoderConfig.Block.PLAIN)),
        new AutoencoderConfig.Blocks(
            1, Activation.SILU, 32, AutoencoderConfig.MiddleBlocks.RESNETS_AND_ATTENTION),
        latents);
  }

  private static AutoencoderConfig defaults(String className) {
    return className.equals(GAUSSIAN)
        ? defaults(
            new AutoencoderConfig.Gaussian(
                4,
                AutoencoderConfig.DEFAULT_SCALING_FACTOR,
                AutoencoderConfig.Convolution.POINTWISE,
                AutoencoderConfig.Convolution.POINTWISE,
                AutoencoderConfig.HalfPrecision.NEVER))
        : defaults(
            new AutoencoderConfig.Quantized(
                3,
                AutoencoderConfig.DEFAULT_SCALING_FACTOR,
                256,
                3,
                AutoencoderConfig.Lookup.VECTORS,
                AutoencoderConfig.HalfPrecision.AS_ASKED));
  }

  /**
   * The architecture that a config.json describes.
   *
   * @throws IllegalArgumentException if it describes none that can be built here
   */
  static AutoencoderConfig read(JsonNode json) {
    JsonNode name = json.path(DiffusersFields.CLASS_NAME);
    AutoencoderConfig.require(
        List.of(GAUSSIAN, QUANTIZED).contains(String.valueOf(name.textValue())),
        "_class_name is %s; supported are \"%s\" and \"%s\"",
        name.isMissingNode() ? "missing" : StrictJson.quoted(name),
        GAUSSIAN,
        QUANTIZED);
    return DiffusersFields.read(
        REFUSAL,
        json,
        new JsonMapper().valueToTree(write(defaults(name.textValue()))),
        Set.of(),
        "the autoencoder does",
        fields -> new AutoencoderJson(fields).config(name.textValue()));
  }

  private AutoencoderConfig config(String className) {
    Unet2D.ImageSize size = Unet2DJson.imageSize(fields);
    AutoencoderConfig.require(
        size != null, "sample_size is null; it must be a whole number, or a height and a width");
    return new AutoencoderConfig(
        new AutoencoderConfig.Images(
            size, fields.integer("in_channels"), fields.integer("out_channels")),
        levels(),
        new AutoencoderConfig.Blocks(
            fields.integer("layers_per_block"),
            Unet2DJson.activation(fields),
            fields.integer("norm_num_groups"),
            fields.flag("mid_block_add_attention")
                ? AutoencoderConfig.MiddleBlocks.RESNETS_AND_ATTENTION
                : AutoencoderConfig.MiddleBlocks.RESNETS),
        className.equals(GAUSSIAN) ? gaussian() : quantized());
  }

  private AutoencoderConfig.Gaussian gaussian() {
    for (String key : NOT_APPLIED) {
      AutoencoderConfig.require(
          fields.isNull(key),
          "%s is %s; supported is null, because the pipelines that are known here do not apply it",
          key,
          StrictJson.quoted(fields.get(key)));
    }
    return new AutoencoderConfig.Gaussian(
        fields.integer("latent_channels"),
        fields.finiteNumber("scaling_factor"),
        convolution("use_quant_conv"),
        convolution("use_post_quant_conv"),
        halfPrecision());
  }

  private AutoencoderConfig.Quantized quantized() {
    fields.choice("norm_type", Map.of("group", true));
    int channels = fields.integer("latent_channels");
    Integer width = fields.integerOrNull("vq_embed_dim");
    return new AutoencoderConfig.Quantized(
        channels,
        fields.finiteNumber("scaling_factor"),
        fields.integer("num_vq_embeddings"),
        width == null ? channels : width,
        fields.flag("lookup_from_codebook")
            ? AutoencoderConfig.Lookup.NUMBERS
            : AutoencoderConfig.Lookup.VECTORS,
        halfPrecision());
  }

  private AutoencoderConfig.Convolution convolution(String key) {
    return fields.flag(key)
        ? AutoencoderConfig.Convolution.POINTWISE
        : AutoencoderConfig.Convolution.NONE;
  }

  private AutoencoderConfig.HalfPrecision halfPrecision() {
    return fields.flag("force_upcast")
        ? AutoencoderConfig.HalfPrecision.NEVER
        : AutoencoderConfig.HalfPrecision.AS_ASKED;
  }

  private List<AutoencoderConfig.Level> levels() {
    List<JsonNode> channels = fields.list("block_out_channels");
    List<JsonNode> downs = fields.list("down_block_types");
    List<JsonNode> ups = fields.list("up_block_types");
    AutoencoderConfig.require(
        channels.size() == downs.size() && channels.size() == ups.size(),
        "block_out_channels, down_block_types and up_block_types have %d, %d and %d entries; they must have the same number",
        channels.size(),
        downs.size(),
        ups.size());
    List<AutoencoderConfig.Level> levels = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      levels.add(
          new AutoencoderConfig.Level(
              fields.integer("block_out_channels", channels.get(i)),
              fields.choice("down_block_types has an entry that", downs.get(i), DOWN_BLOCKS),
              fields.choice(
                  "up_block_types has an entry that", ups.get(ups.size() - 1 - i), UP_BLOCKS)));
    }
    return levels;
  }
}
