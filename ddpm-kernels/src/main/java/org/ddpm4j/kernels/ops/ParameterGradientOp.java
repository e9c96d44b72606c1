package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A gradient whose outputs are those of the data and, behind it, of parameters, to which it adds.
 */
abstract class ParameterGradientOp extends GradientOp {

  ParameterGradientOp(int outputCount) {
    super(outputCount);
  }

  ParameterGradientOp(int outputCount, SameDiff graph, SDVariable... inputs) {
    super(outputCount, graph, inputs);
  }

  @Override
  public final boolean addsTo(int output) {
    return output > 0;
  }
}
