package org.ddpm4j.cli;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.data.Cifar10;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.data.Mnist;
import org.ddpm4j.data.Split;
import org.ddpm4j.data.TinyImageNet;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.run.DataDescription;

/** The data sets that can be trained on by name. */
enum KnownDataSet {
  FASHION_MNIST(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return whole(FashionMnist.load(split, sources), preparation);
    }
  },
  MNIST(HorizontalFlip.NONE) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return whole(Mnist.load(split, sources), preparation);
    }
  },
  CIFAR10(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return whole(Cifar10.load(split, sources), preparation);
    }
  },
  TINY_IMAGENET(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return TinyImageNet.load(
          split, sources, preparation.fileOptions(new Size(TinyImageNet.SIZE, TinyImageNet.SIZE)));
    }
  },
  /** Any folder of image files, all to train on. */
  FOLDER(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      if (sources.dataFolder().isEmpty()) {
        throw new BadInputException(
            "The data set 'folder' is any folder with image files; name it by --data DIR.");
      }
      return ImageFolder.read(
          sources.dataFolder().get(),
          preparation.fileOptions(new SizeConverter().convert(Defaults.FOLDER_IMAGE_SIZE)));
    }

    @Override
    boolean hasTestImages() {
      return false;
    }
  };

  private final HorizontalFlip usualFlip;

  KnownDataSet(HorizontalFlip usualFlip) {
    this.usualFlip = usualFlip;
  }

  /** The images of a part, prepared in all but their normalisation. */
  abstract LoadedImages load(Split split, DataSources sources, Preparation preparation)
      throws IOException;

  private static LoadedImages whole(ImageDataSet images, Preparation preparation)
      throws IOException {
    return new LoadedImages(preparation.apply(images), List.of());
  }

  /** Whether it is published with images to measure on. */
  boolean hasTestImages() {
    return true;
  }

  /** Mirrored clothes are clothes, mirrored digits are not digits. */
  HorizontalFlip usualFlip() {
    return usualFlip;
  }

  /** The data set that a run's configuration names. */
  static KnownDataSet named(String name) throws IOException {
    return Arrays.stream(values())
        .filter(dataSet -> EnumConverter.spelling(dataSet).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IOException(
                    name.equals(DataDescription.UNKNOWN)
                        ? "It is not known what the network of this run was trained on; convert it"
                            + " again with --dataset."
                        : "The run was trained on the data set %s, which this program does not know; resume it from Java."
                            .formatted(name)));
  }
}
