package org.ddpm4j.diffusion.random;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.kernels.random.BatchKey;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
    INDArray noise = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    int images = Math.toIntExact(shape[0]);
    Optional<FloatBuffer> memory = BatchArithmetic.floats(noise);
    if (memory.isEmpty()) {
      FloatBuffer values = FloatBuffer.allocate(Math.toIntExact(noise.length()));
      draw(images, values);
      return Nd4j.create(values.array(), shape, 'c');
    }
    draw(images, memory.get());
    return noise;
  }

  private void draw(int images, FloatBuffer noise) {
    forEachTile(images, noise.limit(), (first, values, n) -> noise.put(first, values, 0, n));
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
    Optional<FloatBuffer> memory = BatchArithmetic.floats(images);
    if (memory.isEmpty()) {
      BatchArithmetic.addScaled(images, factor, gaussian(images.shape()));
      return;
    }
    FloatBuffer sums = memory.get();
    forEachTile(
        Math.toIntExact(images.size(0)),
        sums.limit(),
        (first, values, n) -> {
          float[] sum = new float[n];
          sums.get(first, sum);
          addScaled(sum, (float) factor, values);
          sums.put(first, sum);
        });
    Reference.reachabilityFence(images);
  }

  private void forEachTile(int images, int elements, CounterRandom.Tile tile) {
    int perImage = images == 0 ? 0 : elements / images;
    IntStream.range(0, images)
        .parallel()
        .forEach(
            i ->
                random.gaussian(
                    firstImage + i,
                    step,
                    perImage,
                    (first, values, n) -> tile.accept(i * perImage + first, values, n)));
  }

  /** Apart so that the JIT compiler turns it into vector instructions. */
  private static void addScaled(float[] sum, float factor, float[] values) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * values[i];
    }
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
