package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The forward process q, which turns images into noise (Ho et al. 2020, section 2).
 *
 * @param schedule how much noise each step adds
 */
public record ForwardProcess(NoiseSchedule schedule) {

  /** Checks that there is a schedule. */
  public ForwardProcess {
    Objects.requireNonNull(schedule, "schedule");
  }

  /**
   * Draws from {@code q(x_t | x_0) = N(√ᾱ_t x_0, (1-ᾱ_t) I)} (Ho et al. 2020, eq. 4).
   *
   * @param x0 images, {@code [N,C,H,W]}, usually in [-1,1]
   * @param t the timestep of each image, N of them, zero-based
   * @param eps standard normal noise of x0's shape
   * @return {@code √ᾱ_t x0 + √(1-ᾱ_t) eps}, of x0's shape and type
   * @throws IllegalArgumentException if the shapes differ or the images are whole numbers
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray qSample(INDArray x0, int[] t, INDArray eps) {
    return PerImage.combine(
        x0,
        eps,
        i -> new double[] {schedule.sqrtAlphasCumprod(i), schedule.sqrtOneMinusAlphasCumprod(i)},
        t);
  }

  /**
   * Draws from q at any noise level, be it between two timesteps.
   *
   * @param x0 images, {@code [N,C,H,W]}, usually in [-1,1]
   * @param level of all of them
   * @param eps standard normal noise of x0's shape
   * @return {@code α x0 + σ eps}, of x0's shape and of eps' type
   * @throws IllegalArgumentException if the shapes differ
   */
  public static INDArray qSample(INDArray x0, NoiseLevel level, INDArray eps) {
    Objects.requireNonNull(x0, "x0");
    Objects.requireNonNull(level, "level");
    Objects.requireNonNull(eps, "eps");
    if (!Arrays.equals(x0.shape(), eps.shape())) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise has the shape %s where the images have %s.",
              Arrays.toString(eps.shape()), Arrays.toString(x0.shape())));
    }
    return BatchArithmetic.combine(level.sigma(), eps, level.alpha(), x0.castTo(eps.dataType()));
  }

  /**
   * Draws from {@code q(x_t | x_{t-1}) = N(√(1-β_t) x_{t-1}, β_t I)} (Ho et al. 2020, eq. 2): one
   * step of the chain. At t = 0 the previous state is the image itself.
   *
   * @param previous the state before, {@code [N,C,H,W]}
   * @param t the timestep to step to, one for each image, zero-based
   * @param eps standard normal noise of the same shape
   * @return {@code √(1-β_t) previous + √β_t eps}, of the previous state's shape and type
   * @throws IllegalArgumentException if the shapes differ or the images are whole numbers
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public INDArray qStep(INDArray previous, int[] t, INDArray eps) {
    return PerImage.combine(
        previous,
        eps,
        i -> new double[] {Math.sqrt(1 - schedule.betas(i)), Math.sqrt(schedule.betas(i))},
        t);
  }
}
