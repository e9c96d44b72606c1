package org.ddpm4j.unet;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs the graph of a U-Net. All arrays are of the network's data type. */
interface UnetExecutor extends AutoCloseable {

  /** The graph that is run. */
  UnetGraph graph();

  /** What the network says, {@code [N,C,H,W]}. */
  INDArray output(UnetInput input);

  /**
   * The loss of each image, {@code [N]}.
   *
   * @param wanted what the loss is told, by the graph's names for it
   */
  double[] losses(UnetInput input, Map<String, INDArray> wanted);

  /**
   * Writes the gradient of the mean of weight times loss, and returns the losses without weights,
   * {@code [N]}. Without weights, null, all count 1.
   */
  double[] gradients(
      UnetInput input, Map<String, INDArray> wanted, INDArray weights, Parameters gradient);

  @Override
  void close();
}
