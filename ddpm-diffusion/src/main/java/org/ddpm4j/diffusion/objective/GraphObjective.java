package org.ddpm4j.diffusion.objective;

import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.kernels.ops.ImageLoss;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An objective whose loss can be the end of the network's graph, so that a device takes whole steps
 * of training by itself.
 */
public interface GraphObjective extends Objective {

  /**
   * What the graph ends in.
   *
   * @return the loss of an image, or empty if it is none that graphs know, or asks somebody else
   *     than networks for its target
   */
  Optional<ImageLoss> graphLoss();

  /**
   * What the graph's losses at a timestep are multiplied by.
   *
   * @param t the timestep, zero-based
   * @return at least 0
   */
  double weight(int t);

  /**
   * The chain.
   *
   * @return its schedule
   */
  NoiseSchedule schedule();

  /**
   * What the network predicts.
   *
   * @return the prediction
   */
  Parameterization parameterization();

  /**
   * What the network is asked with.
   *
   * @param t the timestep, zero-based
   * @return the timestep, unless the prediction {@linkplain Parameterization#scales scales}
   */
  default double time(int t) {
    return parameterization().time(schedule(), NoiseLevel.of(schedule(), t));
  }

  /**
   * What makes noisy images and targets of images and noise: what the network is given is the first
   * factor times x0 and the second times ε, what it should say is the third times x0 and the fourth
   * times ε. Where {@link #targetNetworks networks} make the target, that is of no matter.
   *
   * @param t the timestep of each image, zero-based, N of them
   * @return four factors for each image, {@code [N,4]}
   */
  default float[] diffusionFactors(int... t) {
    float[] factors = new float[4 * t.length];
    for (int i = 0; i < t.length; i++) {
      NoiseLevel level = NoiseLevel.of(schedule(), t[i]);
      double[] target = parameterization().targetFactors(schedule(), t[i]);
      double scale = parameterization().inputFactor(level);
      factors[4 * i] = (float) (scale * level.alpha());
      factors[4 * i + 1] = (float) (scale * level.sigma());
      factors[4 * i + 2] = (float) target[0];
      factors[4 * i + 3] = (float) target[1];
    }
    return factors;
  }

  /**
   * What the loss takes from the timesteps.
   *
   * @param network that is trained
   * @param t the timestep of each image, zero-based, N of them
   * @return a row for each image, or empty where it takes nothing
   */
  default Optional<float[]> lossCoefficients(UnetConfig network, int... t) {
    return Optional.empty();
  }

  /**
   * Whether it trains networks that condition on their own estimates of the images.
   *
   * @return true if {@link #estimateFactors} may be asked
   */
  default boolean tellsEstimates() {
    return false;
  }

  /**
   * What makes an estimate of the images of what a network is given and of what it answers if it is
   * told no estimate.
   *
   * @param seed of the training
   * @param step of the training
   * @param t the timestep of each image, zero-based, N of them
   * @return two factors for each image, {@code [N,2]}, the first that of what the network is given;
   *     or empty where it is told no estimate in this step
   * @throws IllegalArgumentException if the answer does not {@linkplain
   *     Parameterization#determinesX0 determine} the image
   */
  default Optional<float[]> estimateFactors(long seed, long step, int... t) {
    return Optional.empty();
  }

  /**
   * The networks whose answers make the target.
   *
   * @return them in the order in which they are asked, the same several times perhaps; empty where
   *     image and noise make the target
   */
  default List<Unet> targetNetworks() {
    return List.of();
  }

  /**
   * What these networks are asked, and what their answers make.
   *
   * @param t the timestep of each image, zero-based, N of them
   * @return factors for each image, or empty where image and noise make the target
   * @throws IllegalArgumentException if an answer does not {@linkplain
   *     Parameterization#determinesX0 determine} the image
   */
  default Optional<TrainingProgram.AnsweredTarget> answeredTarget(int... t) {
    return Optional.empty();
  }

  /**
   * Checks images that a graph could not refuse. All will do, unless an objective says otherwise.
   *
   * @param x0 images, {@code [N,C,H,W]}
   * @param t the timestep of each image, zero-based
   * @throws IllegalArgumentException if the objective is not for such images
   */
  default void check(INDArray x0, int... t) {}
}
