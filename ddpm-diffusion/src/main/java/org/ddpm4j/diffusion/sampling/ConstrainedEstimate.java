package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A constrained estimate of x0, and the ε that makes the state of it. */
record ConstrainedEstimate(INDArray x0, INDArray eps) {

  static ConstrainedEstimate of(
      Denoiser denoiser, INDArray x, NoiseLevel level, X0Constraint x0Constraint) {
    Denoiser.Estimate estimate = denoiser.denoise(x, level);
    INDArray x0 = x0Constraint.apply(estimate.x0());
    return x0 == estimate.x0()
        ? new ConstrainedEstimate(x0, estimate.eps())
        : new ConstrainedEstimate(
            x0, BatchArithmetic.combine(1 / level.sigma(), x, -level.alpha() / level.sigma(), x0));
  }
}
