package org.ddpm4j.evaluation;

import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A small convolutional classifier of square images of one size, as a network of {@link Layers}, so
 * that it trains and runs as the U-Nets do. Its output is one position, whose channels are the
 * features and behind them the logits of the classes; it looks at no timestep.
 *
 * @param classes K, at least 2
 * @param channels of the images, 1 (grey) or 3 (red, green, blue)
 * @param size height and width of the images, a multiple of 4
 */
record FeatureClassifier(int classes, int channels, int size) implements UnetConfig {

  /** D, the channels of the last feature maps. */
  static final int FEATURES = 64;

  private static final int FIRST = 24;
  private static final int MIDDLE = 48;
  private static final int GROUPS = 8;
  private static final double EPSILON = 1e-5;

  /** By which two poolings divide the size. */
  private static final int POOLED = 4;

  FeatureClassifier {
    if (classes < 2) {
      throw new IllegalArgumentException(
          Text.format("A classifier of %d classes tells nothing apart; take 2.", classes));
    }
    if (channels != 1 && channels != 3 || size < POOLED || size % POOLED != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "A classifier of images of %d channel(s) and %dx%d pixels is not possible; it takes 1 or 3 channels, and a size that %d divides.",
              channels, size, size, POOLED));
    }
  }

  /** Images as it takes them, of any others. */
  INDArray fit(INDArray pixels) {
    return Resizing.to(pixels, channels, size, size);
  }

  @Override
  public int inChannels() {
    return channels;
  }

  @Override
  public int outChannels() {
    return FEATURES + classes;
  }

  @Override
  public boolean learnsVariance() {
    return false;
  }

  /** The only size that it takes. */
  @Override
  public int sizeDivisor() {
    return size;
  }

  @Override
  public void checkImageSize(int height, int width) {
    if (height != size || width != size) {
      throw new IllegalArgumentException(
          Text.format(
              "The classifier takes images of %dx%d, not of %dx%d; resize them.",
              size, size, height, width));
    }
  }

  @Override
  public FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels) {
    Layers layers = modules.layers();
    FeatureMap h = modules.conv2d("conv1", x, FIRST, Convolution.same(3));
    h = layers.maxPool2(h.with(layers.activation(h.values(), Activation.SILU)));
    h = normalised(modules, "2", modules.conv2d("conv2", h, MIDDLE, Convolution.same(3)));
    h = normalised(modules, "3", modules.conv2d("conv3", h, MIDDLE, Convolution.same(3)));
    h = layers.maxPool2(h);
    h = normalised(modules, "4", modules.conv2d("conv4", h, FEATURES, Convolution.same(3)));
    // A mean over all positions whose weights are learned: where something is tells clothes apart.
    FeatureMap pooled = modules.depthwiseConv2d("pool", h, new Convolution(size / POOLED, 1, 0));
    FeatureMap features = pooled.with(layers.activation(pooled.values(), Activation.SILU));
    return layers.concatChannels(features, modules.linear("head", features, classes));
  }

  private static FeatureMap normalised(Modules modules, String number, FeatureMap x) {
    return modules.groupNorm("norm" + number, x, GROUPS, EPSILON, Activation.SILU);
  }
}
