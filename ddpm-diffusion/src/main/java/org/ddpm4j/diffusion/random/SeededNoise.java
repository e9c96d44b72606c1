package org.ddpm4j.diffusion.random;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Noise of a seed; what is added is never an array of its own. */
record SeededNoise(CounterRandom random, long firstImage) implements NoiseSource {

  @Override
  public INDArray gaussian(long step, long... shape) {
    return new BatchRandom(random, step, firstImage).gaussian(shape);
  }

  @Override
  public void addTo(INDArray x, double factor, long step) {
    new BatchRandom(random, step, firstImage).addGaussian(x, factor);
  }
}
