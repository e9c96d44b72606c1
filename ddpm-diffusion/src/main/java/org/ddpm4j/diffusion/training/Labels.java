package org.ddpm4j.diffusion.training;

import java.util.Arrays;
import java.util.Optional;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** The classes of images. */
final class Labels {

  private Labels() {}

  /** The class of each image, {@code [N]}, a new array, for networks that are told it. */
  static Optional<INDArray> of(DataSet images, UnetConfig network) {
    int classes = network.classEmbeddings();
    if (classes == 0) {
      return Optional.empty();
    }
    INDArray oneHot = images.getLabels();
    if (oneHot == null || oneHot.rank() != 2 || oneHot.size(1) > classes) {
      throw new IllegalArgumentException(
          Text.format(
              "The network is told one of %d class(es), but the labels of the images are %s; they must be [N,classes], one-hot.",
              classes, oneHot == null ? "missing" : Arrays.toString(oneHot.shape())));
    }
    return Optional.of(Nd4j.createFromArray(classes(oneHot)));
  }

  /** The place of the 1 in each row. Numbers of classes in a column would all be class 0. */
  private static int[] classes(INDArray oneHot) {
    double[] values;
    try (INDArray copy = oneHot.dup('c')) {
      values = copy.data().asDouble();
    }
    int columns = (int) oneHot.size(1);
    int[] classes = new int[(int) oneHot.size(0)];
    for (int image = 0; image < classes.length; image++) {
      double[] row = Arrays.copyOfRange(values, image * columns, (image + 1) * columns);
      long ones = Arrays.stream(row).filter(value -> value == 1).count();
      long zeros = Arrays.stream(row).filter(value -> value == 0).count();
      if (ones != 1 || zeros != columns - 1) {
        throw new IllegalArgumentException(
            Text.format(
                "The labels of image %d are %s; they must be one-hot, a row with 1 in the column of the image's class and 0 in the others.",
                image, Arrays.toString(row)));
      }
      while (row[classes[image]] != 1) {
        classes[image]++;
      }
    }
    return classes;
  }

  /** Replaces some classes by the last one, which stands for none (Ho and Salimans 2022). */
  static void drop(
      INDArray labels, TrainingConfig config, UnetConfig network, long step, long first) {
    double share = config.objective().labelDropout();
    if (share > 0) {
      CounterRandom random = new CounterRandom(config.seed(), Purpose.LABEL_DROPOUT);
      for (long i = 0; i < labels.length(); i++) {
        if (random.uniform(first + i, step, 0) < share) {
          labels.putScalar(i, network.nullClass());
        }
      }
    }
  }
}
