package org.ddpm4j.unet;

import java.util.Objects;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the {@linkplain BoundLoss bound} of N images is told beside the network's input. Values may
 * be of any floating-point type; the network checks the shapes.
 *
 * @param target what the network should predict, {@code [N,C,H,W]}
 * @param x0 the images, {@code [N,C,H,W]}
 * @param coefficients {@link BoundLoss.Coefficients} of each image's timestep, {@code [N,6]}
 */
public record BoundInput(INDArray target, INDArray x0, INDArray coefficients) {

  /** Checks that nothing is missing. */
  public BoundInput {
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(x0, "x0");
    Objects.requireNonNull(coefficients, "coefficients");
  }
}
