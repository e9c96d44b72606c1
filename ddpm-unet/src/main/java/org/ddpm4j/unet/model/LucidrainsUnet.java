package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The U-Net of lucidrains' {@code denoising-diffusion-pytorch}, release 1.8 and later: per level
 * two residual blocks, which are told the time by scale and shift, and attention, by default linear
 * at all levels but the last. Since release 2 blocks are normalised by their root mean square,
 * before in groups of channels; attention has memories since release 1.9.
 *
 * <p>There are two of them. The plain one has memories for its attention and halves by a
 * convolution of two by two pixels, which is his pixel-unshuffle followed by a pointwise one. The
 * one for classes, of {@code classifier_free_guidance.py}, has neither: its convolutions halve by
 * kernels of four, and its blocks are told the class beside the time.
 *
 * <p>Parameters have PyTorch's names. Two differ in shape from a state dict of his: {@code
 * downs.…3.1.weight} is {@code [out,in,2,2]}, where his is {@code [out,4·in,1,1]} of the same
 * numbers, and {@code classes_emb.weight} has the null class as its last row, which is his {@code
 * null_classes_emb}.
 *
 * @param dim base number of channels, at least 1; even and at least 4 with sinusoidal times
 * @param initDim channels of the first convolution
 * @param channels of the images
 * @param outChannels of the output; his {@code out_dim}
 * @param dimMults channels of each level as multiples of dim
 * @param estimate whether the network is given its own estimate of the images; not with classes
 * @param time how it is told the time
 * @param attentions of each level
 * @param middle the attention between the last level down and the first one up, which is full
 * @param memories learned keys and values of every attention; 0 with classes
 * @param classEmbeddings rows of the class embedding, the last of which is the null class; 0 for
 *     the plain network. In JSON {@code num_class_embeds}
 * @param resnetBlockGroups groups in which the blocks are normalised, a divisor of all their
 *     widths; {@value #ROOT_MEAN_SQUARE} where they are normalised by their root mean square
 * @param dropout probability with which blocks drop elements before their second convolution in
 *     training, in [0,1)
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record LucidrainsUnet(
    int dim,
    int initDim,
    int channels,
    int outChannels,
    List<Integer> dimMults,
    Estimate estimate,
    Time time,
    List<Attention> attentions,
    Attention middle,
    int memories,
    int classEmbeddings,
    int resnetBlockGroups,
    double dropout)
    implements UnetConfig {

  /** The greatest number of levels, far beyond any real network. */
  public static final int MAX_LEVELS = 16;

  /** No groups: each position is divided by the root mean square of its channels. */
  public static final int ROOT_MEAN_SQUARE = 0;

  /** His {@code resnet_block_groups}, where nothing else is said. */
  public static final int DEFAULT_GROUPS = 8;

  /** His {@code dropout}, where nothing else is said. */
  public static final double DEFAULT_DROPOUT = 0;

  /** PyTorch's default. */
  static final double GROUP_EPSILON = 1e-5;

  private static final List<Integer> DEFAULT_DIM_MULTS = List.of(1, 2, 4, 8);
  private static final int DEFAULT_CHANNELS = 3;
  private static final int DEFAULT_HEADS = 4;
  private static final int DEFAULT_HEAD_DIM = 32;
  private static final int DEFAULT_MEMORIES = 4;
  private static final int DEFAULT_SINUSOIDAL_DIM = 16;

  /** Whether the network sees what it said before. */
  public enum Estimate {
    /** It sees the noisy images alone. */
    NONE,
    /** Before the noisy images stands an estimate of the clean ones (Chen et al. 2022). */
    CONCATENATED
  }

  /** What the frequencies of the time are. */
  public enum Frequencies {
    /** Those of Ho et al. 2020, as wide as dim. */
    SINUSOIDAL,
    /** Parameters; the time itself stands before their sines and cosines. */
    LEARNED,
    /** The same, as they were drawn. */
    RANDOM
  }

  /**
   * How the network is told the time.
   *
   * @param frequencies of its sines and cosines
   * @param width of both together, even, at least 2; of sinusoidal times it is dim
   */
  public record Time(Frequencies frequencies, int width) {

    /**
     * Checks that there are frequencies.
     *
     * @throws IllegalArgumentException if the width is out of its range
     */
    public Time {
      Objects.requireNonNull(frequencies, "frequencies");
      UnetLimits.require(
          width >= 2 && width % 2 == 0 && width <= UnetLimits.MAX_CHANNELS,
          "learned_sinusoidal_dim is %d; it must be even, from 2 to %d",
          width,
          UnetLimits.MAX_CHANNELS);
    }
  }

  /** Kinds of attention. */
  public enum AttentionKind {
    /** Of every position to every other (Vaswani et al. 2017). */
    FULL,
    /** At a cost linear in the positions (Shen et al. 2018). */
    LINEAR
  }

  /**
   * An attention.
   *
   * @param kind full or linear
   * @param heads at least 1
   * @param headDim width of each head, at least 1
   */
  public record Attention(AttentionKind kind, int heads, int headDim) {

    /**
     * Checks that the heads are not too wide.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Attention {
      Objects.requireNonNull(kind, "kind");
      UnetLimits.require(heads >= 1, "attn_heads has a %d; it must be at least 1", heads);
      UnetLimits.require(headDim >= 1, "attn_dim_head has a %d; it must be at least 1", headDim);
      UnetLimits.require(
          (long) heads * headDim <= UnetLimits.MAX_CHANNELS,
          "%d attention heads of width %d have more than %d channels",
          heads,
          headDim,
          UnetLimits.MAX_CHANNELS);
    }

    /** The usual heads. */
    static Attention usual(AttentionKind kind) {
      return new Attention(kind, DEFAULT_HEADS, DEFAULT_HEAD_DIM);
    }

    int features() {
      return heads * headDim;
    }
  }

  /**
   * Checks that the network can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public LucidrainsUnet {
    Objects.requireNonNull(attentions, "attentions");
    Objects.requireNonNull(estimate, "estimate");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(middle, "middle");
    Objects.requireNonNull(dimMults, "dimMults");
    UnetLimits.require(
        dimMults.stream().allMatch(Objects::nonNull),
        "dim_mults is %s; every multiple must be a number",
        dimMults);
    dimMults = List.copyOf(dimMults);
    attentions = List.copyOf(attentions);
    int base = dim;
    UnetLimits.require(
        dim >= 1 && dim <= UnetLimits.MAX_CHANNELS,
        "dim is %d; it must be from 1 to %d",
        dim,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.require(
        initDim >= 1 && initDim <= UnetLimits.MAX_CHANNELS,
        "init_dim is %d; it must be from 1 to %d",
        initDim,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.requireImageChannels(channels);
    UnetLimits.requireOutChannels(outChannels);
    UnetLimits.requireClassEmbeddings(classEmbeddings);
    UnetLimits.require(
        !dimMults.isEmpty() && dimMults.size() <= MAX_LEVELS,
        "dim_mults is %s; it needs 1 to %d levels",
        dimMults,
        MAX_LEVELS);
    UnetLimits.require(
        dimMults.stream()
            .allMatch(mult -> mult >= 1 && (long) mult * base <= UnetLimits.MAX_CHANNELS),
        "dim_mults is %s at dim %d; every multiple must be at least 1, and a level cannot have more than %d channels",
        dimMults,
        dim,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.require(
        attentions.size() == dimMults.size(),
        "there are %d attentions for %d levels; each has one",
        attentions.size(),
        dimMults.size());
    UnetLimits.require(
        middle.kind() == AttentionKind.FULL, "the attention in the middle is linear; it is full");
    if (time.frequencies() == Frequencies.SINUSOIDAL) {
      UnetLimits.require(
          dim >= 4 && dim % 2 == 0 && time.width() == dim,
          "dim is %d, and sinusoidal times are %d wide; both must be the same, even and at least 4",
          dim,
          time.width());
    }
    UnetLimits.require(
        memories >= 0 && memories <= UnetLimits.MAX_CHANNELS,
        "num_mem_kv is %d; it must be 0 to %d",
        memories,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.require(
        estimate == Estimate.NONE || (outChannels == channels && classEmbeddings == 0),
        "self_condition is true; then the network answers with as many channels as the images have and is told no classes");
    UnetLimits.require(
        classEmbeddings == 0 || (memories == 0 && classEmbeddings >= 2),
        "num_class_embeds is %d and num_mem_kv %d; a network that is told classes has no memories, and a class beside the null class",
        classEmbeddings,
        memories);
    UnetLimits.require(
        resnetBlockGroups == ROOT_MEAN_SQUARE
            || (resnetBlockGroups > 0
                && initDim % resnetBlockGroups == 0
                && dimMults.stream().allMatch(mult -> mult * base % resnetBlockGroups == 0)),
        "resnet_block_groups is %d; it must divide the channels of every level, %s times %d, and init_dim, %d",
        resnetBlockGroups,
        dimMults,
        dim,
        initDim);
    UnetLimits.requireDropout(dropout);
  }

  /**
   * With his defaults: linear attention at all levels but the last, four heads of 32 and four
   * memories, sinusoidal times.
   *
   * @param dim base number of channels, even, at least 4
   * @param channels of the images
   * @param dimMults channels of each level as multiples of dim
   * @return the architecture
   */
  public static LucidrainsUnet of(int dim, int channels, List<Integer> dimMults) {
    return new LucidrainsUnet(
        dim,
        dim,
        channels,
        channels,
        dimMults,
        Estimate.NONE,
        new Time(Frequencies.SINUSOIDAL, dim),
        attentions(dimMults.size(), AttentionKind.FULL),
        Attention.usual(AttentionKind.FULL),
        DEFAULT_MEMORIES,
        0,
        ROOT_MEAN_SQUARE,
        DEFAULT_DROPOUT);
  }

  /**
   * For images with classes, as {@code classifier_free_guidance.py} has it by default.
   *
   * @param dim base number of channels, even, at least 4
   * @param channels of the images
   * @param dimMults channels of each level as multiples of dim
   * @param classes how many, without the null class
   * @return the architecture
   */
  public static LucidrainsUnet ofClasses(
      int dim, int channels, List<Integer> dimMults, int classes) {
    return new LucidrainsUnet(
        dim,
        dim,
        channels,
        channels,
        dimMults,
        Estimate.NONE,
        new Time(Frequencies.SINUSOIDAL, dim),
        attentions(dimMults.size(), AttentionKind.LINEAR),
        Attention.usual(AttentionKind.FULL),
        0,
        classes + 1,
        ROOT_MEAN_SQUARE,
        DEFAULT_DROPOUT);
  }

  private static List<Attention> attentions(int levels, AttentionKind last) {
    List<Attention> all =
        new ArrayList<>(Collections.nCopies(levels, Attention.usual(AttentionKind.LINEAR)));
    if (levels > 0) {
      all.set(levels - 1, Attention.usual(last));
    }
    return all;
  }

  /**
   * The same network with an estimate of its own before the images.
   *
   * @return the architecture
   * @throws IllegalArgumentException if it is told classes or answers with other channels
   */
  public LucidrainsUnet withSelfConditioning() {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        outChannels,
        dimMults,
        Estimate.CONCATENATED,
        time,
        attentions,
        middle,
        memories,
        classEmbeddings,
        resnetBlockGroups,
        dropout);
  }

  /**
   * The same network with another number of channels at its end.
   *
   * @param count channels of the output
   * @return the architecture
   */
  public LucidrainsUnet withOutChannels(int count) {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        count,
        dimMults,
        estimate,
        time,
        attentions,
        middle,
        memories,
        classEmbeddings,
        resnetBlockGroups,
        dropout);
  }

  /**
   * The same network with blocks that are normalised otherwise.
   *
   * @param groups a divisor of all widths, or {@value #ROOT_MEAN_SQUARE}
   * @param keptMemories learned keys and values of every attention; none before release 1.9
   * @return the architecture
   */
  public LucidrainsUnet withGroups(int groups, int keptMemories) {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        outChannels,
        dimMults,
        estimate,
        time,
        attentions,
        middle,
        keptMemories,
        classEmbeddings,
        groups,
        dropout);
  }

  /**
   * The same network with dropout at the end of each block's first half, behind its activation:
   * his, of the plain network, since release 2.0.7. The one for classes has none of his, and has it
   * in the same place here.
   *
   * @param probability of an element to be dropped in training, in [0,1)
   * @return the architecture
   * @throws IllegalArgumentException if the probability is outside its range
   */
  public LucidrainsUnet withDropout(double probability) {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        outChannels,
        dimMults,
        estimate,
        time,
        attentions,
        middle,
        memories,
        classEmbeddings,
        resnetBlockGroups,
        probability);
  }

  /**
   * The same network with other times.
   *
   * @param newTime how it is told the time
   * @return the architecture
   */
  public LucidrainsUnet withTime(Time newTime) {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        outChannels,
        dimMults,
        estimate,
        newTime,
        attentions,
        middle,
        memories,
        classEmbeddings,
        resnetBlockGroups,
        dropout);
  }

  /**
   * The same network with other attention.
   *
   * @param ofLevels one for each level
   * @param inTheMiddle full attention
   * @return the architecture
   */
  public LucidrainsUnet withAttention(List<Attention> ofLevels, Attention inTheMiddle) {
    return new LucidrainsUnet(
        dim,
        initDim,
        channels,
        outChannels,
        dimMults,
        estimate,
        time,
        ofLevels,
        inTheMiddle,
        memories,
        classEmbeddings,
        resnetBlockGroups,
        dropout);
  }

  @JsonCreator
  static LucidrainsUnet fromJson(
      @JsonProperty(value = "dim", required = true) int dim,
      @JsonProperty("init_dim") Integer initDim,
      @JsonProperty("channels") Integer channels,
      @JsonProperty("out_dim") Integer outDim,
      @JsonProperty("dim_mults") List<Integer> dimMults,
      @JsonProperty("self_condition") Boolean selfCondition,
      @JsonProperty("learned_sinusoidal_cond") Boolean learnedFrequencies,
      @JsonProperty("random_fourier_features") Boolean randomFrequencies,
      @JsonProperty("learned_sinusoidal_dim") Integer learnedSinusoidalDim,
      @JsonProperty("full_attn") List<Boolean> fullAttention,
      @JsonProperty("attn_heads") List<Integer> heads,
      @JsonProperty("attn_dim_head") List<Integer> headDims,
      @JsonProperty("mid_attn_heads") Integer middleHeads,
      @JsonProperty("mid_attn_dim_head") Integer middleHeadDim,
      @JsonProperty("num_mem_kv") Integer memories,
      @JsonProperty("num_class_embeds") Integer classEmbeddings,
      @JsonProperty("resnet_block_groups") Integer resnetBlockGroups,
      @JsonProperty("dropout") Double dropout) {
    List<Integer> mults = Objects.requireNonNullElse(dimMults, DEFAULT_DIM_MULTS);
    int imageChannels = Objects.requireNonNullElse(channels, DEFAULT_CHANNELS);
    int classes = Objects.requireNonNullElse(classEmbeddings, 0);
    List<Attention> usual =
        attentions(
            Math.min(mults.size(), MAX_LEVELS + 1),
            classes == 0 ? AttentionKind.FULL : AttentionKind.LINEAR);
    List<Attention> attentions = attentionOfLevels(usual, fullAttention, heads, headDims);
    Attention last =
        attentions.isEmpty()
            ? Attention.usual(AttentionKind.FULL)
            : attentions.get(attentions.size() - 1);
    return new LucidrainsUnet(
        dim,
        Objects.requireNonNullElse(initDim, dim),
        imageChannels,
        Objects.requireNonNullElse(outDim, imageChannels),
        mults,
        Boolean.TRUE.equals(selfCondition) ? Estimate.CONCATENATED : Estimate.NONE,
        time(dim, learnedFrequencies, randomFrequencies, learnedSinusoidalDim),
        attentions,
        new Attention(
            AttentionKind.FULL,
            Objects.requireNonNullElse(middleHeads, last.heads()),
            Objects.requireNonNullElse(middleHeadDim, last.headDim())),
        Objects.requireNonNullElse(memories, classes == 0 ? DEFAULT_MEMORIES : 0),
        classes,
        Objects.requireNonNullElse(resnetBlockGroups, ROOT_MEAN_SQUARE),
        Objects.requireNonNullElse(dropout, DEFAULT_DROPOUT));
  }

  /** Of each level what a file says of it, and else the usual. */
  private static List<Attention> attentionOfLevels(
      List<Attention> usual,
      List<Boolean> fullAttention,
      List<Integer> heads,
      List<Integer> headDims) {
    List<Attention> attentions = new ArrayList<>();
    for (int level = 0; level < usual.size(); level++) {
      boolean isUsuallyFull = usual.get(level).kind() == AttentionKind.FULL;
      attentions.add(
          new Attention(
              ofLevel("full_attn", fullAttention, level, usual, isUsuallyFull)
                  ? AttentionKind.FULL
                  : AttentionKind.LINEAR,
              ofLevel("attn_heads", heads, level, usual, DEFAULT_HEADS),
              ofLevel("attn_dim_head", headDims, level, usual, DEFAULT_HEAD_DIM)));
    }
    return attentions;
  }

  /** Random frequencies count before learned ones where a file has both. */
  private static Time time(int dim, Boolean areLearned, Boolean areRandom, Integer frequencies) {
    boolean isRandom = Boolean.TRUE.equals(areRandom);
    if (!isRandom && !Boolean.TRUE.equals(areLearned)) {
      return new Time(Frequencies.SINUSOIDAL, dim);
    }
    return new Time(
        isRandom ? Frequencies.RANDOM : Frequencies.LEARNED,
        Objects.requireNonNullElse(frequencies, DEFAULT_SINUSOIDAL_DIM));
  }

  /** The entry of a level in a list of a file, which may be missing. */
  private static <T> T ofLevel(
      String key, List<T> values, int level, List<Attention> levels, T usual) {
    if (values == null) {
      return usual;
    }
    requireLevels(key, values, levels);
    return values.get(level);
  }

  private static void requireLevels(String key, List<?> values, List<Attention> levels) {
    UnetLimits.require(
        values.size() == levels.size() && values.stream().allMatch(Objects::nonNull),
        "%s is %s; it needs an entry for each of the %d level(s)",
        key,
        values,
        levels.size());
  }

  @JsonValue
  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("dim", dim);
    json.put("init_dim", initDim);
    json.put("channels", channels);
    json.put("out_dim", outChannels);
    json.put("dim_mults", dimMults);
    if (estimate == Estimate.CONCATENATED) {
      json.put("self_condition", true);
    }
    if (time.frequencies() != Frequencies.SINUSOIDAL) {
      boolean isRandom = time.frequencies() == Frequencies.RANDOM;
      json.put(isRandom ? "random_fourier_features" : "learned_sinusoidal_cond", true);
      json.put("learned_sinusoidal_dim", time.width());
    }
    json.put(
        "full_attn",
        attentions.stream().map(attention -> attention.kind() == AttentionKind.FULL).toList());
    json.put("attn_heads", attentions.stream().map(Attention::heads).toList());
    json.put("attn_dim_head", attentions.stream().map(Attention::headDim).toList());
    json.put("mid_attn_heads", middle.heads());
    json.put("mid_attn_dim_head", middle.headDim());
    json.put("num_mem_kv", memories);
    if (classEmbeddings > 0) {
      json.put("num_class_embeds", classEmbeddings);
    }
    if (resnetBlockGroups != ROOT_MEAN_SQUARE) {
      json.put("resnet_block_groups", resnetBlockGroups);
    }
    if (dropout != DEFAULT_DROPOUT) {
      json.put("dropout", dropout);
    }
    return json;
  }

  @Override
  public boolean selfConditions() {
    return estimate == Estimate.CONCATENATED;
  }

  @Override
  public int inChannels() {
    return selfConditions() ? 2 * channels : channels;
  }

  @Override
  public int imageChannels() {
    return channels;
  }

  @Override
  public int sizeDivisor() {
    return 1 << (dimMults.size() - 1);
  }

  /** Channels before each level, and behind the last one. */
  List<Integer> widths() {
    List<Integer> widths = new ArrayList<>(List.of(initDim));
    dimMults.forEach(mult -> widths.add(dim * mult));
    return widths;
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new LucidrainsUnetGraph(this, modules, t, labels).unet(x);
  }
}
