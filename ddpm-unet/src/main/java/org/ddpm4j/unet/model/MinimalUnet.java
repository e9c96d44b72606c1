package org.ddpm4j.unet.model;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.LinkedHashMap;
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
 * The U-Net of a blog's "minimal diffusion model", built correctly: four levels of double
 * convolutions with normalisation before each, max pooling on the way down, nearest-neighbour
 * upsampling on the way up. The sinusoidal embedding of the time is used as it is; SiLU and a
 * linear layer bring it to every change of resolution.
 *
 * <p>With a base width of 64 and one channel in and out it has 103,900,835 parameters and the
 * widths 64, 128, 256, 512, 512. Parameter names are those of the blog's PyTorch classes.
 *
 * @param dim base number of channels, even; the levels have 1, 2, 4, 8 and 8 times as many
 * @param channels of the images
 * @param outChannels of the output; in JSON {@code out_dim}
 * @param timeDim width of the sinusoidal embedding, even, at least 4; in JSON {@code time_dim}
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record MinimalUnet(int dim, int channels, int outChannels, int timeDim)
    implements UnetConfig {

  private static final int DEFAULT_DIM = 64;
  private static final int DEFAULT_CHANNELS = 1;
  private static final int DEFAULT_TIME_DIM = 256;

  /** The widest layers, inside the first level up, have 32 times the base width. */
  private static final int MAX_DIM = UnetLimits.MAX_CHANNELS / 32;

  private static final int LEVELS = 4;

  /** PyTorch's default. */
  private static final double EPSILON = 1e-5;

  /**
   * Checks that the network can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public MinimalUnet {
    UnetLimits.require(
        dim >= 2 && dim % 2 == 0 && dim <= MAX_DIM,
        "dim is %d; it must be even and 2 to %d",
        dim,
        MAX_DIM);
    UnetLimits.requireImageChannels(channels);
    UnetLimits.requireOutChannels(outChannels);
    UnetLimits.require(
        timeDim >= 4 && timeDim % 2 == 0 && timeDim <= UnetLimits.MAX_CHANNELS,
        "time_dim is %d; it must be even and 4 to %d",
        timeDim,
        UnetLimits.MAX_CHANNELS);
  }

  /**
   * The blog's network for other images.
   *
   * @param channels of the images and of the output
   * @return the architecture
   */
  public static MinimalUnet of(int channels) {
    return new MinimalUnet(DEFAULT_DIM, channels, channels, DEFAULT_TIME_DIM);
  }

  /**
   * The same network with another width.
   *
   * @param newDim base number of channels, even
   * @return the architecture
   */
  public MinimalUnet withDim(int newDim) {
    return new MinimalUnet(newDim, channels, outChannels, timeDim);
  }

  /**
   * The same network with another number of channels at its end.
   *
   * @param count channels of the output
   * @return the architecture
   */
  public MinimalUnet withOutChannels(int count) {
    return new MinimalUnet(dim, channels, count, timeDim);
  }

  @JsonCreator
  static MinimalUnet fromJson(
      @JsonProperty("dim") Integer dim,
      @JsonProperty("channels") Integer channels,
      @JsonProperty("out_dim") Integer outDim,
      @JsonProperty("time_dim") Integer timeDim) {
    int inChannels = Objects.requireNonNullElse(channels, DEFAULT_CHANNELS);
    return new MinimalUnet(
        Objects.requireNonNullElse(dim, DEFAULT_DIM),
        inChannels,
        Objects.requireNonNullElse(outDim, inChannels),
        Objects.requireNonNullElse(timeDim, DEFAULT_TIME_DIM));
  }

  @JsonValue
  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("dim", dim);
    json.put("channels", channels);
    if (outChannels != channels) {
      json.put("out_dim", outChannels);
    }
    json.put("time_dim", timeDim);
    return json;
  }

  @Override
  public int inChannels() {
    return channels;
  }

  @Override
  public int sizeDivisor() {
    return 1 << LEVELS;
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new Graph(modules, t).unet(x);
  }

  /** The network on the variables of one graph. */
  private final class Graph {

    private final Modules modules;
    private final Layers layers;

    /** SiLU of the embedding of the time, {@code [N,timeDim]}. */
    private final SDVariable time;

    Graph(Modules modules, SDVariable t) {
      this.modules = modules;
      this.layers = modules.layers();
      SDVariable embedding = layers.sinusoidalEmbedding(t, new Frequencies(timeDim, 0));
      time = layers.activation(embedding, Activation.SILU);
    }

    FeatureMap unet(FeatureMap image) {
      FeatureMap x1 = widen("conv1", image, dim);
      FeatureMap x3 = widen("conv2", down("down1", x1), 2 * dim);
      FeatureMap x5 = widen("conv3", down("down2", x3), 4 * dim);
      FeatureMap x7 = widen("conv4", down("down3", x5), 8 * dim);
      FeatureMap x = widen("conv5", down("down4", x7), 8 * dim);
      x = widen("conv6", up("up1", x, x7), 4 * dim);
      x = widen("conv7", up("up2", x, x5), 2 * dim);
      x = widen("conv8", up("up3", x, x3), dim);
      x = up("up4", x, x1);
      return modules.conv2d("out", x, outChannels, Convolution.same(1));
    }

    /** A double convolution through twice the width of its output. */
    private FeatureMap widen(String name, FeatureMap x, int width) {
      return doubleConvolution(name, x, 2 * width, width);
    }

    private FeatureMap doubleConvolution(String name, FeatureMap x, int inside, int width) {
      FeatureMap h = modules.groupNorm(name + ".net.0", x, 1, EPSILON, Activation.IDENTITY);
      h = gelu(modules.conv2d(name + ".net.1", h, inside, Convolution.same(3)));
      h = modules.groupNorm(name + ".net.3", h, 1, EPSILON, Activation.IDENTITY);
      return modules.conv2d(name + ".net.4", h, width, Convolution.same(3));
    }

    private FeatureMap residual(String name, FeatureMap x) {
      return gelu(layers.add(widen(name, x, x.channels()), x));
    }

    private FeatureMap gelu(FeatureMap x) {
      return x.with(layers.activation(x.values(), Activation.GELU));
    }

    private FeatureMap down(String name, FeatureMap x) {
      FeatureMap h = residual(name + ".block.1", layers.maxPool2(x));
      return addTime(name, widen(name + ".block.2", h, h.channels()));
    }

    private FeatureMap up(String name, FeatureMap x, FeatureMap skip) {
      FeatureMap h = layers.concatChannels(skip, layers.upsampleNearest2(x));
      h = residual(name + ".block.0", h);
      int width = skip.channels();
      return addTime(name, doubleConvolution(name + ".block.1", h, width / 2, width));
    }

    private FeatureMap addTime(String name, FeatureMap x) {
      SDVariable shift =
          modules.linear(name + ".pos_emb.1", time, timeDim, x.channels(), Activation.IDENTITY);
      return layers.addPerChannel(x, shift);
    }
  }
}
