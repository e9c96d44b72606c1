package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link PrependMemory}. Inputs: memory, gradient of the output. Outputs: gradients
 * of x and memory.
 */
public final class PrependMemoryGradient extends ParameterGradientOp {

  /** For SameDiff. */
  public PrependMemoryGradient() {
    super(2);
  }

  PrependMemoryGradient(SameDiff graph, SDVariable memory, SDVariable dy, int height, int width) {
    super(2, graph, memory, dy);
    addIArgument(height, width);
  }

  @Override
  public String opName() {
    return "ddpm_prepend_memory_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] dy = inputs.get(1);
    return List.of(new long[] {dy[0], setting(0), setting(1), dy[3]}, inputs.get(0));
  }
}
