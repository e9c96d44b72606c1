package org.ddpm4j.data;

/**
 * How a published data set uses the IDX format.
 *
 * @param training what the names of the files to train on begin with
 * @param test what the names of the files to measure on begin with
 * @param firstLabel the label of the first class
 * @param order of the pixels in a file of images
 */
record IdxConventions(String training, String test, int firstLabel, PixelOrder order) {

  /** MNIST's, which most follow. */
  static final IdxConventions MNIST = new IdxConventions("train", "t10k", 0, PixelOrder.ROW_BY_ROW);

  /** In which order the pixels of an image come. */
  enum PixelOrder {
    /** As the format has it. */
    ROW_BY_ROW,
    /** As programs write that count columns first: images lie on their side and are mirrored. */
    COLUMN_BY_COLUMN
  }

  /** The name, without .gz, of the file of images. */
  String imagesName(Split split) {
    return prefix(split) + "-images-idx3-ubyte";
  }

  /** The name, without .gz, of the file of labels. */
  String labelsName(Split split) {
    return prefix(split) + "-labels-idx1-ubyte";
  }

  private String prefix(Split split) {
    return switch (split) {
      case TRAIN -> training;
      case TEST -> test;
    };
  }
}
