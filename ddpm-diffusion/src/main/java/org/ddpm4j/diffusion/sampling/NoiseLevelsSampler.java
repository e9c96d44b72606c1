package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What samplers have in common whose steps lead from each of some noise levels to the next. */
interface NoiseLevelsSampler extends PathSampler {

  /** The levels of the run. */
  NoiseLevels levels();

  @Override
  default NoiseLevel first() {
    return levels().first();
  }

  @Override
  default INDArray initial(NoiseSource noise, long... shape) {
    return levels().initial(noise, shape);
  }

  @Override
  default int steps() {
    return levels().steps();
  }
}
