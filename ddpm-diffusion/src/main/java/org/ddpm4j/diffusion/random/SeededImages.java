package org.ddpm4j.diffusion.random;

import java.util.List;
import java.util.stream.LongStream;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Noise of images that have seeds of their own; what is added is never an array of its own. */
final class SeededImages implements NoiseSource {

  private final List<CounterRandom> randoms;
  private final long[] numbers;

  SeededImages(long[] seeds, long[] numbers) {
    if (seeds.length != numbers.length) {
      throw new IllegalArgumentException(
          Text.format(
              "%d seeds were given for %d image(s); each image has one.",
              seeds.length, numbers.length));
    }
    this.randoms =
        LongStream.of(seeds)
            .mapToObj(seed -> new CounterRandom(seed, Purpose.SAMPLING_NOISE))
            .toList();
    this.numbers = numbers.clone();
  }

  @Override
  public INDArray gaussian(long step, long... shape) {
    return images(step, shape[0]).gaussian(shape);
  }

  @Override
  public void addTo(INDArray x, double factor, long step) {
    images(step, x.size(0)).addGaussian(x, factor);
  }

  private GaussianImages images(long step, long count) {
    if (count != numbers.length) {
      throw new IllegalArgumentException(
          Text.format(
              "Noise for %d image(s) was asked for; it is that of %d.", count, numbers.length));
    }
    return (image, elements, tile) ->
        randoms.get(image).gaussian(numbers[image], step, elements, tile);
  }
}
