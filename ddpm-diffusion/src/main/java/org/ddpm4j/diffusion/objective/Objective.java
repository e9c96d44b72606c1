package org.ddpm4j.diffusion.objective;

import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;

/**
 * What a network is trained for. Implementations hold nothing but their options and are
 * thread-safe.
 */
public interface Objective {

  /**
   * The length of the chain: timesteps are drawn from 0..T-1.
   *
   * @return T, at least 1
   */
  int timesteps();

  /**
   * The loss of each image and the gradient of their weighted mean. Of networks with dropout this,
   * and no other question, is asked {@linkplain org.ddpm4j.unet.UnetInput#withDropout with} the
   * {@linkplain TrainingBatch#dropout masks} of the batch.
   *
   * @param unet the network
   * @param batch what it is trained on
   * @param weights of the images, N of them: the gradient is that of {@code mean(weight · loss)}
   * @param gradient receives the gradient
   * @return the loss of each image without its weight, N of them
   */
  double[] lossAndGradient(Unet unet, TrainingBatch batch, double[] weights, Parameters gradient);

  /**
   * The loss of each image.
   *
   * @param unet the network
   * @param batch what it is asked
   * @return the losses, N of them
   */
  double[] losses(Unet unet, TrainingBatch batch);

  /**
   * Whether images may be pixels from 0 to 255, because this scales them by itself. Where it does
   * not, a {@linkplain org.ddpm4j.diffusion.training.Trainer training} refuses them.
   *
   * @return false unless an objective says otherwise
   */
  default boolean takesPixels() {
    return false;
  }
}
