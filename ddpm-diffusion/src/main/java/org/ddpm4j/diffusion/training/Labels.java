package org.ddpm4j.diffusion.training;

import java.util.Arrays;
import java.util.Optional;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

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
              "The network is told one of %d classes, but the labels of the images are %s; they must be [N,classes], one-hot.",
              classes, oneHot == null ? "missing" : Arrays.toString(oneHot.shape())));
    }
    return Optional.of(oneHot.argMax(1).castTo(DataType.INT32));
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
