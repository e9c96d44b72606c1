package org.ddpm4j.data;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * CIFAR-100 in its binary version: 50,000 training and 10,000 test images {@code [3,32,32]} of a
 * hundred kinds of things, five in each of twenty groups (Krizhevsky 2009, "Learning Multiple
 * Layers of Features from Tiny Images").
 *
 * <p>A file, {@code train.bin} or {@code test.bin}, is a sequence of records of 3074 bytes: the
 * group, 0..19, the class, 0..99, then the image as in {@link Cifar10}. {@code
 * fine_label_names.txt} and {@code coarse_label_names.txt}, which may be missing, name the classes
 * and the groups.
 */
public final class Cifar100 {

  /** The folder that the published archive unpacks to. */
  static final String ARCHIVE_FOLDER = "cifar-100-binary";

  private static final String TRAINING_FILE = "train.bin";
  private static final String TEST_FILE = "test.bin";

  /** What the class of an image is. */
  public enum Labels {
    /** One of a hundred kinds of things, as {@code maple_tree}. */
    FINE,
    /** One of twenty groups of them, as {@code trees}. */
    COARSE
  }

  private static final List<String> FINE =
      List.of(
          ("apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus"
                  + " butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud"
                  + " cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest"
                  + " fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard"
                  + " lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange"
                  + " orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy"
                  + " porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew"
                  + " skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper"
                  + " table tank telephone television tiger tractor train trout tulip turtle"
                  + " wardrobe whale willow_tree wolf woman worm")
              .split(" "));

  private static final List<String> COARSE =
      List.of(
          ("aquatic_mammals fish flowers food_containers fruit_and_vegetables"
                  + " household_electrical_devices household_furniture insects large_carnivores"
                  + " large_man-made_outdoor_things large_natural_outdoor_scenes"
                  + " large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people"
                  + " reptiles small_mammals trees vehicles_1 vehicles_2")
              .split(" "));

  private Cifar100() {}

  /**
   * The images of one part, from the first of this machine's sources that has them, in their
   * hundred classes.
   *
   * @param split training or test images
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split) throws IOException {
    return load(split, Labels.FINE, DataSources.ofHost());
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, the system's folder. In each, the files may also lie in the folder {@code
   * cifar-100-binary} that the published archive unpacks to. Nothing is downloaded.
   *
   * @param split training or test images
   * @param labels what the class of an image is
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split, Labels labels, DataSources sources)
      throws IOException {
    Objects.requireNonNull(sources, "sources");
    boolean fine = labels == Labels.FINE;
    return new CifarFiles(
            new UnpackedArchive(
                "CIFAR-100",
                "cifar100",
                List.of(ARCHIVE_FOLDER),
                split == Split.TRAIN ? TRAINING_FILE : TEST_FILE,
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                "161 MB",
                List.of(
                    new UnpackedArchive.OtherVersion(
                        "train",
                        "cifar-100-python",
                        "the Python version of CIFAR-100, pickles, which are not read here"),
                    new UnpackedArchive.OtherVersion(
                        "train.mat",
                        "cifar-100-matlab",
                        "the Matlab version of CIFAR-100, which is not read here"))),
            List.of(TRAINING_FILE),
            List.of(TEST_FILE),
            50_000,
            10_000,
            2,
            fine ? 1 : 0,
            fine ? "fine_label_names.txt" : "coarse_label_names.txt",
            fine ? FINE : COARSE)
        .load(split, sources);
  }
}
