package org.ddpm4j.diffusion.sampling;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Watches a sampler at work, for a progress bar or for pictures of the steps between. */
@FunctionalInterface
public interface SamplingObserver {

  /** Does nothing. */
  SamplingObserver NONE = (stepsDone, x, x0) -> {};

  /**
   * Called after every step.
   *
   * @param stepsDone 1 after the first step, the sampler's number of steps after the last
   * @param x the state after the step, {@code [N,C,H,W]}; not to be modified
   * @param x0 the estimate of the image that the step was made with, same shape; not to be modified
   */
  void onStep(int stepsDone, INDArray x, INDArray x0);
}
