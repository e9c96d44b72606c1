package org.ddpm4j.diffusion.pipeline;

import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The noise of each batch of a sampling. */
@FunctionalInterface
public interface BatchNoise {

  /**
   * The noise of some images.
   *
   * @param first the number of the first
   * @param size how many
   * @return their noise, a function of their numbers alone
   */
  NoiseSource of(int first, int size);

  /**
   * Noise of a seed.
   *
   * @param seed image i of a seed is always the same
   * @return the noise
   */
  static BatchNoise seeded(long seed) {
    return (first, size) -> NoiseSource.seeded(seed, first);
  }

  /**
   * Images that begin with a given noise, for example that of another program.
   *
   * @param start {@code [N,C,H,W]}, FLOAT or DOUBLE: what the first state of each image is made of
   * @param seed of the noise that the sampler adds on the way, if it does
   * @return the noise of N images
   */
  static BatchNoise startingFrom(INDArray start, long seed) {
    return (first, size) ->
        NoiseSource.startingFrom(
            start.get(NDArrayIndex.interval(first, first + size)), NoiseSource.seeded(seed, first));
  }
}
