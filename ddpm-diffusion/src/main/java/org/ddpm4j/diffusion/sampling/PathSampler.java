package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A sampler that follows a path down from one noise level. What stands at its beginning need not be
 * noise: it may be an image with noise added, or what another image was encoded as.
 */
public interface PathSampler extends Sampler {

  /**
   * The noise level of the state that a run begins with.
   *
   * @return where the denoiser is asked first
   */
  NoiseLevel first();

  /**
   * The state that a run begins with where no other is given: noise.
   *
   * @param noise all randomness of the run
   * @param shape {@code [N,C,H,W]}
   * @return of that shape
   */
  INDArray initial(NoiseSource noise, long... shape);

  /**
   * Draws a batch of images from a given state.
   *
   * @param denoiser the model
   * @param start the state at the first noise level, {@code [N,C,H,W]}; not modified. Its type
   *     should be that of the noise
   * @param noise all further randomness of the run
   * @param observer sees every state but the first
   * @return images of that shape, in the range of the training data
   */
  INDArray denoise(Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer);

  @Override
  default INDArray sample(
      Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
    return denoise(denoiser, initial(noise, shape), noise, observer);
  }
}
