package org.ddpm4j.evaluation;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network in whose features images are compared: what is alike to it lies close together.
 *
 * <p>Images come as pixels, as a file has them, so that generated images and those of a data set
 * are told apart by what they show and not by rounding; {@link Pixels} makes them. Figures of two
 * extractors have nothing to do with each other.
 *
 * <p>One thread at a time may use an extractor.
 */
public interface FeatureExtractor extends AutoCloseable {

  /**
   * Which network with which weights this is. Statistics carry it, and those of another are
   * refused.
   *
   * @return a name, the same for ever for the same features
   */
  String name();

  /**
   * The length of the features of one image.
   *
   * @return at least 1
   */
  int dimensions();

  /**
   * How many classes the network tells apart.
   *
   * @return 0 if it is no classifier
   */
  int classes();

  /**
   * What the network finds in images.
   *
   * @param pixels {@code [N,C,H,W]}, FLOAT, whole numbers from 0 to 255, of 1 channel (grey) or 3
   *     (red, green, blue)
   * @return features, and probabilities if there are classes, a row for each image
   * @throws IllegalArgumentException if the network cannot take such images
   */
  Features extract(INDArray pixels);

  /** Gives back memory and threads. */
  @Override
  void close();
}
