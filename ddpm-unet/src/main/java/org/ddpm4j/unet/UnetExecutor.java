package org.ddpm4j.unet;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs the graph of a U-Net. */
interface UnetExecutor extends AutoCloseable {

  /** What the network says, {@code [N,C,H,W]}. */
  INDArray output(INDArray x, INDArray t);

  /** Writes the gradient of the mean loss and returns the loss. */
  double gradients(INDArray x, INDArray t, INDArray target, Parameters gradient);

  /** The mean loss alone. */
  double loss(INDArray x, INDArray t, INDArray target);

  @Override
  void close();
}
