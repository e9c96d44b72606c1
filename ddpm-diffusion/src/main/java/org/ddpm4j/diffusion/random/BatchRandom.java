package org.ddpm4j.diffusion.random;

import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.random.BatchKey;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What is random about the images of one batch: for each image a function of its number alone, so
 * that any part of a batch can be drawn anywhere.
 *
 * @param random the numbers' seed and purpose
 * @param step of the run
 * @param firstImage the number of the batch's first image
 */
public record BatchRandom(CounterRandom random, long step, long firstImage) {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if the numbers are missing
   */
  public BatchRandom {
    Objects.requireNonNull(random, "random");
  }

  /**
   * Standard normal noise, drawn by several threads.
   *
   * @param shape {@code [N,C,H,W]}
   * @return a new array of that shape, FLOAT
   * @throws IllegalArgumentException if the step or the number of an image is not in 0..2³²-1
   */
  public INDArray gaussian(long... shape) {
    return images().gaussian(shape);
  }

  /**
   * Adds standard normal noise, drawn by several threads, without an array of its own where the
   * images are of FLOAT.
   *
   * @param images {@code [N,C,H,W]}, become {@code images + factor·noise}
   * @param factor of the noise
   * @throws IllegalArgumentException if the step or the number of an image is not in 0..2³²-1
   */
  public void addGaussian(INDArray images, double factor) {
    images().addGaussian(images, factor);
  }

  private GaussianImages images() {
    return (image, count, tile) -> random.gaussian(firstImage + image, step, count, tile);
  }

  /**
   * The key of the same images for another purpose.
   *
   * @param purpose what other numbers are for
   * @return the key, with which networks and devices draw numbers themselves
   * @throws IllegalArgumentException if the step or the number of an image is not in 0..2³²-1
   */
  public BatchKey key(Purpose purpose) {
    return new BatchKey(random.seed(), purpose.number(), firstImage, step);
  }

  /**
   * A key for each image, for whatever else than noise an image may be spoilt by.
   *
   * @param images how many, N
   * @return N keys of 64 random bits
   * @throws IllegalArgumentException if the step or the number of an image is not in 0..2³²-1
   */
  public long[] keys(int images) {
    return IntStream.range(0, images)
        .mapToLong(i -> random.bits(firstImage + i, step, 0))
        .toArray();
  }
}
