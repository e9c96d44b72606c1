package org.ddpm4j.cuda;

import java.util.Optional;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.FusedOp;

/** What one kernel of a card can do at once. */
final class CudaFusion {

  private CudaFusion() {}

  /** A convolution applies an activation, or adds a residual, as it writes its output. */
  static Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
    if (!(first instanceof Conv2d convolution)
        || convolution.function() != Activation.IDENTITY
        || convolution.addsResidual()) {
      return Optional.empty();
    }
    if (next instanceof Eltwise eltwise) {
      return Optional.of(convolution.with(eltwise.function()));
    }
    return next instanceof Add ? Optional.of(convolution.withResidual()) : Optional.empty();
  }
}
