package org.ddpm4j.cuda;

import java.util.Optional;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.ops.LinearGradient;

/** What one kernel of a card can do at once. */
final class CudaFusion {

  private CudaFusion() {}

  /**
   * A convolution applies an activation, or adds a residual, as it writes its output. So does a
   * normalisation, which may add one number per image and channel before, and so do the gradients
   * of both and of a fully connected layer.
   */
  static Optional<FusedOp> fuse(FusedOp first, FusedOp next) {
    if (first instanceof Conv2d convolution) {
      return fuse(convolution, next);
    }
    if (first instanceof GroupNorm norm && !norm.addsResidual()) {
      if (next instanceof AddPerChannel && !norm.addsPerChannel()) {
        return Optional.of(norm.withPerChannel());
      }
      return next instanceof Add ? Optional.of(norm.withResidual()) : Optional.empty();
    }
    if (first instanceof GroupNormGradient gradient && !gradient.addsResidual()) {
      return next instanceof Add ? Optional.of(gradient.withResidual()) : Optional.empty();
    }
    if (first instanceof Conv2dGradient gradient && !gradient.addsResidual()) {
      return next instanceof Add ? Optional.of(gradient.withResidual()) : Optional.empty();
    }
    if (first instanceof LinearGradient gradient && !gradient.addsResidual()) {
      return next instanceof Add ? Optional.of(gradient.withResidual()) : Optional.empty();
    }
    return Optional.empty();
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

  private static Optional<FusedOp> fuse(Conv2d convolution, FusedOp next) {
    if (convolution.function() != Activation.IDENTITY || convolution.addsResidual()) {
      return Optional.empty();
    }
    if (next instanceof Eltwise eltwise) {
      return Optional.of(convolution.with(eltwise.function()));
    }
    return next instanceof Add ? Optional.of(convolution.withResidual()) : Optional.empty();
  }
}
