package org.ddpm4j.cli;

import java.io.IOException;
import java.util.Arrays;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.HorizontalFlip;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Mnist;
import org.ddpm4j.data.Split;

/** The data sets that can be trained on by name. */
enum KnownDataSet {
  FASHION_MNIST {
    @Override
    ImageDataSet load(Split split, DataSources sources) throws IOException {
      return FashionMnist.load(split, sources);
    }

    @Override
    HorizontalFlip usualFlip() {
      return HorizontalFlip.RANDOM;
    }
  },
  MNIST {
    @Override
    ImageDataSet load(Split split, DataSources sources) throws IOException {
      return Mnist.load(split, sources);
    }

    @Override
    HorizontalFlip usualFlip() {
      return HorizontalFlip.NONE;
    }
  };

  abstract ImageDataSet load(Split split, DataSources sources) throws IOException;

  /** Mirrored clothes are clothes, mirrored digits are not digits. */
  abstract HorizontalFlip usualFlip();

  /** The data set that a run's configuration names. */
  static KnownDataSet named(String name) throws IOException {
    return Arrays.stream(values())
        .filter(dataSet -> Names.of(dataSet).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IOException(
                    "The run was trained on the data set %s, which this program does not know; resume it from Java."
                        .formatted(name)));
  }
}
