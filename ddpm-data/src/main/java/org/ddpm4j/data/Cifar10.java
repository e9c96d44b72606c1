package org.ddpm4j.data;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * CIFAR-10 in its binary version: 50,000 training and 10,000 test images {@code [3,32,32]} of ten
 * kinds of things (Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images").
 *
 * <p>A file is a sequence of records of 3073 bytes: the label, 0..9, then the image, {@code
 * [3,32,32]}: all red, then all green, then all blue, row by row. The training images are in {@code
 * data_batch_1.bin} to {@code data_batch_5.bin}, the test images in {@code test_batch.bin}; {@code
 * batches.meta.txt}, which may be missing, names the classes.
 */
public final class Cifar10 {

  /** The folder that the published archive unpacks to. */
  static final String ARCHIVE_FOLDER = "cifar-10-batches-bin";

  private static final String FIRST_FILE = "data_batch_1.bin";
  private static final String TEST_FILE = "test_batch.bin";
  private static final int RECORDS_PER_FILE = 10_000;

  private Cifar10() {}

  /**
   * The images of one part, from the first of this machine's sources that has them.
   *
   * @param split training or test images
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split) throws IOException {
    return load(split, DataSources.ofHost());
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, the system's folder. In each, the files may also lie in the folder {@code
   * cifar-10-batches-bin} that the published archive unpacks to. Nothing is downloaded.
   *
   * @param split training or test images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split, DataSources sources) throws IOException {
    Objects.requireNonNull(sources, "sources");
    return files(split).load(split, sources);
  }

  private static CifarFiles files(Split split) {
    return new CifarFiles(
        new UnpackedArchive(
            "CIFAR-10",
            "cifar10",
            List.of(ARCHIVE_FOLDER),
            split == Split.TRAIN ? FIRST_FILE : TEST_FILE,
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "170 MB",
            List.of(
                new UnpackedArchive.OtherVersion(
                    "data_batch_1",
                    "cifar-10-batches-py",
                    "the Python version of CIFAR-10, pickles, which are not read here"),
                new UnpackedArchive.OtherVersion(
                    "data_batch_1.mat",
                    "cifar-10-batches-mat",
                    "the Matlab version of CIFAR-10, which is not read here"))),
        List.of(
            FIRST_FILE,
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin"),
        List.of(TEST_FILE),
        RECORDS_PER_FILE,
        RECORDS_PER_FILE,
        1,
        0,
        "batches.meta.txt",
        List.of(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck"));
  }
}
