package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The U-Net of "The Annotated Diffusion Model" and of the tutorials that follow it: per level two
 * residual blocks and linear attention, full attention in the middle; or less attention.
 *
 * <p>Parameter names are PyTorch's, so that weights of the PyTorch model load as they are. The
 * first level's skip connection is left unused, as there: the decoder has one level less than the
 * encoder.
 *
 * @param dim base number of channels, even, at least 4
 * @param channels of the images
 * @param outChannels of the output; diffusers' {@code out_dim}
 * @param dimMults channels of each level as multiples of dim, the first being 1
 * @param block the residual blocks
 * @param resnetBlockGroups groups of the normalisation in ResNet blocks, a divisor of all their
 *     widths
 * @param convnextMult widening inside ConvNeXt blocks
 * @param attentionHeads number of heads of every attention
 * @param attentionHeadDim width of each head
 * @param classEmbeddings rows of the class embedding, which is added to that of the time; 0 for
 *     none. In JSON {@code num_class_embeds}, as diffusers calls it
 * @param patchSize side of the squares of pixels that the network sees as one position, 1 for the
 *     PyTorch model. The first convolution then has stride p and a kernel of three patches (a 3x3
 *     convolution after PyTorch's {@code PixelUnshuffle}), the last one is transposed with the
 *     patch as its kernel (a 1x1 convolution before {@code PixelShuffle}). In JSON {@code
 *     patch_size}
 * @param dropout probability with which ResNet blocks drop elements before their second convolution
 *     in training, in [0,1); 0 with ConvNeXt blocks
 * @param attention where the network has attention
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record AnnotatedUnet(
    int dim,
    int channels,
    int outChannels,
    List<Integer> dimMults,
    Block block,
    int resnetBlockGroups,
    int convnextMult,
    int attentionHeads,
    int attentionHeadDim,
    int classEmbeddings,
    int patchSize,
    double dropout,
    Attention attention)
    implements UnetConfig {

  private static final List<Integer> DEFAULT_DIM_MULTS = List.of(1, 2, 4, 8);
  private static final int DEFAULT_CHANNELS = 3;
  private static final int DEFAULT_GROUPS = 8;
  private static final int DEFAULT_CONVNEXT_MULT = 2;
  private static final int DEFAULT_HEADS = 4;
  private static final int DEFAULT_HEAD_DIM = 32;
  private static final int NO_CLASSES = 0;
  private static final int PIXELS = 1;
  private static final double NO_DROPOUT = 0;
  private static final Attention DEFAULT_ATTENTION = Attention.ALL;

  private static final int MAX_CONVNEXT_MULT = 1 << 10;
  private static final int MAX_PATCH_SIZE = 16;

  /** PyTorch's default. */
  private static final double EPSILON = 1e-5;

  private static final Convolution HALVE = new Convolution(4, 2, 1);

  /** The kinds of residual block. */
  public enum Block {
    /** Two times convolution, group normalisation and SiLU (He et al. 2015; Ho et al. 2020). */
    RESNET,
    /** A depthwise 7x7 and two 3x3 convolutions (after Liu et al. 2022). */
    CONVNEXT
  }

  /** Where a network has attention between the positions of its features. */
  public enum Attention {
    /**
     * Everywhere: linear attention (Shen et al. 2018) at each level, down and up, and full
     * attention (Vaswani et al. 2017) in the middle. In JSON {@code all}.
     */
    ALL,
    /** Full attention in the middle, at the coarsest level, alone. In JSON {@code middle}. */
    MIDDLE,
    /** Nowhere: convolutions alone mix positions. In JSON {@code none}. */
    NONE;

    private String json() {
      return name().toLowerCase(Locale.ROOT);
    }

    private static Attention ofJson(String value) {
      return Arrays.stream(values())
          .filter(attention -> attention.json().equals(value))
          .findFirst()
          .orElseThrow(
              () ->
                  UnetLimits.refusal(
                      "attention is \"%s\"; it must be \"all\", \"middle\" or \"none\"", value));
    }
  }

  /**
   * Checks that the network can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public AnnotatedUnet {
    Objects.requireNonNull(block, "block");
    Objects.requireNonNull(attention, "attention");
    Objects.requireNonNull(dimMults, "dimMults");
    UnetLimits.require(
        dimMults.stream().allMatch(Objects::nonNull),
        "dim_mults is %s; every multiple must be a number",
        dimMults);
    dimMults = List.copyOf(dimMults);
    UnetLimits.require(dim >= 4 && dim % 2 == 0, "dim is %d; it must be even and at least 4", dim);
    UnetLimits.requireImageChannels(channels);
    UnetLimits.requireOutChannels(outChannels);
    UnetLimits.requireClassEmbeddings(classEmbeddings);
    UnetLimits.require(
        !dimMults.isEmpty() && dimMults.size() <= 16 && dimMults.get(0) == 1,
        "dim_mults is %s; it needs 1 to 16 levels of which the first is 1",
        dimMults);
    UnetLimits.require(
        dimMults.stream().allMatch(mult -> mult >= 1),
        "dim_mults is %s; every multiple must be at least 1",
        dimMults);
    UnetLimits.require(
        dimMults.stream().allMatch(mult -> (long) mult * dim <= UnetLimits.MAX_CHANNELS),
        "dim_mults is %s at dim %d; a level cannot have more than %d channels",
        dimMults,
        dim,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.require(
        convnextMult >= 1 && convnextMult <= MAX_CONVNEXT_MULT,
        "convnext_mult is %d; it must be 1 to %d",
        convnextMult,
        MAX_CONVNEXT_MULT);
    UnetLimits.require(
        attentionHeads >= 1, "attention_heads is %d; it must be at least 1", attentionHeads);
    UnetLimits.require(
        attentionHeadDim >= 1, "attention_head_dim is %d; it must be at least 1", attentionHeadDim);
    UnetLimits.require(
        (long) attentionHeads * attentionHeadDim <= UnetLimits.MAX_CHANNELS,
        "%d attention heads of width %d have more than %d channels",
        attentionHeads,
        attentionHeadDim,
        UnetLimits.MAX_CHANNELS);
    UnetLimits.require(
        Integer.bitCount(patchSize) == 1 && patchSize >= 1 && patchSize <= MAX_PATCH_SIZE,
        "patch_size is %d; it must be a power of two from 1 to %d",
        patchSize,
        MAX_PATCH_SIZE);
    UnetLimits.requireDropout(dropout);
    UnetLimits.require(
        dropout == NO_DROPOUT || block == Block.RESNET,
        "dropout is %s, but ConvNeXt blocks have none; choose ResNet blocks",
        dropout);
    if (block == Block.RESNET) {
      for (int mult : dimMults) {
        UnetLimits.require(
            resnetBlockGroups >= 1 && mult * dim % resnetBlockGroups == 0,
            "resnet_block_groups is %d, which does not divide the %d channel(s) of a level; choose a"
                + " divisor of dim",
            resnetBlockGroups,
            mult * dim);
      }
    }
  }

  /**
   * With ResNet blocks and the defaults of the tutorials.
   *
   * @param dim base number of channels
   * @param channels of the images
   * @param dimMults channels of each level as multiples of dim
   * @param resnetBlockGroups groups of the normalisation
   * @return the architecture
   */
  public static AnnotatedUnet resnet(
      int dim, int channels, List<Integer> dimMults, int resnetBlockGroups) {
    return usual(dim, channels, dimMults, Block.RESNET, resnetBlockGroups);
  }

  /**
   * With ConvNeXt blocks and the defaults of the tutorials.
   *
   * @param dim base number of channels
   * @param channels of the images
   * @param dimMults channels of each level as multiples of dim
   * @return the architecture
   */
  public static AnnotatedUnet convnext(int dim, int channels, List<Integer> dimMults) {
    return usual(dim, channels, dimMults, Block.CONVNEXT, DEFAULT_GROUPS);
  }

  private static AnnotatedUnet usual(
      int dim, int channels, List<Integer> dimMults, Block block, int resnetBlockGroups) {
    return new AnnotatedUnet(
        dim,
        channels,
        channels,
        dimMults,
        block,
        resnetBlockGroups,
        DEFAULT_CONVNEXT_MULT,
        DEFAULT_HEADS,
        DEFAULT_HEAD_DIM,
        NO_CLASSES,
        PIXELS,
        NO_DROPOUT,
        DEFAULT_ATTENTION);
  }

  /**
   * The same network with other attention.
   *
   * @param heads number of heads of every attention
   * @param headDim width of each head
   * @return the architecture
   */
  public AnnotatedUnet withAttention(int heads, int headDim) {
    return new AnnotatedUnet(
        dim,
        channels,
        outChannels,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        heads,
        headDim,
        classEmbeddings,
        patchSize,
        dropout,
        attention);
  }

  /**
   * The same network with another number of channels at its end, as a learned variance needs it
   * (Nichol and Dhariwal 2021).
   *
   * @param count channels of the output
   * @return the architecture
   */
  public AnnotatedUnet withOutChannels(int count) {
    return new AnnotatedUnet(
        dim,
        channels,
        count,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        attentionHeads,
        attentionHeadDim,
        classEmbeddings,
        patchSize,
        dropout,
        attention);
  }

  /**
   * The same network for images with classes.
   *
   * @param count rows of the class embedding, a null class included; 0 for none
   * @return the architecture
   */
  public AnnotatedUnet withClassEmbeddings(int count) {
    return new AnnotatedUnet(
        dim,
        channels,
        outChannels,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        attentionHeads,
        attentionHeadDim,
        count,
        patchSize,
        dropout,
        attention);
  }

  /**
   * The same network on patches of pixels: faster by nearly the square of their side.
   *
   * @param side of the patches, a power of two from 1 to 16; 1 for single pixels
   * @return the architecture
   */
  public AnnotatedUnet withPatchSize(int side) {
    return new AnnotatedUnet(
        dim,
        channels,
        outChannels,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        attentionHeads,
        attentionHeadDim,
        classEmbeddings,
        side,
        dropout,
        attention);
  }

  /**
   * The same network with dropout in its residual blocks, before their second convolution (Ho et
   * al. 2020, appendix B).
   *
   * @param probability of an element to be dropped in training, in [0,1)
   * @return the architecture
   * @throws IllegalArgumentException if the probability is outside its range, or the blocks are
   *     ConvNeXt blocks, which have none
   */
  public AnnotatedUnet withDropout(double probability) {
    return new AnnotatedUnet(
        dim,
        channels,
        outChannels,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        attentionHeads,
        attentionHeadDim,
        classEmbeddings,
        patchSize,
        probability,
        attention);
  }

  /**
   * The same network with attention in other places.
   *
   * @param places where it has attention
   * @return the architecture
   */
  public AnnotatedUnet withAttention(Attention places) {
    return new AnnotatedUnet(
        dim,
        channels,
        outChannels,
        dimMults,
        block,
        resnetBlockGroups,
        convnextMult,
        attentionHeads,
        attentionHeadDim,
        classEmbeddings,
        patchSize,
        dropout,
        places);
  }

  @JsonCreator
  static AnnotatedUnet fromJson(
      @JsonProperty(value = "dim", required = true) int dim,
      @JsonProperty("channels") Integer channels,
      @JsonProperty("out_dim") Integer outDim,
      @JsonProperty("dim_mults") List<Integer> dimMults,
      @JsonProperty("use_convnext") Boolean useConvnext,
      @JsonProperty("resnet_block_groups") Integer resnetBlockGroups,
      @JsonProperty("convnext_mult") Integer convnextMult,
      @JsonProperty("attention_heads") Integer attentionHeads,
      @JsonProperty("attention_head_dim") Integer attentionHeadDim,
      @JsonProperty("num_class_embeds") Integer classEmbeddings,
      @JsonProperty("patch_size") Integer patchSize,
      @JsonProperty("dropout") Double dropout,
      @JsonProperty("attention") String attention) {
    int inChannels = Objects.requireNonNullElse(channels, DEFAULT_CHANNELS);
    return new AnnotatedUnet(
        dim,
        inChannels,
        Objects.requireNonNullElse(outDim, inChannels),
        Objects.requireNonNullElse(dimMults, DEFAULT_DIM_MULTS),
        Boolean.FALSE.equals(useConvnext) ? Block.RESNET : Block.CONVNEXT,
        Objects.requireNonNullElse(resnetBlockGroups, DEFAULT_GROUPS),
        Objects.requireNonNullElse(convnextMult, DEFAULT_CONVNEXT_MULT),
        Objects.requireNonNullElse(attentionHeads, DEFAULT_HEADS),
        Objects.requireNonNullElse(attentionHeadDim, DEFAULT_HEAD_DIM),
        Objects.requireNonNullElse(classEmbeddings, NO_CLASSES),
        Objects.requireNonNullElse(patchSize, PIXELS),
        Objects.requireNonNullElse(dropout, NO_DROPOUT),
        attention == null ? DEFAULT_ATTENTION : Attention.ofJson(attention));
  }

  @JsonValue
  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("dim", dim);
    json.put("channels", channels);
    if (outChannels != channels) {
      json.put("out_dim", outChannels);
    }
    json.put("dim_mults", dimMults);
    json.put("use_convnext", block == Block.CONVNEXT);
    json.put("resnet_block_groups", resnetBlockGroups);
    json.put("convnext_mult", convnextMult);
    json.put("attention_heads", attentionHeads);
    json.put("attention_head_dim", attentionHeadDim);
    if (classEmbeddings != NO_CLASSES) {
      json.put("num_class_embeds", classEmbeddings);
    }
    if (patchSize != PIXELS) {
      json.put("patch_size", patchSize);
    }
    if (dropout != NO_DROPOUT) {
      json.put("dropout", dropout);
    }
    if (attention != DEFAULT_ATTENTION) {
      json.put("attention", attention.json());
    }
    return json;
  }

  @Override
  public int inChannels() {
    return channels;
  }

  @Override
  public int sizeDivisor() {
    return patchSize << (dimMults.size() - 1);
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new Graph(modules, t, labels).unet(x);
  }

  /** Channels of the first convolution and of each level. */
  private List<Integer> widths() {
    List<Integer> widths = new ArrayList<>(List.of(dim / 3 * 2));
    dimMults.forEach(mult -> widths.add(dim * mult));
    return widths;
  }

  /** The network on the variables of one graph. */
  final class Graph {

    private final Modules modules;
    private final Layers layers;
    private final int timeDim = 4 * dim;

    /** The embedding of the time and of the class, {@code [N,4·dim]}. */
    final SDVariable time;

    /** What all blocks make of it before their own layers. */
    private final SDVariable condition;

    Graph(Modules modules, SDVariable t, SDVariable labels) {
      this.modules = modules;
      this.layers = modules.layers();
      SDVariable hidden =
          modules.linear(
              "time_mlp.1",
              layers.sinusoidalEmbedding(t, new Frequencies(dim, 1)),
              dim,
              timeDim,
              Activation.GELU);
      SDVariable embedded =
          modules.linear("time_mlp.3", hidden, timeDim, timeDim, Activation.IDENTITY);
      this.time =
          labels == null
              ? embedded
              : layers.add(
                  embedded, modules.embedding("class_embedding", labels, classEmbeddings, timeDim));
      this.condition =
          layers.activation(time, block == Block.RESNET ? Activation.SILU : Activation.GELU);
    }

    FeatureMap unet(FeatureMap image) {
      List<Integer> widths = widths();
      int levels = dimMults.size();
      FeatureMap x = modules.conv2d("init_conv", image, widths.get(0), firstConvolution());

      Deque<FeatureMap> skips = new ArrayDeque<>();
      for (int level = 0; level < levels; level++) {
        String name = "downs." + level;
        int width = widths.get(level + 1);
        x = timedBlock(name + ".0", x, width);
        x = timedBlock(name + ".1", x, width);
        x = attentionOfLevel(name + ".2", x);
        skips.push(x);
        if (level + 1 < levels) {
          x = modules.conv2d(name + ".3", x, width, HALVE);
        }
      }

      x = timedBlock("mid_block1", x, x.channels());
      x = attentionOfTheMiddle("mid_attn", x);
      x = timedBlock("mid_block2", x, x.channels());

      for (int level = levels - 1; level > 0; level--) {
        String name = "ups." + (levels - 1 - level);
        int width = widths.get(level);
        x = timedBlock(name + ".0", layers.concatChannels(x, skips.pop()), width);
        x = timedBlock(name + ".1", x, width);
        x = attentionOfLevel(name + ".2", x);
        x = modules.convTranspose2d(name + ".3", x, width, HALVE);
      }

      x = timelessBlock("final_conv.0", x, dim);
      return patchSize == PIXELS
          ? modules.conv2d("final_conv.1", x, outChannels(), Convolution.same(1))
          : modules.convTranspose2d(
              "final_conv.1", x, outChannels(), new Convolution(patchSize, patchSize, 0));
    }

    private Convolution firstConvolution() {
      return patchSize == PIXELS
          ? Convolution.same(7)
          : new Convolution(3 * patchSize, patchSize, patchSize);
    }

    FeatureMap timedBlock(String name, FeatureMap x, int width) {
      return switch (block) {
        case RESNET -> resnetBlock(name, x, width, timeShift(name, width));
        case CONVNEXT -> convnextBlock(name, x, width, timeShift(name, x.channels()));
      };
    }

    FeatureMap timelessBlock(String name, FeatureMap x, int width) {
      return switch (block) {
        case RESNET -> resnetBlock(name, x, width, null);
        case CONVNEXT -> convnextBlock(name, x, width, null);
      };
    }

    private SDVariable timeShift(String name, int width) {
      return modules.linear(name + ".mlp.1", condition, timeDim, width, Activation.IDENTITY);
    }

    private FeatureMap resnetBlock(String name, FeatureMap x, int width, SDVariable timeShift) {
      FeatureMap h = convNormSilu(name + ".block1", x, width);
      if (timeShift != null) {
        h = layers.addPerChannel(h, timeShift);
      }
      h = convNormSilu(name + ".block2", modules.dropout(h, dropout), width);
      return layers.add(h, shortcut(name, x, width));
    }

    private FeatureMap convNormSilu(String name, FeatureMap x, int width) {
      FeatureMap h = modules.conv2d(name + ".proj", x, width, Convolution.same(3));
      return modules.groupNorm(name + ".norm", h, resnetBlockGroups, EPSILON, Activation.SILU);
    }

    private FeatureMap convnextBlock(String name, FeatureMap x, int width, SDVariable timeShift) {
      FeatureMap h = modules.depthwiseConv2d(name + ".ds_conv", x, Convolution.same(7));
      if (timeShift != null) {
        h = layers.addPerChannel(h, timeShift);
      }
      h = modules.groupNorm(name + ".net.0", h, 1, EPSILON, Activation.IDENTITY);
      h = modules.conv2d(name + ".net.1", h, width * convnextMult, Convolution.same(3));
      h = h.with(layers.activation(h.values(), Activation.GELU));
      h = modules.groupNorm(name + ".net.3", h, 1, EPSILON, Activation.IDENTITY);
      h = modules.conv2d(name + ".net.4", h, width, Convolution.same(3));
      return layers.add(h, shortcut(name, x, width));
    }

    private FeatureMap shortcut(String name, FeatureMap x, int width) {
      return x.channels() == width
          ? x
          : modules.conv2d(name + ".res_conv", x, width, Convolution.same(1));
    }

    private FeatureMap attentionOfLevel(String name, FeatureMap x) {
      return switch (attention) {
        case ALL -> residualLinearAttention(name, x);
        case MIDDLE, NONE -> x;
      };
    }

    private FeatureMap attentionOfTheMiddle(String name, FeatureMap x) {
      return switch (attention) {
        case ALL, MIDDLE -> residualAttention(name, x);
        case NONE -> x;
      };
    }

    FeatureMap residualAttention(String name, FeatureMap x) {
      FeatureMap mixed = layers.attention(queriesKeysValues(name, x), attentionHeads);
      mixed = modules.conv2d(name + ".fn.fn.to_out", mixed, x.channels(), Convolution.same(1));
      return layers.add(mixed, x);
    }

    FeatureMap residualLinearAttention(String name, FeatureMap x) {
      FeatureMap mixed = layers.linearAttention(queriesKeysValues(name, x), attentionHeads);
      mixed = modules.conv2d(name + ".fn.fn.to_out.0", mixed, x.channels(), Convolution.same(1));
      mixed = modules.groupNorm(name + ".fn.fn.to_out.1", mixed, 1, EPSILON, Activation.IDENTITY);
      return layers.add(mixed, x);
    }

    private FeatureMap queriesKeysValues(String name, FeatureMap x) {
      FeatureMap normalised =
          modules.groupNorm(name + ".fn.norm", x, 1, EPSILON, Activation.IDENTITY);
      return modules.pointwiseWithoutBias(
          name + ".fn.fn.to_qkv", normalised, 3 * attentionHeads * attentionHeadDim);
    }
  }
}
