package org.ddpm4j.diffusion.cold;

import org.nd4j.linalg.api.ndarray.INDArray;

/** How an image becomes a little less degraded once x0 has been guessed. */
public enum ColdAlgorithm {
  /**
   * {@code x_{s-1} = D(x̂0, s-1)} (Bansal et al. 2022, algorithm 1). Every error of the guess goes
   * into the next image.
   */
  NAIVE {
    @Override
    INDArray step(Degradation degradation, INDArray xs, INDArray x0, int severity, long[] keys) {
      return degradation.degrade(x0, severity - 1, keys);
    }
  },
  /**
   * {@code x_{s-1} = x_s - D(x̂0, s) + D(x̂0, s-1)} (Bansal et al. 2022, algorithm 2, named TACoS
   * in its later version). Of the guess only the difference that a step makes is used: where {@code
   * D(x, s) = x + s e}, every guess whatsoever gives the exact x_{s-1} (section 3.3).
   */
  IMPROVED {
    @Override
    INDArray step(Degradation degradation, INDArray xs, INDArray x0, int severity, long[] keys) {
      INDArray next = degradation.degrade(x0, severity - 1, keys);
      try (INDArray same = degradation.degrade(x0, severity, keys)) {
        return next.addi(xs).subi(same);
      }
    }
  };

  /** Gives x_{s-1} as a new array. */
  abstract INDArray step(
      Degradation degradation, INDArray xs, INDArray x0, int severity, long[] keys);
}
