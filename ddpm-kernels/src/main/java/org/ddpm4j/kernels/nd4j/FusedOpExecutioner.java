package org.ddpm4j.kernels.nd4j;

import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.ops.FusedOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.cpu.nativecpu.ops.NativeOpExecutioner;

/**
 * ND4J's CPU executioner, with fused operations. It prepares each anew, packed weights included,
 * which makes it slow; a {@link org.ddpm4j.kernels.plan.GraphPlan} prepares once.
 */
public final class FusedOpExecutioner extends NativeOpExecutioner {

  /** For ND4J. */
  public FusedOpExecutioner() {}

  @Override
  public INDArray[] exec(CustomOp op, OpContext context) {
    if (op instanceof FusedOp fused) {
      SingleExecution.run(fused, context.getInputArrays(), context.getOutputArrays());
      return context.getOutputArrays().toArray(new INDArray[0]);
    }
    return super.exec(op, context);
  }
}
