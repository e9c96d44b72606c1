package org.ddpm4j.diffusion.random;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.CommonThreads;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Standard normal noise of the images of a batch, each of which is a function of its place alone,
 * so that several threads draw it. Noise that is added is never an array of its own where the
 * images are of FLOAT.
 */
@FunctionalInterface
interface GaussianImages {

  /** Draws the first elements of an image, in the order of {@code [C,H,W]}, a few at a time. */
  void draw(int image, int count, CounterRandom.Tile tile);

  /** A new array, FLOAT. */
  default INDArray gaussian(long... shape) {
    requireImages(shape);
    INDArray noise = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    int images = Math.toIntExact(shape[0]);
    Optional<FloatBuffer> memory = BatchArithmetic.floats(noise);
    if (memory.isEmpty()) {
      FloatBuffer values = FloatBuffer.allocate(Math.toIntExact(noise.length()));
      fill(images, values);
      return Nd4j.create(values.array(), shape, 'c');
    }
    try {
      fill(images, memory.get());
    } finally {
      Reference.reachabilityFence(noise);
    }
    return noise;
  }

  private static void requireImages(long... shape) {
    Objects.requireNonNull(shape, "shape");
    if (shape.length == 0 || Arrays.stream(shape).anyMatch(size -> size < 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "Noise of the shape %s cannot be drawn; it takes [N,C,H,W], each at least 1.",
              Arrays.toString(shape)));
    }
  }

  private void fill(int images, FloatBuffer noise) {
    forEachTile(images, noise.limit(), (first, values, n) -> noise.put(first, values, 0, n));
  }

  /** Makes {@code images + factor·noise} of images. */
  default void addGaussian(INDArray images, double factor) {
    requireImages(Objects.requireNonNull(images, "images").shape());
    Optional<FloatBuffer> memory = BatchArithmetic.floats(images);
    if (memory.isEmpty()) {
      BatchArithmetic.addScaled(images, factor, gaussian(images.shape()));
      return;
    }
    FloatBuffer sums = memory.get();
    try {
      forEachTile(
          Math.toIntExact(images.size(0)),
          sums.limit(),
          (first, values, n) -> {
            float[] sum = new float[n];
            sums.get(first, sum);
            addScaled(sum, (float) factor, values);
            sums.put(first, sum);
          });
    } finally {
      Reference.reachabilityFence(images);
    }
  }

  private void forEachTile(int images, int elements, CounterRandom.Tile tile) {
    int perImage = images == 0 ? 0 : elements / images;
    CommonThreads.forEach(
        images,
        i -> draw(i, perImage, (first, values, n) -> tile.accept(i * perImage + first, values, n)));
  }

  /** Apart so that the JIT compiler turns it into vector instructions. */
  private static void addScaled(float[] sum, float factor, float[] values) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * values[i];
    }
  }
}
