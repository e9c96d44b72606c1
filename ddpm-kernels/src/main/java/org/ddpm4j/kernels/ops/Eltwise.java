package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
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

/** A function of one element. Input: x of any shape. Output: the same shape. */
public final class Eltwise extends FusedOp {

  /** For SameDiff. */
  public Eltwise() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x any shape
   * @param function what is applied
   */
  public Eltwise(SameDiff graph, SDVariable x, EltwiseFunction function) {
    super(1, graph, x);
    addIArgument(function.ordinal());
  }

  @Override
  public String opName() {
    return "ddpm_eltwise";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  EltwiseFunction function() {
    return EltwiseFunction.values()[setting(0)];
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(context, function(), inputs.get(0), outputs.get(0));
  }

  /** Both may be the same. */
  static Kernel kernel(KernelContext context, EltwiseFunction function, Tensor x, Tensor y) {
    memory.desc layout = Onednn.dense(x.length());
    return context
        .call(function.forward(x.length()))
        .with(DNNL_ARG_SRC, context.memory(layout, x))
        .with(DNNL_ARG_DST, context.memory(layout, y));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new EltwiseGradient(
                sameDiff, arg(0), gradients.get(0), EltwiseFunction.values()[setting(0)])
            .outputVariable());
  }
}
