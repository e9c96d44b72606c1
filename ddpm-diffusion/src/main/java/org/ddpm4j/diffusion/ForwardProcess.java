package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The forward process q, which turns images into noise (Ho et al. 2020, section 2).
 *
 * @param schedule how much noise each step adds
 */
public record ForwardProcess(NoiseSchedule schedule) {

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
    return combine(
        x0, perImage(x0, t, schedule::sqrtAlphasCumprod),
        eps, perImage(x0, t, schedule::sqrtOneMinusAlphasCumprod));
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
    return combine(
        previous, perImage(previous, t, i -> Math.sqrt(1 - schedule.betas(i))),
        eps, perImage(previous, t, i -> Math.sqrt(schedule.betas(i))));
  }

  private static INDArray combine(INDArray a, INDArray aFactor, INDArray b, INDArray bFactor) {
    if (!Arrays.equals(a.shape(), b.shape())) {
      throw new IllegalArgumentException(
          "The noise has the shape %s where the images have %s."
              .formatted(Arrays.toString(b.shape()), Arrays.toString(a.shape())));
    }
    INDArray cast = b.castTo(a.dataType());
    INDArray scaled = cast.mul(bFactor);
    INDArray sum = a.mul(aFactor).addi(scaled);
    // At once: the garbage collector, which sees only the small Java objects, may wait for hours.
    scaled.close();
    if (cast != b) {
      cast.close();
    }
    aFactor.close();
    bFactor.close();
    return sum;
  }

  /** Coefficients as {@code [N,1,1,1]}, in the type of the images. */
  private static INDArray perImage(INDArray images, int[] t, IntToDoubleFunction coefficient) {
    if (t.length != images.size(0)) {
      throw new IllegalArgumentException(
          "%d timesteps were given for %d images.".formatted(t.length, images.size(0)));
    }
    if (!images.dataType().isFPType()) {
      throw new IllegalArgumentException(
          "The images are of type %s; noise needs FLOAT or DOUBLE, scaled to [-1,1]."
              .formatted(images.dataType()));
    }
    long[] shape = new long[images.rank()];
    Arrays.fill(shape, 1);
    shape[0] = t.length;
    INDArray coefficients = Nd4j.create(images.dataType(), shape);
    for (int i = 0; i < t.length; i++) {
      coefficients.putScalar(i, coefficient.applyAsDouble(t[i]));
    }
    return coefficients;
  }
}
