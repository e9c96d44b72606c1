package org.ddpm4j.diffusion.sampling;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.CommonThreads;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Dynamic thresholding (Saharia et al. 2022, section 2.3).
 *
 * @param ratio which quantile of the absolute values of an image
 * @param maxThreshold the greatest threshold
 */
record DynamicThreshold(double ratio, double maxThreshold) implements X0Constraint {

  DynamicThreshold {
    if (!(ratio > 0 && ratio <= 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "The quantile of dynamic thresholding is %s; it must be above 0 and at most 1.",
              ratio));
    }
    if (!(maxThreshold > 0)) {
      throw new IllegalArgumentException(
          Text.format("The greatest threshold is %s; it must be positive.", maxThreshold));
    }
  }

  @Override
  public INDArray apply(INDArray x0) {
    INDArray thresholded = x0.dup('c');
    Optional<FloatBuffer> memory = BatchArithmetic.floats(thresholded);
    if (memory.isPresent()) {
      int images = (int) x0.size(0);
      int perImage = memory.get().limit() / images;
      try {
        CommonThreads.forEach(images, n -> apply(memory.get(), n * perImage, perImage));
      } finally {
        Reference.reachabilityFence(thresholded);
      }
      return thresholded;
    }
    for (long n = 0; n < x0.size(0); n++) {
      INDArray image = thresholded.get(NDArrayIndex.point(n));
      double s = threshold(Arrays.stream(image.dup('c').data().asDouble()));
      image.assign(Nd4j.math().clipByValue(image.dup(), -s, s).divi(s));
    }
    return thresholded;
  }

  /** The same where an image's elements can be reached. */
  private void apply(FloatBuffer images, int first, int perImage) {
    float[] image = new float[perImage];
    images.get(first, image);
    float s = (float) threshold(IntStream.range(0, perImage).mapToDouble(i -> image[i]));
    for (int i = 0; i < perImage; i++) {
      image[i] = Math.min(Math.max(image[i], -s), s) / s;
    }
    images.put(first, image);
  }

  private double threshold(DoubleStream values) {
    return Math.min(Math.max(quantile(values), 1), maxThreshold);
  }

  /** Interpolated linearly between the two absolute values in order that are nearest to it. */
  private double quantile(DoubleStream values) {
    // The bits of numbers that are not negative have the order of the numbers, NaN being the last.
    long[] bits = values.mapToLong(value -> Double.doubleToLongBits(Math.abs(value))).toArray();
    double place = ratio * (bits.length - 1);
    int index = (int) place;
    double below = Double.longBitsToDouble(select(bits, index));
    long next = Arrays.stream(bits, index + 1, bits.length).min().orElse(bits[index]);
    double above = Double.longBitsToDouble(next);
    return below + (place - index) * (above - below);
  }

  /**
   * Puts a number where sorting would put it, none larger before and none smaller behind (Hoare
   * 1961, "Algorithm 65: Find").
   */
  private static long select(long[] numbers, int index) {
    int first = 0;
    int last = numbers.length - 1;
    while (first < last) {
      long pivot = median(numbers[first], numbers[(first + last) >>> 1], numbers[last]);
      int i = first;
      int j = last;
      while (i <= j) {
        while (numbers[i] < pivot) {
          i++;
        }
        while (numbers[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long smaller = numbers[j];
          numbers[j--] = numbers[i];
          numbers[i++] = smaller;
        }
      }
      if (j < index) {
        first = i;
      }
      if (index < i) {
        last = j;
      }
    }
    return numbers[index];
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
