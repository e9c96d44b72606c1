package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link Eltwise}. Inputs: x, gradient of the output. Output: gradient of x. */
public final class EltwiseGradient extends FusedOp {

  /** For SameDiff. */
  public EltwiseGradient() {
    super(1);
  }

  EltwiseGradient(SameDiff graph, SDVariable x, SDVariable dy, EltwiseFunction function) {
    super(1, graph, x, dy);
    addIArgument(function.ordinal());
  }

  @Override
  public String opName() {
    return "ddpm_eltwise_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 1;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    EltwiseFunction function = EltwiseFunction.values()[setting(0)];
    memory.desc layout = Onednn.dense(inputs.get(0).length());
    return context
        .call(function.backward(inputs.get(0).length()))
        .with(DNNL_ARG_SRC, context.memory(layout, inputs.get(0)))
        .with(DNNL_ARG_DIFF_DST, context.memory(layout, inputs.get(1)))
        .with(DNNL_ARG_DIFF_SRC, context.memory(layout, outputs.get(0)));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
