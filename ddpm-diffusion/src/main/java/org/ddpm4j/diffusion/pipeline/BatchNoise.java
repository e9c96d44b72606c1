package org.ddpm4j.diffusion.pipeline;

import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

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
   * @return the noise of N images; an {@link IllegalArgumentException} for others
   */
  static BatchNoise startingFrom(INDArray start, long seed) {
    Objects.requireNonNull(start, "start");
    return (first, size) -> {
      long images = start.rank() == 0 ? 0 : start.size(0);
      if (first < 0 || first + (long) size > images) {
        throw new IllegalArgumentException(
            Text.format(
                "Images %d to before %d are to begin with a given noise, which is that of %d; give as much noise as there are images.",
                first, first + (long) size, images));
      }
      return NoiseSource.startingFrom(
          Views.images(start, first, first + size), NoiseSource.seeded(seed, first));
    };
  }
}
