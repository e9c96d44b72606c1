package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A constrained estimate of x0, and the ε that makes the state of it. */
final class ConstrainedEstimate {

  private final INDArray x;
  private final NoiseLevel level;
  private final INDArray x0;

  /** Null until somebody asks for it, which not all samplers do. */
  private INDArray eps;

  private ConstrainedEstimate(INDArray x, NoiseLevel level, INDArray x0, INDArray eps) {
    this.x = x;
    this.level = level;
    this.x0 = x0;
    this.eps = eps;
  }

  static ConstrainedEstimate of(
      Denoiser denoiser, INDArray x, NoiseLevel level, X0Constraint x0Constraint) {
    Objects.requireNonNull(denoiser, "denoiser");
    Objects.requireNonNull(x, "x");
    Denoiser.Estimate estimate = denoiser.denoise(x, level);
    INDArray x0 = x0Constraint.apply(estimate.x0());
    return new ConstrainedEstimate(x, level, x0, x0 == estimate.x0() ? estimate.eps() : null);
  }

  INDArray x0() {
    return x0;
  }

  INDArray eps() {
    if (eps == null) {
      eps = BatchArithmetic.combine(1 / level.sigma(), x, -level.alpha() / level.sigma(), x0);
    }
    return eps;
  }
}
