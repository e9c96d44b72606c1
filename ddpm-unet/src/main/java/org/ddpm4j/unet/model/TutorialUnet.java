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
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * A small U-Net to learn from, of convolutions and ReLU alone: two levels of two convolutions,
 * average pooling, nearest-neighbour upsampling, no normalisation. The time goes as {@code
 * t/timesteps} through two linear layers; a projection of it is added behind every stage. With
 * classes, a learnt vector for each is added to that of the time.
 *
 * <p>With a base width of 32 and one channel it has 221,249 parameters, and 320 more with ten
 * classes. Parameter names are those of the PyTorch tutorial that it comes from.
 *
 * @param dim base number of channels
 * @param channels of the images
 * @param timesteps T, by which timesteps are divided
 * @param classEmbeddings rows of the class embedding; 0 for none. In JSON {@code num_class_embeds}
 */
@JsonAutoDetect(
    getterVisibility = JsonAutoDetect.Visibility.NONE,
    fieldVisibility = JsonAutoDetect.Visibility.NONE)
public record TutorialUnet(int dim, int channels, int timesteps, int classEmbeddings)
    implements UnetConfig {

  private static final int DEFAULT_DIM = 32;
  private static final int DEFAULT_CHANNELS = 1;
  private static final int DEFAULT_TIMESTEPS = 1000;
  private static final int NO_CLASSES = 0;

  /** The widest layer has four times the base width. */
  private static final int MAX_DIM = UnetLimits.MAX_CHANNELS / 4;

  /**
   * Checks that the network can be built.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public TutorialUnet {
    UnetLimits.require(dim >= 1 && dim <= MAX_DIM, "dim is %d; it must be 1 to %d", dim, MAX_DIM);
    UnetLimits.requireImageChannels(channels);
    UnetLimits.require(timesteps >= 1, "timesteps is %d; it must be at least 1", timesteps);
    UnetLimits.requireClassEmbeddings(classEmbeddings);
  }

  /**
   * The tutorial's network for other images.
   *
   * @param channels of the images
   * @param timesteps T, by which timesteps are divided
   * @return the architecture, without classes
   */
  public static TutorialUnet of(int channels, int timesteps) {
    return new TutorialUnet(DEFAULT_DIM, channels, timesteps, NO_CLASSES);
  }

  /**
   * The same network with another width.
   *
   * @param newDim base number of channels
   * @return the architecture
   */
  public TutorialUnet withDim(int newDim) {
    return new TutorialUnet(newDim, channels, timesteps, classEmbeddings);
  }

  /**
   * The same network for images with classes.
   *
   * @param count rows of the class embedding, a null class included; 0 for none
   * @return the architecture
   */
  public TutorialUnet withClassEmbeddings(int count) {
    return new TutorialUnet(dim, channels, timesteps, count);
  }

  @JsonCreator
  static TutorialUnet fromJson(
      @JsonProperty("dim") Integer dim,
      @JsonProperty("channels") Integer channels,
      @JsonProperty("timesteps") Integer timesteps,
      @JsonProperty("num_class_embeds") Integer classEmbeddings) {
    return new TutorialUnet(
        Objects.requireNonNullElse(dim, DEFAULT_DIM),
        Objects.requireNonNullElse(channels, DEFAULT_CHANNELS),
        Objects.requireNonNullElse(timesteps, DEFAULT_TIMESTEPS),
        Objects.requireNonNullElse(classEmbeddings, NO_CLASSES));
  }

  @JsonValue
  Map<String, Object> toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("dim", dim);
    json.put("channels", channels);
    json.put("timesteps", timesteps);
    if (classEmbeddings != NO_CLASSES) {
      json.put("num_class_embeds", classEmbeddings);
    }
    return json;
  }

  @Override
  public int inChannels() {
    return channels;
  }

  @Override
  public int outChannels() {
    return channels;
  }

  @Override
  public int sizeDivisor() {
    return 4;
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    return new Graph(modules, t, labels).unet(x);
  }

  /** The network on the variables of one graph. */
  private final class Graph {

    private final Modules modules;
    private final Layers layers;

    /** What is known about the images: the time, and perhaps the class; {@code [N,dim]}. */
    private final SDVariable condition;

    Graph(Modules modules, SDVariable t, SDVariable labels) {
      this.modules = modules;
      this.layers = modules.layers();
      SDVariable fraction = layers.timeFraction(t, timesteps);
      SDVariable hidden = modules.linear("time_mlp.0", fraction, 1, dim, Activation.RELU);
      SDVariable time = modules.linear("time_mlp.2", hidden, dim, dim, Activation.IDENTITY);
      condition =
          labels == null
              ? time
              : layers.add(time, modules.embedding("class_emb", labels, classEmbeddings, dim));
    }

    FeatureMap unet(FeatureMap image) {
      FeatureMap first = stage("enc1", "to_e1", image, dim);
      FeatureMap second = stage("enc2", "to_e2", layers.avgPool2(first), 2 * dim);
      FeatureMap x = stage("bot", "to_b", layers.avgPool2(second), 2 * dim);
      x = layers.concatChannels(layers.upsampleNearest2(x), second);
      x = stage("dec2", "to_d2", x, dim);
      x = layers.concatChannels(layers.upsampleNearest2(x), first);
      x = stage("dec1", "to_d1", x, dim);
      return modules.conv2d("final", x, channels, Convolution.same(1));
    }

    private FeatureMap stage(String name, String projection, FeatureMap x, int width) {
      FeatureMap h = convRelu(name + ".net.0", x, width);
      h = convRelu(name + ".net.2", h, width);
      return layers.addPerChannel(h, modules.pointwise(projection, condition, dim, width));
    }

    private FeatureMap convRelu(String name, FeatureMap x, int width) {
      FeatureMap h = modules.conv2d(name, x, width, Convolution.same(3));
      return h.with(layers.activation(h.values(), Activation.RELU));
    }
  }
}
