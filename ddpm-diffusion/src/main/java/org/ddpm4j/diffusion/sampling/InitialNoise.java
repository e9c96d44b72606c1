package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the state is drawn from before the first step. */
public enum InitialNoise {
  /** N(0,1), as if nothing but noise were left of the image (Ho et al. 2020, algorithm 2). */
  STANDARD {
    @Override
    INDArray draw(NoiseLevel first, NoiseSource noise, long... shape) {
      return noise.initial(0, shape);
    }
  },
  /**
   * N(0,σ²) with the σ of the first level, the noise's share alone (Karras et al. 2022, algorithm
   * 1, in our scale). It differs from the other by the share of the image that is left: nothing
   * where the SNR ends at 0, 0.25 % of the deviation where ᾱ ends at 0.005.
   */
  OF_LEVEL {
    @Override
    INDArray draw(NoiseLevel first, NoiseSource noise, long... shape) {
      return noise.initial(0, shape).muli(first.sigma());
    }
  };

  /** The state before the first step, from draw 0 of a run whatever the number of steps. */
  abstract INDArray draw(NoiseLevel first, NoiseSource noise, long... shape);
}
