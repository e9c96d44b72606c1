package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.stream.IntStream;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;

/**
 * Fashion-MNIST, {@code [1,28,28]} in [-1,1], without a download and in the number of images that
 * come with the library, so that an epoch is as long on every machine.
 */
final class Clothes {

  private static final int TRAINING_IMAGES = 7000;
  private static final int TEST_IMAGES = 1000;

  private Clothes() {}

  static ImageDataSet training() throws IOException {
    return load(Split.TRAIN).takeSpread(TRAINING_IMAGES);
  }

  static ImageDataSet test() throws IOException {
    return load(Split.TEST).takeSpread(TEST_IMAGES);
  }

  /** The numbers of the first images of a class. */
  static int[] ofClass(ImageDataSet clothes, int label, int count) {
    return IntStream.range(0, clothes.size())
        .filter(i -> clothes.label(i) == label)
        .limit(count)
        .toArray();
  }

  private static ImageDataSet load(Split split) throws IOException {
    return FashionMnist.load(split, DataSources.ofHost().withNetwork(Network.FORBIDDEN));
  }
}
