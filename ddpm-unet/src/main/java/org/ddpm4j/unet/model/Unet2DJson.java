package org.ddpm4j.unet.model;

import static java.util.Map.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Frequencies;

/**
 * {@link Unet2D} as the config.json of diffusers' {@code UNet2DModel}.
 *
 * <p>Reading does as diffusers does: a missing key, or one that {@code _use_default_values} names,
 * has its default, and other keys that start with an underscore do not matter. Unlike there, a key
 * that is not known here is refused if it asks for anything, and one that {@code
 * _use_default_values} names if it has another value. The state of a moving average, which stands
 * among the network's keys in {@code unet_ema} folders, is left out.
 */
final class Unet2DJson {

  private static final String MIDDLE_BLOCK = "UNetMidBlock2D";

  /** In names of blocks of the first releases. */
  private static final String FORMER_BLOCK_PREFIX = "UNetRes";

  private static final String REFUSAL = "This U-Net cannot be built: ";

  /** What diffusers' {@code EMAModel} adds to the description of the network that it averages. */
  private static final Set<String> STATE_OF_AVERAGE =
      Set.of(
          "decay",
          "min_decay",
          "inv_gamma",
          "power",
          "update_after_step",
          "optimization_step",
          "use_ema_warmup");

  private static final Map<String, Unet2D.Block> DOWN_BLOCKS =
      DiffusersFields.names(
          entry("DownBlock2D", Unet2D.Block.PLAIN),
          entry("AttnDownBlock2D", Unet2D.Block.ATTENTION),
          entry("ResnetDownsampleBlock2D", Unet2D.Block.RESNET),
          entry("SkipDownBlock2D", Unet2D.Block.SKIP),
          entry("AttnSkipDownBlock2D", Unet2D.Block.SKIP_ATTENTION));

  private static final Map<String, Unet2D.Block> UP_BLOCKS =
      DiffusersFields.names(
          entry("UpBlock2D", Unet2D.Block.PLAIN),
          entry("AttnUpBlock2D", Unet2D.Block.ATTENTION),
          entry("ResnetUpsampleBlock2D", Unet2D.Block.RESNET),
          entry("SkipUpBlock2D", Unet2D.Block.SKIP),
          entry("AttnSkipUpBlock2D", Unet2D.Block.SKIP_ATTENTION));

  private static final Map<String, Unet2D.TimeFeatures> TIME_FEATURES =
      DiffusersFields.names(
          entry("positional", Unet2D.TimeFeatures.POSITIONAL),
          entry("fourier", Unet2D.TimeFeatures.FOURIER));

  private static final Map<String, Unet2D.Resampler> RESAMPLERS =
      DiffusersFields.names(
          entry("conv", Unet2D.Resampler.CONVOLUTION), entry("resnet", Unet2D.Resampler.RESNET));

  private static final Map<String, Unet2D.TimeConditioning> CONDITIONINGS =
      DiffusersFields.names(
          entry("default", Unet2D.TimeConditioning.SHIFT),
          entry("scale_shift", Unet2D.TimeConditioning.SCALE_SHIFT));

  static final Map<String, Activation> ACTIVATIONS =
      DiffusersFields.names(
          entry("silu", Activation.SILU),
          entry("swish", Activation.SILU),
          entry("mish", Activation.MISH),
          entry("gelu", Activation.GELU),
          entry("relu", Activation.RELU));

  private final DiffusersFields fields;

  private Unet2DJson(DiffusersFields fields) {
    this.fields = fields;
  }

  /** All keys of diffusers, in its order. */
  static Map<String, Object> write(Unet2D config) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(DiffusersFields.CLASS_NAME, Unet2D.CLASS_NAME);
    json.put("_diffusers_version", DiffusersFields.VERSION);
    json.put("sample_size", sampleSize(config.images().size()));
    json.put("in_channels", config.inChannels());
    json.put("out_channels", config.outChannels());
    json.put("center_input_sample", config.images().scale() == Unet2D.InputScale.CENTERED);
    json.put(
        "time_embedding_type", DiffusersFields.nameOf(config.time().features(), TIME_FEATURES));
    int finest = config.levels().get(0).channels();
    // Older releases do not know the key.
    json.put(
        "time_embedding_dim", config.time().width() == 4 * finest ? null : config.time().width());
    json.put("freq_shift", config.time().freqShift());
    json.put("flip_sin_to_cos", config.time().order() == Frequencies.Order.COSINES_FIRST);
    List<String> downs = new ArrayList<>();
    List<String> ups = new ArrayList<>();
    List<Integer> channels = new ArrayList<>();
    for (Unet2D.Level level : config.levels()) {
      downs.add(DiffusersFields.nameOf(level.down(), DOWN_BLOCKS));
      ups.add(0, DiffusersFields.nameOf(level.up(), UP_BLOCKS));
      channels.add(level.channels());
    }
    Unet2D.MiddleBlocks middle = config.middle().blocks();
    json.put("down_block_types", downs);
    json.put("mid_block_type", middle == Unet2D.MiddleBlocks.NONE ? null : MIDDLE_BLOCK);
    json.put("up_block_types", ups);
    json.put("block_out_channels", channels);
    Unet2D.ResnetBlocks resnets = config.resnets();
    json.put("layers_per_block", resnets.perLevel());
    json.put("mid_block_scale_factor", config.middle().scaleFactor());
    json.put("downsample_padding", config.resampling().padding().number());
    json.put("downsample_type", DiffusersFields.nameOf(config.resampling().down(), RESAMPLERS));
    json.put("upsample_type", DiffusersFields.nameOf(config.resampling().up(), RESAMPLERS));
    json.put("dropout", resnets.dropout());
    json.put("act_fn", DiffusersFields.nameOf(resnets.activation(), ACTIVATIONS));
    json.put("attention_head_dim", config.attentionHeadDim());
    json.put("norm_num_groups", resnets.groups());
    json.put("attn_norm_num_groups", config.middle().attentionGroups());
    json.put("norm_eps", resnets.epsilon());
    json.put(
        "resnet_time_scale_shift", DiffusersFields.nameOf(resnets.conditioning(), CONDITIONINGS));
    json.put("add_attention", middle != Unet2D.MiddleBlocks.RESNETS);
    Unet2D.Classes classes = config.classes();
    json.put(
        "class_embed_type",
        classes.embedding() == Unet2D.ClassEmbedding.LIKE_TIMESTEPS ? "timestep" : null);
    json.put(
        "num_class_embeds",
        classes.embedding() == Unet2D.ClassEmbedding.TABLE ? classes.count() : null);
    json.put("num_train_timesteps", null);
    return json;
  }

  static Object sampleSize(Unet2D.ImageSize size) {
    if (size == null || size.height() == size.width()) {
      return size == null ? null : size.height();
    }
    return List.of(size.height(), size.width());
  }

  /**
   * The architecture that a config.json describes.
   *
   * @throws IllegalArgumentException if it describes none that can be built here
   */
  static Unet2D read(JsonNode json) {
    return DiffusersFields.read(
        REFUSAL,
        json,
        new JsonMapper().valueToTree(write(Unet2D.DEFAULT)),
        STATE_OF_AVERAGE,
        "the network does",
        fields -> new Unet2DJson(fields).config());
  }

  private Unet2D config() {
    Unet2D.TimeFeatures features = fields.choice("time_embedding_type", TIME_FEATURES);
    fields.integerOrNull("num_train_timesteps");
    List<Unet2D.Level> levels = levels();
    Integer width = fields.integerOrNull("time_embedding_dim");
    int timeWidth = width == null || width == 0 ? 4 * levels.get(0).channels() : width;
    Frequencies.Order order =
        fields.flag("flip_sin_to_cos")
            ? Frequencies.Order.COSINES_FIRST
            : Frequencies.Order.SINES_FIRST;
    return new Unet2D(
        new Unet2D.Images(
            imageSize(fields),
            fields.integer("in_channels"),
            fields.integer("out_channels"),
            fields.flag("center_input_sample")
                ? Unet2D.InputScale.CENTERED
                : Unet2D.InputScale.AS_IT_IS),
        levels,
        new Unet2D.Time(timeWidth, fields.integer("freq_shift"), order, features),
        classes(),
        new Unet2D.ResnetBlocks(
            fields.integer("layers_per_block"),
            activation(fields),
            fields.integerOrNull("norm_num_groups"),
            fields.number("norm_eps"),
            fields.choice("resnet_time_scale_shift", CONDITIONINGS),
            fields.number("dropout")),
        fields.integerOrNull("attention_head_dim"),
        new Unet2D.Middle(
            middleBlocks(),
            fields.number("mid_block_scale_factor"),
            fields.integerOrNull("attn_norm_num_groups")),
        new Unet2D.Resampling(padding(), resampler("downsample_type"), resampler("upsample_type")));
  }

  private List<Unet2D.Level> levels() {
    List<JsonNode> channels = fields.list("block_out_channels");
    List<JsonNode> downs = fields.list("down_block_types");
    List<JsonNode> ups = fields.list("up_block_types");
    UnetLimits.require(
        !channels.isEmpty() && channels.size() == downs.size() && channels.size() == ups.size(),
        "block_out_channels, down_block_types and up_block_types have %d, %d and %d entries; they must have the same number, at least 1",
        channels.size(),
        downs.size(),
        ups.size());
    List<Unet2D.Level> levels = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      levels.add(
          new Unet2D.Level(
              fields.integer("block_out_channels", channels.get(i)),
              block("down_block_types", downs.get(i), DOWN_BLOCKS),
              block("up_block_types", ups.get(ups.size() - 1 - i), UP_BLOCKS)));
    }
    return levels;
  }

  private Unet2D.Block block(String key, JsonNode name, Map<String, Unet2D.Block> supported) {
    boolean isFormer = name.isTextual() && name.textValue().startsWith(FORMER_BLOCK_PREFIX);
    String today = isFormer ? name.textValue().substring(FORMER_BLOCK_PREFIX.length()) : "";
    return supported.containsKey(today)
        ? supported.get(today)
        : fields.choice(key + " has an entry that", name, supported);
  }

  /** Null if it is null. */
  static Unet2D.ImageSize imageSize(DiffusersFields fields) {
    JsonNode size = fields.get("sample_size");
    if (size.isNull()) {
      return null;
    }
    if (!size.isArray()) {
      int both = fields.integer("sample_size");
      return new Unet2D.ImageSize(both, both);
    }
    UnetLimits.require(
        size.size() == 2,
        "sample_size is %s; it must be a whole number, a height and a width, or null",
        StrictJson.quoted(size));
    return new Unet2D.ImageSize(
        fields.integer("sample_size", size.get(0)), fields.integer("sample_size", size.get(1)));
  }

  private Unet2D.Classes classes() {
    JsonNode type = fields.get("class_embed_type");
    if (!type.isNull()) {
      return fields.choice("class_embed_type", Map.of("timestep", Unet2D.Classes.LIKE_TIMESTEPS));
    }
    Integer count = fields.integerOrNull("num_class_embeds");
    return count == null ? Unet2D.Classes.NONE : Unet2D.Classes.table(count);
  }

  /** diffusers ignores the case of letters. */
  static Activation activation(DiffusersFields fields) {
    JsonNode name = fields.get("act_fn");
    Activation found =
        name.isTextual() ? ACTIVATIONS.get(name.textValue().toLowerCase(Locale.ROOT)) : null;
    return found != null ? found : fields.choice("act_fn", ACTIVATIONS);
  }

  private Unet2D.MiddleBlocks middleBlocks() {
    boolean withAttention = fields.flag("add_attention");
    if (fields.isNull("mid_block_type")) {
      return Unet2D.MiddleBlocks.NONE;
    }
    fields.choice("mid_block_type", Map.of(MIDDLE_BLOCK, true));
    return withAttention ? Unet2D.MiddleBlocks.RESNETS_AND_ATTENTION : Unet2D.MiddleBlocks.RESNETS;
  }

  private Unet2D.HalvingPadding padding() {
    int number = fields.integer("downsample_padding");
    for (Unet2D.HalvingPadding padding : Unet2D.HalvingPadding.values()) {
      if (padding.number() == number) {
        return padding;
      }
    }
    throw UnetLimits.refusal(
        "downsample_padding is %d; supported are 0, which pads below and on the right, and 1",
        number);
  }

  /** With null as well diffusers takes convolutions. */
  private Unet2D.Resampler resampler(String key) {
    return fields.isNull(key) ? Unet2D.Resampler.CONVOLUTION : fields.choice(key, RESAMPLERS);
  }
}
