package org.ddpm4j.diffusion;

import org.nd4j.linalg.api.ndarray.INDArray;

/** A network of the noisy image and the time, whatever it was trained to predict. */
@FunctionalInterface
public interface Network {

  /**
   * Runs the network.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @return the prediction, {@code [N,C,H,W]}
   */
  INDArray predict(INDArray x, INDArray t);
}
