package org.ddpm4j.cuda;

import java.util.Optional;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.AddsResidual;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;

/** What one kernel of a card can do at once. */
final class CudaFusion {

  private CudaFusion() {}

  /**
   * A convolution applies an activation, or adds a residual, as it writes its output. So does a
   * normalisation, which may add one number per image and channel before, and so do the gradients
   * of both and of a fully connected layer.
   */
  static Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
    if (first instanceof AddsResidual op && op.addsResidual()) {
      return Optional.empty();
    }
    if (first instanceof Conv2d convolution) {
      if (convolution.function() != Activation.IDENTITY) {
        return Optional.empty();
      }
      if (next instanceof Eltwise eltwise) {
        return Optional.of(convolution.with(eltwise.function()));
      }
    }
    if (first instanceof GroupNorm norm && next instanceof AddPerChannel) {
      return norm.addsPerChannel() ? Optional.empty() : Optional.of(norm.withPerChannel());
    }
    return first instanceof AddsResidual op && next instanceof Add
        ? Optional.of(op.withResidual())
        : Optional.empty();
  }

  /** A normalisation reads its input once, and may as well add to it; its gradient too. */
  static Optional<FusedOp> absorb(FusedOp first, FusedOp reader) {
    if (!(first instanceof AddPerChannel)) {
      return Optional.empty();
    }
    if (reader instanceof GroupNorm norm && !norm.addsVector()) {
      return Optional.of(norm.withVector());
    }
    return reader instanceof GroupNormGradient gradient && !gradient.addsVector()
        ? Optional.of(gradient.withVector())
        : Optional.empty();
  }
}
