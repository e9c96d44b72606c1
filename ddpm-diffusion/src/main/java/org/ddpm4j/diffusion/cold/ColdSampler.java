package org.ddpm4j.diffusion.cold;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Undoes a degradation step by step (Bansal et al. 2022, section 3.2). No noise is involved: what
 * is given decides what comes out. To restore is to start from a degraded image; to generate, from
 * what images of the highest severity look like, for example a single colour after a strong blur.
 *
 * @param degradation what is undone
 * @param algorithm how a guess of x0 makes a step
 * @param x0Constraint applied to every guess of x0
 */
public record ColdSampler(
    Degradation degradation, ColdAlgorithm algorithm, X0Constraint x0Constraint) {

  /** Checks that nothing is missing. */
  public ColdSampler {
    Objects.requireNonNull(degradation, "degradation");
    Objects.requireNonNull(algorithm, "algorithm");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  /**
   * Restores degraded images.
   *
   * @param operator guesses x0
   * @param degraded images {@code x_s}, {@code [N,C,H,W]}
   * @param severity s of all of them, in 0..T; as many steps are made
   * @param keys that they were degraded with, N of them
   * @return the restored images x_0, a new array of the same shape and type
   * @throws IllegalArgumentException if shapes differ, the images are no {@code [N,C,H,W]} of FLOAT
   *     or DOUBLE, or the severity is not in 0..T
   * @throws NotFiniteException if a guess has a value that is not finite
   */
  public INDArray restore(
      RestorationOperator operator, INDArray degraded, int severity, long[] keys) {
    return restore(operator, degraded, severity, keys, SamplingObserver.NONE);
  }

  /**
   * Restores degraded images before the eyes of an observer.
   *
   * @param operator guesses x0
   * @param degraded images {@code x_s}, {@code [N,C,H,W]}
   * @param severity s of all of them, in 0..T; as many steps are made
   * @param keys that they were degraded with, N of them
   * @param observer sees every step
   * @return the restored images x_0, a new array of the same shape and type
   * @throws IllegalArgumentException if shapes differ, the images are no {@code [N,C,H,W]} of FLOAT
   *     or DOUBLE, or the severity is not in 0..T
   * @throws NotFiniteException if a guess has a value that is not finite
   */
  public INDArray restore(
      RestorationOperator operator,
      INDArray degraded,
      int severity,
      long[] keys,
      SamplingObserver observer) {
    Objects.requireNonNull(operator, "operator");
    Objects.requireNonNull(degraded, "degraded");
    Objects.requireNonNull(keys, "keys");
    ImageByImage.shape(degraded);
    ImageByImage.requireSeverity(degradation, severity);
    INDArray x = degraded.dup('c');
    for (int s = severity; s >= 1; s--) {
      INDArray guess = Objects.requireNonNull(operator.restore(x, s), "the operator's guess");
      if (!Arrays.equals(guess.shape(), x.shape())) {
        throw new IllegalArgumentException(
            Text.format(
                "The operator's guess has the shape %s where the images have %s; it must have the same.",
                Arrays.toString(guess.shape()), Arrays.toString(x.shape())));
      }
      NotFiniteException.requireFiniteGuess(x, guess, s);
      INDArray x0 = x0Constraint.apply(guess.castTo(x.dataType()));
      x = algorithm.step(degradation, x, x0, s, keys);
      observer.onStep(severity - s + 1, x, x0);
    }
    return x;
  }
}
