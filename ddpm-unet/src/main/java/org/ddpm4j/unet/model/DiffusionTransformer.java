package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The transformer of Peebles and Xie 2023, told time and class by the scales, shifts and gates of
 * its layers ("adaLN-Zero"), as diffusers' {@code DiTTransformer2DModel} builds it. Its class is
 * that of an embedding whose last row stands for none.
 *
 * <p>config.json, parameter names and results are diffusers'; {@code docs/formats.md} lists the
 * keys. Dropout is one of training alone, as in PyTorch.
 *
 * @param images what goes in and comes out
 * @param blocks of the transformer
 * @param classes how many there are, none not among them, at least 1; {@code num_embeds_ada_norm}
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record DiffusionTransformer(Images images, Blocks blocks, int classes)
    implements DiffusersNetwork {

  /** The value of {@code _class_name} in config.json. */
  public static final String CLASS_NAME = "DiTTransformer2DModel";

  /** That of files of before, which hold the same. */
  public static final String FORMER_CLASS_NAME = "Transformer2DModel";

  /** diffusers' defaults, which are those of DiT-XL/2 but for its learned variance. */
  public static final DiffusionTransformer DEFAULT =
      new DiffusionTransformer(
          new Images(32, 4, 4, 2), new Blocks(28, 16, 72, Activation.GELU_TANH, 1e-5, 0), 1000);

  private static final int MAX_SIZE = 1 << 14;
  private static final int MAX_PATCH = 64;
  private static final int MAX_BLOCKS = 256;

  /**
   * What goes in and comes out.
   *
   * @param size height and width of the latents that it is meant for, a multiple of the patch size;
   *     {@code sample_size}
   * @param inChannels {@code in_channels}
   * @param outChannels {@code out_channels}
   * @param patchSize height and width of what becomes one token; {@code patch_size}
   */
  public record Images(int size, int inChannels, int outChannels, int patchSize) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Images {
      requireRange("patch_size", patchSize, 1, MAX_PATCH);
      requireRange("sample_size", size, patchSize, MAX_SIZE);
      requireRange("in_channels", inChannels, 1, UnetLimits.MAX_CHANNELS);
      requireRange("out_channels", outChannels, 1, UnetLimits.MAX_CHANNELS);
      require(
          size % patchSize == 0,
          "sample_size is %d; it must be a multiple of patch_size, %d",
          size,
          patchSize);
    }
  }

  /**
   * The blocks of the transformer, all alike.
   *
   * @param count {@code num_layers}
   * @param heads {@code num_attention_heads}
   * @param headDim {@code attention_head_dim}; times the heads a multiple of 4
   * @param activation between the two layers behind attention; {@code activation_fn}
   * @param epsilon of the normalisation before these; {@code norm_eps}
   * @param dropout probability with which elements are dropped behind each attention and inside
   *     each feed-forward network in training, in [0,1)
   */
  public record Blocks(
      int count, int heads, int headDim, Activation activation, double epsilon, double dropout) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is outside its range
     */
    public Blocks {
      Objects.requireNonNull(activation, "activation");
      requireRange("num_layers", count, 1, MAX_BLOCKS);
      requireRange("num_attention_heads", heads, 1, UnetLimits.MAX_CHANNELS);
      requireRange("attention_head_dim", headDim, 1, UnetLimits.MAX_CHANNELS);
      require(
          (long) heads * headDim <= UnetLimits.MAX_CHANNELS && heads * headDim % 4 == 0,
          "num_attention_heads is %d and attention_head_dim %d; their product must be a multiple of 4, at most %d",
          heads,
          headDim,
          UnetLimits.MAX_CHANNELS);
      require(
          epsilon >= 0 && Double.isFinite(epsilon),
          "norm_eps is %s; it must be finite and at least 0",
          epsilon);
      require(dropout >= 0 && dropout < 1, "dropout is %s; it must be in [0,1)", dropout);
    }

    int width() {
      return heads * headDim;
    }
  }

  /**
   * Checks the number of classes.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  public DiffusionTransformer {
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(blocks, "blocks");
    requireRange("num_embeds_ada_norm", classes, 1, UnetLimits.MAX_CLASS_EMBEDDINGS - 1);
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

  static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(
          DiffusionTransformerJson.REFUSAL + Text.format(sentence, values) + ".");
    }
  }

  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  static DiffusionTransformer fromJson(JsonNode json) {
    return DiffusionTransformerJson.read(json);
  }

  @JsonValue
  Map<String, Object> toJson() {
    return Collections.unmodifiableMap(DiffusionTransformerJson.write(this));
  }

  @Override
  public String className() {
    return CLASS_NAME;
  }

  @Override
  public Optional<Unet2D.ImageSize> sampleSize() {
    return Optional.of(new Unet2D.ImageSize(images.size, images.size));
  }

  @Override
  public DiffusionTransformer withSampleSize(Unet2D.ImageSize size) {
    require(
        size.height() == size.width(),
        "sample_size is %dx%d; its file has one number for both",
        size.height(),
        size.width());
    return new DiffusionTransformer(
        new Images(size.height(), images.inChannels, images.outChannels, images.patchSize),
        blocks,
        classes);
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
  public double dropout() {
    return blocks.dropout;
  }

  @Override
  public int sizeDivisor() {
    return images.patchSize;
  }

  /** One more than there are classes: the last stands for none. */
  @Override
  public int classEmbeddings() {
    return classes + 1;
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new DiffusionTransformerGraph(this, modules, t, labels).transformer(x);
  }

  @Override
  public void checkImageSize(int height, int width) {
    int patch = images.patchSize;
    if (height < 1 || width < 1 || height % patch != 0 || width % patch != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "Latents of %dx%d do not go through this transformer, which cuts them into patches: height and width must be multiples of %d.",
              height, width, patch));
    }
  }
}
