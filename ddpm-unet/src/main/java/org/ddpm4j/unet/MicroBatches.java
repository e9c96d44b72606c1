package org.ddpm4j.unet;

/**
 * How a batch is cut for gradients, which depends on the batch alone: the last digits of a gradient
 * depend on it, and must not on the number of threads.
 *
 * @param images of the batch
 * @param count how many micro-batches; their sizes differ by one image at most
 */
record MicroBatches(int images, int count) {

  /** Numbers of threads that divide this share the micro-batches evenly. */
  private static final int MULTIPLE = 8;

  /** Of batches of no more than two large micro-batches: smaller ones take longer an image. */
  private static final int MULTIPLE_OF_SMALL_BATCHES = 4;

  /**
   * As few micro-batches as can be shared out among several threads.
   *
   * @param images of the batch
   * @param largest the most images of a micro-batch
   */
  static MicroBatches of(int images, int largest) {
    int fitting = roundUp(images, largest) / largest;
    int multiple = fitting > 2 ? MULTIPLE : MULTIPLE_OF_SMALL_BATCHES;
    return new MicroBatches(images, Math.min(images, roundUp(fitting, multiple)));
  }

  private static int roundUp(int n, int multiple) {
    return (n + multiple - 1) / multiple * multiple;
  }

  /** {@return the first image of a micro-batch} */
  int first(int number) {
    return Math.toIntExact((long) images * number / count);
  }

  /** {@return the images of a micro-batch} */
  int size(int number) {
    return first(number + 1) - first(number);
  }
}
