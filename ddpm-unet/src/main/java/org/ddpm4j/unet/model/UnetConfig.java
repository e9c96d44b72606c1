package org.ddpm4j.unet.model;

import org.ddpm4j.io.Text;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Modules;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * The architecture of a U-Net: a validated record that can build its graph for any image size that
 * it accepts. One of your own trains and samples as it is; a {@link UnetKind} lets files name it.
 */
public interface UnetConfig {

  /**
   * The number of channels that go in: those of the images and, where the network conditions on
   * itself, before them as many of its estimate.
   *
   * @return at least 1
   */
  int inChannels();

  /**
   * Whether half of the channels that go in, the first, are those of an estimate of the clean
   * images, zero where there is none yet (Chen et al. 2022). So it is where twice as many channels
   * go in as come out.
   *
   * @return true if they are
   */
  default boolean selfConditions() {
    return inChannels() == 2 * outChannels();
  }

  /**
   * The number of channels of the images.
   *
   * @return at least 1
   */
  default int imageChannels() {
    return selfConditions() ? outChannels() : inChannels();
  }

  /**
   * The number of channels that come out.
   *
   * @return at least 1
   */
  int outChannels();

  /**
   * What heights and widths must be multiples of.
   *
   * @return the factor by which the network shrinks its features
   */
  int sizeDivisor();

  /**
   * The number of rows of the class embedding. A null class, as classifier-free guidance needs it
   * (Ho and Salimans 2022), is one more row, by convention the last.
   *
   * @return 0 if the network knows no classes
   */
  default int classEmbeddings() {
    return 0;
  }

  /**
   * The row of the class embedding that stands for no class where there is such a row: the last, as
   * label dropout trains it.
   *
   * @return 0 or more
   * @throws IllegalArgumentException if the network knows no classes
   */
  default int nullClass() {
    if (classEmbeddings() == 0) {
      throw new IllegalArgumentException("The network knows no classes and so has no null class.");
    }
    return classEmbeddings() - 1;
  }

  /**
   * The probability with which elements of features are dropped in training ({@link
   * Modules#dropout}); all networks answer without dropout when they sample.
   *
   * @return in [0,1); 0 for a network that is trained as it samples
   */
  default double dropout() {
    return 0;
  }

  /**
   * Whether twice as many channels come out as the images have: the second half is a learned
   * variance (Nichol and Dhariwal 2021, eq. 15).
   *
   * @return true if there are
   */
  default boolean learnsVariance() {
    return outChannels() == 2 * imageChannels();
  }

  /**
   * The parameter that a tensor of a file is meant for, since names have changed over time.
   *
   * @param tensorName a name in a file, of today or of former times
   * @return the name of today; the same where it is unknown
   */
  default String parameterName(String tensorName) {
    return tensorName;
  }

  /**
   * Writes the network into a graph.
   *
   * @param modules declare the parameters and add the operations
   * @param x noisy images, {@code [N,H,W,inChannels]}
   * @param t timesteps, {@code [N]}
   * @param labels rows of the class embedding, {@code [N]}; null if the network knows no classes
   * @return {@code [N,H,W,outChannels]}; a network that is no U-Net, such as a classifier, may
   *     answer in another height and width
   */
  FeatureMap build(Modules modules, FeatureMap x, SDVariable t, SDVariable labels);

  /**
   * Checks a size of images.
   *
   * @param height in pixels
   * @param width in pixels
   * @throws IllegalArgumentException if the network cannot take it
   */
  default void checkImageSize(int height, int width) {
    int divisor = sizeDivisor();
    if (height < 1 || width < 1 || height % divisor != 0 || width % divisor != 0) {
      if (divisor == 1 || Integer.bitCount(divisor) != 1) {
        throw new IllegalArgumentException(
            Text.format(
                "Images of %dx%d do not go through this network: height and width must be multiples of %d, and not 0; resize or pad the images.",
                height, width, divisor));
      }
      throw new IllegalArgumentException(
          Text.format(
              "Images of %dx%d do not go through this U-Net, which halves them %d time(s): height and width must be multiples of %d; resize or pad the images, or choose fewer levels.",
              height, width, Integer.numberOfTrailingZeros(divisor), divisor));
    }
  }
}
