package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Turns noise into images. Implementations hold nothing but their options and are thread-safe. */
public interface Sampler {

  /**
   * Draws a batch of images.
   *
   * @param denoiser the model
   * @param noise all randomness of the run
   * @param observer sees every state
   * @param shape {@code [N,C,H,W]}
   * @return images of that shape, in the range of the training data
   */
  INDArray sample(Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape);

  /** {@return the number of steps, after each of which the observer is told, at least 1} */
  int steps();

  /** {@return the number of times that the denoiser is asked, at least the number of steps} */
  default int evaluations() {
    return steps();
  }
}
