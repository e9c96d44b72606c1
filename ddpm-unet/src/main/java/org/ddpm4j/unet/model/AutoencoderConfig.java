package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The architecture of an autoencoder of latent diffusion (Rombach et al. 2022), as diffusers'
 * {@code AutoencoderKL} and {@code VQModel} build it: an encoder that halves images level by level,
 * and a decoder that doubles them again. Diffusion goes on between the two, in latents.
 *
 * <p>config.json, parameter names and results are diffusers'; {@code docs/formats.md} lists the
 * keys.
 *
 * @param images what goes in and comes out
 * @param levels from the finest to the coarsest, 1 to {@value #MAX_LEVELS}; each but the last is
 *     followed by halving
 * @param blocks the residual blocks
 * @param latents what is between encoder and decoder
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record AutoencoderConfig(Images images, List<Level> levels, Blocks blocks, Latents latents) {

  /** The greatest number of levels. */
  public static final int MAX_LEVELS = 8;

  /** diffusers' scaling factor where a file says none, that of Stable Diffusion's autoencoder. */
  public static final double DEFAULT_SCALING_FACTOR = 0.18215;

  private static final int MAX_CODES = 1 << 20;
  private static final int MAX_DEPTH = 64;

  /**
   * What goes in and comes out.
   *
   * @param size of the images that it was trained with, which it does not insist on; in diffusers
   *     {@code sample_size}
   * @param inChannels channels of the images
   * @param outChannels channels of the decoded images
   */
  public record Images(Unet2D.ImageSize size, int inChannels, int outChannels) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Images {
      Objects.requireNonNull(size, "size");
      requireRange("in_channels", inChannels, 1, UnetLimits.MAX_CHANNELS);
      requireRange("out_channels", outChannels, 1, UnetLimits.MAX_CHANNELS);
    }
  }

  /** The kinds of a level's way down or up. */
  public enum Block {
    /** Residual blocks; {@code DownEncoderBlock2D} and {@code UpDecoderBlock2D}. */
    PLAIN,
    /**
     * Residual blocks with attention behind each; {@code AttnDownEncoderBlock2D} and {@code
     * AttnUpDecoderBlock2D}.
     */
    ATTENTION
  }

  /**
   * One resolution.
   *
   * @param channels of its features; one of {@code block_out_channels}
   * @param down the way down, in the encoder
   * @param up the way up, in the decoder
   */
  public record Level(int channels, Block down, Block up) {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if the channels are outside their range
     */
    public Level {
      Objects.requireNonNull(down, "down");
      Objects.requireNonNull(up, "up");
      requireRange("block_out_channels", channels, 1, UnetLimits.MAX_CHANNELS);
    }
  }

  /** What is behind the coarsest level, in the encoder and before it in the decoder. */
  public enum MiddleBlocks {
    /** Two residual blocks. */
    RESNETS,
    /** Two residual blocks with attention between them. */
    RESNETS_AND_ATTENTION
  }

  /**
   * The residual blocks, all alike.
   *
   * @param perLevel on a level's way down; on its way up there is one more. In diffusers {@code
   *     layers_per_block}
   * @param activation between their layers; in diffusers {@code act_fn}
   * @param groups of every group normalisation, a divisor of all widths; {@code norm_num_groups}
   * @param middle the coarsest; {@code mid_block_add_attention}
   */
  public record Blocks(int perLevel, Activation activation, int groups, MiddleBlocks middle) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Blocks {
      Objects.requireNonNull(activation, "activation");
      Objects.requireNonNull(middle, "middle");
      requireRange("layers_per_block", perLevel, 1, MAX_DEPTH);
      requireRange("norm_num_groups", groups, 1, UnetLimits.MAX_CHANNELS);
    }
  }

  /** What it does where its caller computes in half precision. */
  public enum HalfPrecision {
    /** As its caller computes; {@code force_upcast} false. */
    AS_ASKED,
    /** In single precision in any case; {@code force_upcast} true. It is so here. */
    NEVER
  }

  /** What is between encoder and decoder. */
  public sealed interface Latents permits Gaussian, Quantized {

    /** {@return the width between encoder and decoder, {@code latent_channels}} */
    int channels();

    /**
     * What latents are multiplied by before diffusion sees them, so that their variance is about 1.
     *
     * @return {@code scaling_factor}
     */
    double scalingFactor();

    /**
     * What it does where half precision is asked for. Without effect here.
     *
     * @return {@code force_upcast}
     */
    HalfPrecision halfPrecision();

    /** {@return the channels of the states of diffusion, at least 1} */
    int stateChannels();
  }

  /** Whether there is a convolution of kernel 1 beside the latents. */
  public enum Convolution {
    /** None. */
    NONE,
    /** One of as many channels as it is given. */
    POINTWISE
  }

  /**
   * Means and log-variances, {@code AutoencoderKL} (Kingma and Welling 2014).
   *
   * @param channels {@code latent_channels}
   * @param scalingFactor {@code scaling_factor}, finite and not 0
   * @param behindEncoder {@code use_quant_conv}
   * @param beforeDecoder {@code use_post_quant_conv}
   * @param halfPrecision {@code force_upcast}
   */
  public record Gaussian(
      int channels,
      double scalingFactor,
      Convolution behindEncoder,
      Convolution beforeDecoder,
      HalfPrecision halfPrecision)
      implements Latents {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Gaussian {
      Objects.requireNonNull(behindEncoder, "behindEncoder");
      Objects.requireNonNull(beforeDecoder, "beforeDecoder");
      Objects.requireNonNull(halfPrecision, "halfPrecision");
      requireRange("latent_channels", channels, 1, UnetLimits.MAX_CHANNELS);
      requireScale(scalingFactor);
    }

    @Override
    public int stateChannels() {
      return channels;
    }
  }

  /** What an answer of the encoder's may be given as, when nothing is to be quantised. */
  public enum Lookup {
    /** As vectors; {@code lookup_from_codebook} false. */
    VECTORS,
    /** As the numbers of vectors; {@code lookup_from_codebook} true. */
    NUMBERS
  }

  /**
   * Vectors of a codebook, {@code VQModel} (van den Oord et al. 2017).
   *
   * @param channels {@code latent_channels}
   * @param scalingFactor {@code scaling_factor}, finite and not 0
   * @param codes how many vectors there are; {@code num_vq_embeddings}
   * @param width of each; {@code vq_embed_dim}, in diffusers by default as many as the channels
   * @param lookup {@code lookup_from_codebook}; it tells callers what to give and changes nothing
   *     of the network
   * @param halfPrecision {@code force_upcast}
   */
  public record Quantized(
      int channels,
      double scalingFactor,
      int codes,
      int width,
      Lookup lookup,
      HalfPrecision halfPrecision)
      implements Latents {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Quantized {
      Objects.requireNonNull(lookup, "lookup");
      Objects.requireNonNull(halfPrecision, "halfPrecision");
      requireRange("latent_channels", channels, 1, UnetLimits.MAX_CHANNELS);
      requireRange("num_vq_embeddings", codes, 1, MAX_CODES);
      requireRange("vq_embed_dim", width, 1, UnetLimits.MAX_CHANNELS);
      requireScale(scalingFactor);
    }

    @Override
    public int stateChannels() {
      return width;
    }
  }

  /**
   * Checks that the autoencoder can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range or two do not go together
   */
  public AutoencoderConfig {
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(blocks, "blocks");
    Objects.requireNonNull(latents, "latents");
    levels = List.copyOf(levels);
    require(
        !levels.isEmpty() && levels.size() <= MAX_LEVELS,
        "block_out_channels has %d level(s); it needs 1 to %d",
        levels.size(),
        MAX_LEVELS);
    require(
        levels.size() * blocks.perLevel <= MAX_DEPTH,
        "layers_per_block is %d; with %d level(s) it must be 1 to %d",
        blocks.perLevel,
        levels.size(),
        MAX_DEPTH / levels.size());
    for (Level level : levels) {
      require(
          level.channels % blocks.groups == 0,
          "norm_num_groups is %d, which does not divide %d of block_out_channels; choose a divisor of all",
          blocks.groups,
          level.channels);
    }
  }

  static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(
          AutoencoderJson.REFUSAL + Text.format(sentence, values) + ".");
    }
  }

  private static void requireRange(String key, int value, int least, int greatest) {
    require(
        value >= least && value <= greatest,
        "%s is %d; it must be %d to %d",
        key,
        value,
        least,
        greatest);
  }

  private static void requireScale(double factor) {
    require(
        factor != 0 && Double.isFinite(factor),
        "scaling_factor is %s; it must be finite and not 0",
        factor);
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static AutoencoderConfig fromJson(JsonNode json) {
    return AutoencoderJson.read(json);
  }

  @JsonValue
  Map<String, Object> toJson() {
    return Collections.unmodifiableMap(AutoencoderJson.write(this));
  }

  /**
   * The class that diffusers has for it.
   *
   * @return the value of {@code _class_name}
   */
  public String className() {
    return latents instanceof Gaussian ? AutoencoderJson.GAUSSIAN : AutoencoderJson.QUANTIZED;
  }

  /**
   * The parameter that a tensor of a file is meant for, since names have changed over time.
   *
   * @param tensorName a name in a file, of today or of former times
   * @return the name of today; the same where it is unknown
   */
  public static String parameterName(String tensorName) {
    return FormerNames.today(tensorName);
  }

  /**
   * How many pixels a latent stands for in height and in width.
   *
   * @return 2 to the power of the number of levels less one
   */
  public int pixelsPerLatent() {
    return 1 << (levels.size() - 1);
  }

  /**
   * The network that makes latents of images.
   *
   * @return its architecture
   */
  public UnetConfig encoder() {
    return new Encoder(this);
  }

  /**
   * The network that makes images of latents.
   *
   * @return its architecture
   */
  public UnetConfig decoder() {
    return new Decoder(this);
  }

  /** Whose answers are means and log-variances, or vectors. */
  private record Encoder(AutoencoderConfig whole) implements UnetConfig {

    @Override
    public int inChannels() {
      return whole.images.inChannels;
    }

    @Override
    public int outChannels() {
      return AutoencoderGraph.encodedChannels(whole.latents);
    }

    @Override
    public int sizeDivisor() {
      return whole.pixelsPerLatent();
    }

    /** Latents have no learned variance of the images. */
    @Override
    public boolean learnsVariance() {
      return false;
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      return new AutoencoderGraph(whole, modules).encoder(x);
    }
  }

  /** Whose images are as many times as large as the latents. */
  private record Decoder(AutoencoderConfig whole) implements UnetConfig {

    @Override
    public int inChannels() {
      return whole.latents.stateChannels();
    }

    @Override
    public int outChannels() {
      return whole.images.outChannels;
    }

    @Override
    public int sizeDivisor() {
      return 1;
    }

    @Override
    public boolean learnsVariance() {
      return false;
    }

    @Override
    public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
      return new AutoencoderGraph(whole, modules).decoder(x);
    }
  }
}
