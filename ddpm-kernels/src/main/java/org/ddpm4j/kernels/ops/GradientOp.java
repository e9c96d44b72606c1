package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** An operation that has no gradient of its own, since it is part of another's. */
abstract class GradientOp extends FusedOp {

  GradientOp(int outputCount) {
    super(outputCount);
  }

  GradientOp(int outputCount, SameDiff graph, SDVariable... inputs) {
    super(outputCount, graph, inputs);
  }

  /** Those of its first inputs, whose gradients it makes. */
  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return inputs.subList(0, getNumOutputs());
  }

  @Override
  public final List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
