package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A step of a sampler from one noise level to a lower one, and the moves that solvers are made of.
 *
 * @param from the level before
 * @param to the level after, of at least the same ᾱ
 */
public record NoiseStep(NoiseLevel from, NoiseLevel to) {

  /**
   * Checks the direction.
   *
   * @throws IllegalArgumentException if the step adds noise
   */
  public NoiseStep {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(to, "to");
    if (to.alphaCumprod() < from.alphaCumprod()) {
      throw new IllegalArgumentException(
          Text.format(
              "A step from ᾱ = %s to ᾱ = %s adds noise; a sampler has to remove it.",
              from.alphaCumprod(), to.alphaCumprod()));
    }
  }

  /**
   * The length of the step.
   *
   * @return λ after less λ before, from 0 to infinity
   */
  public double h() {
    return to.alphaCumprod() == from.alphaCumprod() ? 0 : to.lambda() - from.lambda();
  }

  /** Whether both ends have an image and noise in them, so that λ and ρ are finite at both. */
  boolean isFinite() {
    return from.alphaCumprod() > 0 && to.alphaCumprod() < 1;
  }

  /** The noisy image made anew: {@code α' x0 + σ' ε} (Song et al. 2021, eq. 12 with σ = 0). */
  INDArray ddim(INDArray x0, INDArray eps) {
    return BatchArithmetic.combine(to.alpha(), x0, to.sigma(), eps);
  }

  /**
   * Along a straight line in x/α as a function of ρ, whose slope is ε: {@code x'/α' = x/α + (ρ'-ρ)
   * ε} (Karras et al. 2022, eq. 1 with σ(t) = t; Liu et al. 2022, eq. 11).
   */
  INDArray alongEps(INDArray x, INDArray eps) {
    return BatchArithmetic.combine(
        to.alpha() / from.alpha(), x, to.alpha() * (to.rho() - from.rho()), eps);
  }
}
