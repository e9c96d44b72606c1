package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.data.Cifar10;
import org.ddpm4j.data.Cifar100;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.Emnist;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.Kmnist;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.data.Mnist;
import org.ddpm4j.data.Split;
import org.ddpm4j.data.TinyImageNet;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.io.Text;

/** The data sets that can be trained on by name. */
public enum KnownDataSet {
  /** Zalando's clothes. */
  FASHION_MNIST(HorizontalFlip.NONE, FashionMnist::load),
  /** Handwritten digits. */
  MNIST(HorizontalFlip.NONE, Mnist::load),
  /** Kuzushiji-MNIST: ten cursive Hiragana. */
  KMNIST(HorizontalFlip.NONE, Kmnist::load),
  /** EMNIST, 47 classes of equal size. */
  EMNIST_BALANCED(HorizontalFlip.NONE, emnist(Emnist.Variant.BALANCED)),
  /** EMNIST, 62 classes. */
  EMNIST_BYCLASS(HorizontalFlip.NONE, emnist(Emnist.Variant.BYCLASS)),
  /** EMNIST, 47 classes. */
  EMNIST_BYMERGE(HorizontalFlip.NONE, emnist(Emnist.Variant.BYMERGE)),
  /** EMNIST's letters, upper and lower case together. */
  EMNIST_LETTERS(HorizontalFlip.NONE, emnist(Emnist.Variant.LETTERS)),
  /** EMNIST's digits. */
  EMNIST_DIGITS(HorizontalFlip.NONE, emnist(Emnist.Variant.DIGITS)),
  /** EMNIST's digits in MNIST's sizes. */
  EMNIST_MNIST(HorizontalFlip.NONE, emnist(Emnist.Variant.MNIST)),
  /** CIFAR-10. */
  CIFAR10(HorizontalFlip.RANDOM, Cifar10::load),
  /** CIFAR-100 with its 100 classes. */
  CIFAR100(
      HorizontalFlip.RANDOM,
      (split, sources) -> Cifar100.load(split, Cifar100.Labels.FINE, sources)),
  /** TinyImageNet, 200 classes. */
  TINY_IMAGENET(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return TinyImageNet.load(
          split, sources, preparation.fileOptions(new Size(TinyImageNet.SIZE, TinyImageNet.SIZE)));
    }
  },
  /** Any folder of image files, all to train on unless it comes in two parts. */
  FOLDER(HorizontalFlip.RANDOM) {
    @Override
    LoadedImages load(Split split, DataSources sources, Preparation preparation)
        throws IOException {
      return ImageFolder.read(
          folder(sources),
          split,
          ImageFolder.Labels.SUB_FOLDERS,
          preparation.fileOptions(new SizeConverter().convert(Defaults.FOLDER_IMAGE_SIZE)));
    }

    @Override
    boolean hasTestImages(DataSources sources) throws IOException {
      return ImageFolder.hasTestImages(folder(sources));
    }

    private Path folder(DataSources sources) {
      return sources
          .dataFolder()
          .orElseThrow(
              () ->
                  new BadInputException(
                      "The data set 'folder' is any folder with image files; name it by --data DIR."));
    }
  };

  /** Reads a data set that is in memory as a whole. */
  @FunctionalInterface
  private interface Reader {
    ImageDataSet load(Split split, DataSources sources) throws IOException;
  }

  private final HorizontalFlip usualFlip;
  private final Reader reader;

  /** Of image files, which are brought to their size while they are read. */
  KnownDataSet(HorizontalFlip usualFlip) {
    this(usualFlip, null);
  }

  KnownDataSet(HorizontalFlip usualFlip, Reader reader) {
    this.usualFlip = usualFlip;
    this.reader = reader;
  }

  private static Reader emnist(Emnist.Variant variant) {
    return (split, sources) -> Emnist.load(variant, split, sources);
  }

  /**
   * Whether a run's images are nowhere unless the user says where.
   *
   * @param data what the run was trained on
   * @return whether {@code --data} is needed to read them again
   */
  public static boolean isWhereTheUserSays(DataDescription data) {
    return data.name().equals(EnumConverter.spelling(FOLDER));
  }

  /** The images of a part, prepared in all but their normalisation. */
  LoadedImages load(Split split, DataSources sources, Preparation preparation) throws IOException {
    return new LoadedImages(preparation.apply(reader.load(split, sources)), List.of());
  }

  /** Whether there are images to measure on. */
  boolean hasTestImages(DataSources sources) throws IOException {
    return true;
  }

  /**
   * Mirrored digits are no digits, and the shoes of Fashion-MNIST all point to the left: mirrored
   * they cost a fifth of the distance to its images (docs/recipes.md).
   *
   * @return whether images are flipped unless the user says otherwise
   */
  public HorizontalFlip usualFlip() {
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
                        : Text.format(
                            "The run was trained on the data set %s, which this program does not know; resume it from Java.",
                            name)));
  }
}
