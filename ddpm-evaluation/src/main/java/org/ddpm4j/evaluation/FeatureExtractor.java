package org.ddpm4j.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.ddpm4j.diffusion.arithmetic.Views;
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

  /** Images that are looked at together where there are many. */
  int BATCH_SIZE = 128;

  /**
   * Which network with which weights this is. Statistics carry it, and those of another are
   * refused.
   *
   * @return a name, the same for ever for the same features
   */
  String name();

  /** {@return the length of the features of one image, at least 1} */
  int dimensions();

  /**
   * The classes that the network tells apart.
   *
   * @return their names, in the order of the probabilities; empty if it is no classifier
   */
  List<String> classNames();

  /**
   * What the network finds in images.
   *
   * @param pixels {@code [N,C,H,W]}, FLOAT, whole numbers from 0 to 255, of 1 channel (grey) or 3
   *     (red, green, blue)
   * @return features, and probabilities if there are classes, a row for each image
   * @throws IllegalArgumentException if the network cannot take such images
   */
  Features extract(INDArray pixels);

  /**
   * What the network finds in many images, a few at a time.
   *
   * @param pixels {@code [N,C,H,W]}, as for {@link #extract}
   * @param progress told how many images are done, now and then
   * @return features, and probabilities if there are classes, a row for each image
   * @throws IllegalArgumentException if the network cannot take such images
   */
  default Features extractAll(INDArray pixels, LongConsumer progress) {
    long images = pixels.size(0);
    List<Features> parts = new ArrayList<>();
    for (long first = 0; first < images; first += BATCH_SIZE) {
      long end = Math.min(images, first + BATCH_SIZE);
      parts.add(extract(Views.images(pixels, first, end)));
      progress.accept(end);
    }
    return Features.concat(parts);
  }

  /** Gives back memory and threads. */
  @Override
  void close();
}
