package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The U-Net of Ho et al. 2020 and its relatives as diffusers' {@code UNet2DModel} builds it:
 * residual blocks with group normalisation, self-attention at chosen levels, the time as a shift or
 * a scale and shift of every block; and NCSN++ (Song et al. 2021b), whose blocks resample by
 * filters and carry the image along.
 *
 * <p>config.json, parameter names and results are diffusers'; {@code docs/formats.md} lists the
 * keys. Dropout is one of training alone, as in PyTorch.
 *
 * @param images what goes in and comes out
 * @param levels from the finest to the coarsest, 1 to 16; each but the last is followed by halving
 * @param time how the timesteps are embedded
 * @param classes how the classes are embedded
 * @param resnets the residual blocks
 * @param attentionHeadDim features of a head of every attention; null for one head of all channels.
 *     A level has as many heads as fit into its channels
 * @param middle what is behind the coarsest level
 * @param resampling how sizes are halved and doubled
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record Unet2D(
    Images images,
    List<Level> levels,
    Time time,
    Classes classes,
    ResnetBlocks resnets,
    Integer attentionHeadDim,
    Middle middle,
    Resampling resampling)
    implements DiffusersNetwork {

  /** The value of {@code _class_name} in config.json. */
  public static final String CLASS_NAME = "UNet2DModel";

  /** diffusers' defaults. */
  public static final Unet2D DEFAULT =
      new Unet2D(
          new Images(null, 3, 3, InputScale.AS_IT_IS),
          List.of(
              new Level(224, Block.PLAIN, Block.PLAIN),
              new Level(448, Block.ATTENTION, Block.ATTENTION),
              new Level(672, Block.ATTENTION, Block.ATTENTION),
              new Level(896, Block.ATTENTION, Block.ATTENTION)),
          new Time(4 * 224, 0, Frequencies.Order.COSINES_FIRST),
          Classes.NONE,
          new ResnetBlocks(2, Activation.SILU, 32, 1e-5, TimeConditioning.SHIFT, 0),
          8,
          new Middle(MiddleBlocks.RESNETS_AND_ATTENTION, 1, null),
          new Resampling(HalvingPadding.ALL_SIDES, Resampler.CONVOLUTION, Resampler.CONVOLUTION));

  private static final int MAX_LEVELS = 16;

  /** Residual blocks on the way down; building the graph of many more would take minutes. */
  private static final int MAX_DEPTH = 64;

  private static final int MAX_SAMPLE_SIZE = 1 << 20;

  /** Of a normalisation in {@link Block#SKIP} levels, and those of their attention. */
  static final int MAX_FILTERED_GROUPS = 32;

  /** The channels of the image that {@link Block#SKIP} levels carry along. */
  static final int CARRIED_CHANNELS = 3;

  private static final int MAX_FREQUENCY_SHIFT = 1 << 20;

  /** What is done to the images first. */
  public enum InputScale {
    /** Nothing. */
    AS_IT_IS,
    /** {@code 2x - 1}, for images in [0,1]; in diffusers {@code center_input_sample}. */
    CENTERED
  }

  /**
   * What goes in and comes out.
   *
   * @param size of the images that the network is meant for, which it does not insist on; null if
   *     unknown. In diffusers {@code sample_size}
   * @param inChannels channels of the images
   * @param outChannels channels of the output
   * @param scale what is done to the images first
   */
  public record Images(ImageSize size, int inChannels, int outChannels, InputScale scale) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Images {
      Objects.requireNonNull(scale, "scale");
      requireRange("in_channels", inChannels, 1, UnetLimits.MAX_CHANNELS);
      requireRange("out_channels", outChannels, 1, UnetLimits.MAX_CHANNELS);
    }
  }

  /**
   * A size of images.
   *
   * @param height in pixels, at least 1
   * @param width in pixels, at least 1
   */
  public record ImageSize(int height, int width) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public ImageSize {
      requireRange("sample_size", height, 1, MAX_SAMPLE_SIZE);
      requireRange("sample_size", width, 1, MAX_SAMPLE_SIZE);
    }
  }

  /** The kinds of a level's way down or up. */
  public enum Block {
    /** Residual blocks; {@code DownBlock2D} and {@code UpBlock2D}. */
    PLAIN,
    /**
     * Residual blocks with attention behind each; {@code AttnDownBlock2D}, {@code AttnUpBlock2D}.
     */
    ATTENTION,
    /**
     * Residual blocks that also do the resampling; {@code ResnetDownsampleBlock2D} and {@code
     * ResnetUpsampleBlock2D}.
     */
    RESNET,
    /**
     * Residual blocks, then a halving or doubling one with the filter (1,3,3,1), and beside them
     * the image in that size, to which every level adds; {@code SkipDownBlock2D} and {@code
     * SkipUpBlock2D} of NCSN++.
     */
    SKIP,
    /**
     * The same with attention: behind each residual block on the way down, behind all on the way
     * up; {@code AttnSkipDownBlock2D} and {@code AttnSkipUpBlock2D}.
     */
    SKIP_ATTENTION;

    boolean isSkip() {
      return this == SKIP || this == SKIP_ATTENTION;
    }

    /**
     * Whether a level of this kind has attention.
     *
     * @return true for {@link #ATTENTION} and {@link #SKIP_ATTENTION}
     */
    public boolean hasAttention() {
      return this == ATTENTION || this == SKIP_ATTENTION;
    }
  }

  /**
   * One resolution.
   *
   * @param channels of its features; one of {@code block_out_channels}
   * @param down the way down
   * @param up the way up
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

    private boolean hasAttention() {
      return down.hasAttention() || up.hasAttention();
    }
  }

  /** What the linear layers that embed the time are given. */
  public enum TimeFeatures {
    /** Sinusoids of the timestep, as many as the first level has channels; "positional". */
    POSITIONAL,
    /**
     * Sines and cosines of the logarithm of the noise level at random frequencies, twice as many;
     * the network's answer is then divided by the noise level. "fourier"
     */
    FOURIER
  }

  /**
   * How the timesteps are embedded: features, and two linear layers with SiLU between them.
   *
   * @param width of the linear layers; in diffusers {@code time_embedding_dim}, by default four
   *     times the channels of the first level
   * @param freqShift of the frequencies, less than half the channels of the first level; without
   *     effect with {@link TimeFeatures#FOURIER}
   * @param order of sines and cosines; in diffusers {@code flip_sin_to_cos}. Without effect with
   *     {@link TimeFeatures#FOURIER}
   * @param features in diffusers {@code time_embedding_type}
   */
  public record Time(int width, int freqShift, Frequencies.Order order, TimeFeatures features) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Time {
      Objects.requireNonNull(order, "order");
      Objects.requireNonNull(features, "features");
      requireRange("time_embedding_dim", width, 1, 4 * UnetLimits.MAX_CHANNELS);
      requireRange("freq_shift", freqShift, -MAX_FREQUENCY_SHIFT, MAX_FREQUENCY_SHIFT);
    }

    /**
     * Sinusoids of the timestep.
     *
     * @param width of the linear layers
     * @param freqShift of the frequencies
     * @param order of sines and cosines
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Time(int width, int freqShift, Frequencies.Order order) {
      this(width, freqShift, order, TimeFeatures.POSITIONAL);
    }
  }

  /** How labels become vectors, which are added to the embedding of the time. */
  public enum ClassEmbedding {
    /** The network knows no classes. */
    NONE,
    /** A row of a table for each class. */
    TABLE,
    /** The way of the timesteps, with linear layers of its own. */
    LIKE_TIMESTEPS
  }

  /**
   * What the network knows of classes.
   *
   * @param embedding how labels become vectors
   * @param count of labels that it can be given, from 0 on
   */
  public record Classes(ClassEmbedding embedding, int count) {

    /** No classes. */
    public static final Classes NONE = new Classes(ClassEmbedding.NONE, 0);

    /** Whole numbers as labels, embedded as timesteps are. */
    public static final Classes LIKE_TIMESTEPS =
        new Classes(ClassEmbedding.LIKE_TIMESTEPS, UnetLimits.MAX_CLASS_EMBEDDINGS);

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if the count does not go with the embedding
     */
    public Classes {
      Objects.requireNonNull(embedding, "embedding");
      switch (embedding) {
        case NONE -> requireRange("num_class_embeds", count, 0, 0);
        case TABLE -> requireRange("num_class_embeds", count, 1, UnetLimits.MAX_CLASS_EMBEDDINGS);
        case LIKE_TIMESTEPS ->
            requireRange(
                "num_class_embeds",
                count,
                UnetLimits.MAX_CLASS_EMBEDDINGS,
                UnetLimits.MAX_CLASS_EMBEDDINGS);
      }
    }

    /**
     * A row of a table for each class.
     *
     * @param count of classes, a null class included, at least 1; in diffusers {@code
     *     num_class_embeds}
     * @return the classes
     */
    public static Classes table(int count) {
      return new Classes(ClassEmbedding.TABLE, count);
    }
  }

  /** How a residual block is told the time and the class. */
  public enum TimeConditioning {
    /** A number for each channel is added before the second normalisation; "default". */
    SHIFT,
    /** The second normalisation's result is scaled and shifted; "scale_shift". */
    SCALE_SHIFT
  }

  /**
   * The residual blocks (He et al. 2015), all alike.
   *
   * @param perLevel on a level's way down; on its way up there is one more. In diffusers {@code
   *     layers_per_block}
   * @param activation between their layers; in diffusers {@code act_fn}
   * @param groups of every group normalisation but those of {@link Block#SKIP} levels, a divisor of
   *     all widths; {@code norm_num_groups}. Null for a quarter of the channels, at most 32, as
   *     {@link Block#SKIP} levels have them in any case; then all levels must be of these
   * @param epsilon of every group normalisation; {@code norm_eps}
   * @param conditioning how they are told the time; {@code resnet_time_scale_shift}
   * @param dropout probability with which elements are dropped before the second convolution in
   *     training, in [0,1)
   */
  public record ResnetBlocks(
      int perLevel,
      Activation activation,
      Integer groups,
      double epsilon,
      TimeConditioning conditioning,
      double dropout) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public ResnetBlocks {
      Objects.requireNonNull(activation, "activation");
      Objects.requireNonNull(conditioning, "conditioning");
      requireRange("layers_per_block", perLevel, 1, MAX_DEPTH);
      if (groups != null) {
        requireRange("norm_num_groups", groups, 1, UnetLimits.MAX_CHANNELS);
      }
      UnetLimits.require(
          epsilon >= 0 && Double.isFinite(epsilon),
          "norm_eps is %s; it must be finite and at least 0",
          epsilon);
      UnetLimits.requireDropout(dropout);
    }

    /** Those of a normalisation of so many channels that no {@link Block#SKIP} level has. */
    int groupsOf(int channels) {
      return groups == null ? filteredGroups(channels) : groups;
    }
  }

  /** The groups of normalisations in {@link Block#SKIP} levels. */
  static int filteredGroups(int channels) {
    return Math.min(channels / 4, MAX_FILTERED_GROUPS);
  }

  /**
   * The groups of the first normalisation of a residual block on the way up of a {@link Block#SKIP}
   * level. diffusers divides but one of the summands where the level has attention.
   */
  static int filteredGroups(Block block, int below, int skipped) {
    return block == Block.SKIP
        ? filteredGroups(below + skipped)
        : Math.min(below + skipped / 4, MAX_FILTERED_GROUPS);
  }

  /** The kinds of the network's middle. */
  public enum MiddleBlocks {
    /** Nothing. */
    NONE,
    /** Two residual blocks. */
    RESNETS,
    /** Two residual blocks with attention between them. */
    RESNETS_AND_ATTENTION
  }

  /**
   * What is behind the coarsest level.
   *
   * @param blocks which; in diffusers {@code mid_block_type} and {@code add_attention}
   * @param scaleFactor by which every block's sum with its input is divided, not 0; {@code
   *     mid_block_scale_factor}
   * @param attentionGroups of the normalisation before the attention; {@code attn_norm_num_groups}.
   *     If null, those of the residual blocks with {@link TimeConditioning#SHIFT}, and no
   *     normalisation otherwise
   */
  public record Middle(MiddleBlocks blocks, double scaleFactor, Integer attentionGroups) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Middle {
      Objects.requireNonNull(blocks, "blocks");
      UnetLimits.require(
          scaleFactor != 0 && Double.isFinite(scaleFactor),
          "mid_block_scale_factor is %s; it must be finite and not 0",
          scaleFactor);
      if (attentionGroups != null) {
        requireRange("attn_norm_num_groups", attentionGroups, 1, UnetLimits.MAX_CHANNELS);
      }
    }
  }

  /** The zeros around features that a convolution of kernel 3 and stride 2 halves. */
  public enum HalvingPadding {
    /** One on every side; {@code downsample_padding} 1. */
    ALL_SIDES(1, new Convolution(3, 2, 1)),
    /** One below and one on the right, as in Ho et al. 2020; {@code downsample_padding} 0. */
    END(0, new Convolution(3, 2, 0, 1));

    private final int number;
    private final Convolution shape;

    HalvingPadding(int number, Convolution shape) {
      this.number = number;
      this.shape = shape;
    }

    /** diffusers' number for it. */
    int number() {
      return number;
    }

    Convolution shape() {
      return shape;
    }
  }

  /** What halves or doubles features. */
  public enum Resampler {
    /** A convolution of stride 2; or repetition and a convolution. */
    CONVOLUTION,
    /** A residual block with a mean, or repetition, inside. */
    RESNET
  }

  /**
   * How sizes are halved and doubled. {@link Block#PLAIN} levels have convolutions, {@link
   * Block#RESNET} levels residual blocks in any case.
   *
   * @param padding of halving convolutions; {@code downsample_padding}
   * @param down what halves behind {@link Block#ATTENTION}; {@code downsample_type}
   * @param up what doubles behind {@link Block#ATTENTION}; {@code upsample_type}
   */
  public record Resampling(HalvingPadding padding, Resampler down, Resampler up) {

    /** Checks that nothing is missing. */
    public Resampling {
      Objects.requireNonNull(padding, "padding");
      Objects.requireNonNull(down, "down");
      Objects.requireNonNull(up, "up");
    }
  }

  /**
   * Checks that the network can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range or two do not go together
   */
  public Unet2D {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(classes, "classes");
    Objects.requireNonNull(resnets, "resnets");
    Objects.requireNonNull(middle, "middle");
    Objects.requireNonNull(resampling, "resampling");
    levels = List.copyOf(levels);
    UnetLimits.require(
        !levels.isEmpty() && levels.size() <= MAX_LEVELS,
        "block_out_channels has %d level(s); it needs 1 to %d",
        levels.size(),
        MAX_LEVELS);
    UnetLimits.require(
        levels.size() * resnets.perLevel <= MAX_DEPTH,
        "layers_per_block is %d; with %d level(s) it must be 1 to %d",
        resnets.perLevel,
        levels.size(),
        MAX_DEPTH / levels.size());
    int first = levels.get(0).channels;
    UnetLimits.require(
        first % 2 == 0, "block_out_channels starts with %d; the first must be even", first);
    UnetLimits.require(
        time.features == TimeFeatures.FOURIER || time.freqShift < first / 2,
        "freq_shift is %d; it must be less than %d, half of the first of block_out_channels",
        time.freqShift,
        first / 2);
    UnetLimits.require(
        time.features != TimeFeatures.FOURIER || classes.embedding != ClassEmbedding.LIKE_TIMESTEPS,
        "class_embed_type is \"timestep\", and time_embedding_type \"fourier\" knows no label 0; choose num_class_embeds");
    checkSkips(images, levels, resnets);
    checkGroups(levels, resnets);
    checkMiddleGroups(levels, middle);
    checkHeads(levels, attentionHeadDim, middle);
  }

  /** The carried image is halved or doubled by its own levels alone. */
  private static void checkSkips(Images images, List<Level> levels, ResnetBlocks resnets) {
    long downs = levels.stream().filter(level -> level.down.isSkip()).count();
    long ups = levels.stream().filter(level -> level.up.isSkip()).count();
    UnetLimits.require(
        downs == 0 || downs == levels.size(),
        "down_block_types has %d of %d entries that carry the image along (SkipDownBlock2D, AttnSkipDownBlock2D); it must be all or none",
        downs,
        levels.size());
    UnetLimits.require(
        ups == 0 || ups == levels.size(),
        "up_block_types has %d of %d entries that carry the image along (SkipUpBlock2D, AttnSkipUpBlock2D); it must be all or none",
        ups,
        levels.size());
    UnetLimits.require(
        downs == 0 || images.inChannels == CARRIED_CHANNELS,
        "in_channels is %d; with SkipDownBlock2D or AttnSkipDownBlock2D it must be %d",
        images.inChannels,
        CARRIED_CHANNELS);
    UnetLimits.require(
        ups == 0 || images.outChannels == CARRIED_CHANNELS,
        "out_channels is %d; with SkipUpBlock2D or AttnSkipUpBlock2D it must be %d",
        images.outChannels,
        CARRIED_CHANNELS);
    UnetLimits.require(
        resnets.groups != null || downs + ups == 2L * levels.size(),
        "norm_num_groups is null, which only networks of nothing but SkipDownBlock2D, SkipUpBlock2D and these with attention can have; choose a number");
  }

  /**
   * The residual block that normalises the widest features has them from the level below and from
   * the way down.
   */
  private static void checkGroups(List<Level> levels, ResnetBlocks resnets) {
    int x = levels.get(0).channels;
    Deque<Integer> skips = new ArrayDeque<>(List.of(x));
    for (int i = 0; i < levels.size(); i++) {
      Level level = levels.get(i);
      for (int layer = 0; layer < resnets.perLevel; layer++) {
        String name = Text.format("down_blocks.%d.resnets.%d", i, layer);
        boolean skip = level.down.isSkip();
        requireDivides(skip ? filteredGroups(x) : resnets.groupsOf(x), x, name);
        x = level.channels;
        requireDivides(skip ? filteredGroups(x) : resnets.groupsOf(x), x, name);
        skips.push(x);
      }
      checkFilteredAttention(level.down, level.channels, "down_blocks." + i);
      if (i + 1 < levels.size()) {
        skips.push(x);
      }
    }
    requireDivides(resnets.groupsOf(x), x, "mid_block");
    for (int i = 0; i < levels.size(); i++) {
      Level level = levels.get(levels.size() - 1 - i);
      for (int layer = 0; layer <= resnets.perLevel; layer++) {
        String name = Text.format("up_blocks.%d.resnets.%d", i, layer);
        int skipped = skips.pop();
        int groups =
            level.up.isSkip()
                ? filteredGroups(level.up, x, skipped)
                : resnets.groupsOf(x + skipped);
        requireDivides(groups, x + skipped, name);
        x = level.channels;
        requireDivides(level.up.isSkip() ? filteredGroups(x) : resnets.groupsOf(x), x, name);
      }
      checkFilteredAttention(level.up, level.channels, "up_blocks." + i);
    }
    requireDivides(resnets.groupsOf(x), x, "conv_norm_out");
  }

  private static void checkFilteredAttention(Block block, int channels, String name) {
    if (block == Block.SKIP_ATTENTION) {
      requireDivides(MAX_FILTERED_GROUPS, channels, name + ".attentions");
    }
  }

  private static void requireDivides(int groups, int channels, String where) {
    UnetLimits.require(
        groups > 0 && channels % groups == 0,
        "norm_num_groups is %d, which does not divide the %d channel(s) in %s; choose a divisor of"
            + " all block_out_channels",
        groups,
        channels,
        where);
  }

  private static void checkMiddleGroups(List<Level> levels, Middle middle) {
    int channels = levels.get(levels.size() - 1).channels;
    UnetLimits.require(
        middle.blocks != MiddleBlocks.RESNETS_AND_ATTENTION
            || middle.attentionGroups == null
            || channels % middle.attentionGroups == 0,
        "attn_norm_num_groups is %d, which does not divide the %d channel(s) in mid_block; choose a"
            + " divisor",
        middle.attentionGroups,
        channels);
  }

  private static void checkHeads(List<Level> levels, Integer headDim, Middle middle) {
    if (headDim == null) {
      return;
    }
    requireRange("attention_head_dim", headDim, 1, UnetLimits.MAX_CHANNELS);
    for (int i = 0; i < levels.size(); i++) {
      boolean beforeMiddle =
          i == levels.size() - 1 && middle.blocks == MiddleBlocks.RESNETS_AND_ATTENTION;
      if (levels.get(i).hasAttention() || beforeMiddle) {
        UnetLimits.require(
            headDim <= levels.get(i).channels,
            "attention_head_dim is %d, but a level with attention has %d channel(s); choose fewer, or"
                + " null for one head",
            headDim,
            levels.get(i).channels);
      }
    }
  }

  private static void requireRange(String key, int value, int least, int greatest) {
    UnetLimits.require(
        value >= least && value <= greatest,
        "%s is %d; it must be %d to %d",
        key,
        value,
        least,
        greatest);
  }

  /**
   * A network with diffusers' defaults in everything but this. The channels of all levels must then
   * be multiples of 32.
   *
   * @param channels of the images and of the output
   * @param levels from the finest to the coarsest
   * @return the architecture
   */
  public static Unet2D of(int channels, List<Level> levels) {
    return of(channels, levels, DEFAULT.resnets.groups);
  }

  /**
   * A network with diffusers' defaults in everything but this.
   *
   * @param channels of the images and of the output
   * @param levels from the finest to the coarsest
   * @param groups of every group normalisation, a divisor of the channels of all levels
   * @return the architecture
   */
  public static Unet2D of(int channels, List<Level> levels, int groups) {
    Objects.requireNonNull(levels, "levels");
    UnetLimits.require(!levels.isEmpty(), "block_out_channels has no levels; it needs at least 1");
    return new Unet2D(
        new Images(null, channels, channels, DEFAULT.images.scale),
        levels,
        new Time(4 * levels.get(0).channels, DEFAULT.time.freqShift, DEFAULT.time.order),
        DEFAULT.classes,
        new ResnetBlocks(
            DEFAULT.resnets.perLevel,
            DEFAULT.resnets.activation,
            groups,
            DEFAULT.resnets.epsilon,
            DEFAULT.resnets.conditioning,
            DEFAULT.resnets.dropout),
        DEFAULT.attentionHeadDim,
        DEFAULT.middle,
        DEFAULT.resampling);
  }

  /**
   * The network of Ho et al. 2020 for CIFAR-10, in diffusers' google/ddpm-cifar10-32: four levels
   * of 128, 256, 256 and 256 channels, attention at 16x16, 35,746,307 parameters.
   *
   * @return the architecture
   */
  public static Unet2D cifar10() {
    Level plain = new Level(256, Block.PLAIN, Block.PLAIN);
    List<Level> levels =
        List.of(
            new Level(128, Block.PLAIN, Block.PLAIN),
            new Level(256, Block.ATTENTION, Block.ATTENTION),
            plain,
            plain);
    return of(3, levels)
        .withSampleSize(new ImageSize(32, 32))
        .withTime(new Time(4 * 128, 1, Frequencies.Order.SINES_FIRST))
        .withResnets(
            new ResnetBlocks(
                DEFAULT.resnets.perLevel,
                DEFAULT.resnets.activation,
                DEFAULT.resnets.groups,
                1e-6,
                DEFAULT.resnets.conditioning,
                DEFAULT.resnets.dropout))
        .withAttentionHeadDim(null)
        .withResampling(
            new Resampling(HalvingPadding.END, DEFAULT.resampling.down, DEFAULT.resampling.up));
  }

  /**
   * The same network for other images.
   *
   * @param newImages what goes in and comes out
   * @return the architecture
   */
  public Unet2D withImages(Images newImages) {
    return new Unet2D(
        newImages, levels, time, classes, resnets, attentionHeadDim, middle, resampling);
  }

  /**
   * The same network, meant for images of another size.
   *
   * @param size of the images, or null
   * @return the architecture
   */
  @Override
  public Unet2D withSampleSize(ImageSize size) {
    return withImages(new Images(size, images.inChannels, images.outChannels, images.scale));
  }

  /**
   * The same network with another number of channels at its end, as a learned variance needs it
   * (Nichol and Dhariwal 2021).
   *
   * @param count channels of the output
   * @return the architecture
   */
  public Unet2D withOutChannels(int count) {
    return withImages(new Images(images.size, images.inChannels, count, images.scale));
  }

  /**
   * The same network with another embedding of the time.
   *
   * @param newTime how the timesteps are embedded
   * @return the architecture
   */
  public Unet2D withTime(Time newTime) {
    return new Unet2D(
        images, levels, newTime, classes, resnets, attentionHeadDim, middle, resampling);
  }

  /**
   * The same network for images with classes.
   *
   * @param newClasses how the classes are embedded
   * @return the architecture
   */
  public Unet2D withClasses(Classes newClasses) {
    return new Unet2D(
        images, levels, time, newClasses, resnets, attentionHeadDim, middle, resampling);
  }

  /**
   * The same network for images with classes.
   *
   * @param count rows of the class embedding, a null class included; 0 for none
   * @return the architecture
   */
  public Unet2D withClassEmbeddings(int count) {
    return withClasses(count == 0 ? Classes.NONE : Classes.table(count));
  }

  /**
   * The same network with other residual blocks.
   *
   * @param newResnets the residual blocks
   * @return the architecture
   */
  public Unet2D withResnets(ResnetBlocks newResnets) {
    return new Unet2D(
        images, levels, time, classes, newResnets, attentionHeadDim, middle, resampling);
  }

  /**
   * The same network with another dropout in its residual blocks.
   *
   * @param probability of an element to be dropped in training, in [0,1)
   * @return the architecture
   * @throws IllegalArgumentException if the probability is outside its range
   */
  public Unet2D withDropout(double probability) {
    return withResnets(
        new ResnetBlocks(
            resnets.perLevel,
            resnets.activation,
            resnets.groups,
            resnets.epsilon,
            resnets.conditioning,
            probability));
  }

  /**
   * The same network with other attention.
   *
   * @param headDim features of a head; null for one head of all channels
   * @return the architecture
   */
  public Unet2D withAttentionHeadDim(Integer headDim) {
    return new Unet2D(images, levels, time, classes, resnets, headDim, middle, resampling);
  }

  /**
   * The same network with other resampling.
   *
   * @param newResampling how sizes are halved and doubled
   * @return the architecture
   */
  public Unet2D withResampling(Resampling newResampling) {
    return new Unet2D(
        images, levels, time, classes, resnets, attentionHeadDim, middle, newResampling);
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static Unet2D fromJson(JsonNode json) {
    return Unet2DJson.read(json);
  }

  @JsonValue
  Map<String, Object> toJson() {
    return Collections.unmodifiableMap(Unet2DJson.write(this));
  }

  @Override
  public String className() {
    return CLASS_NAME;
  }

  @Override
  public Optional<ImageSize> sampleSize() {
    return Optional.ofNullable(images.size);
  }

  @Override
  public int inChannels() {
    return images.inChannels;
  }

  @Override
  public int outChannels() {
    return images.outChannels;
  }

  @Override
  public int sizeDivisor() {
    return 1 << (levels.size() - 1);
  }

  /** The numbers of labels, or 0; with {@link Classes#LIKE_TIMESTEPS} there is no table of rows. */
  @Override
  public int classEmbeddings() {
    return classes.count;
  }

  @Override
  public double dropout() {
    return resnets.dropout;
  }

  /** Attention's former names are those of today in all else. */
  @Override
  public String parameterName(String tensorName) {
    return FormerNames.today(tensorName);
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new Unet2DGraph(this, modules, t, labels).unet(x);
  }
}
