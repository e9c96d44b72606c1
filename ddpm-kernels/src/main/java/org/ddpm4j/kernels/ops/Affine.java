package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_linear;

import java.util.List;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** {@code factor·x + summand} with two constants. Input: x of any shape. Output: the same shape. */
public final class Affine extends FusedOp {

  /** For SameDiff. */
  public Affine() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x any shape
   * @param factor of every element
   * @param summand added to every product
   */
  public Affine(SameDiff graph, SDVariable x, double factor, double summand) {
    super(1, graph, x);
    addTArgument(factor, summand);
  }

  @Override
  public String opName() {
    return "ddpm_affine";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    memory.desc layout = Onednn.dense(inputs.get(0).length());
    var description =
        new eltwise_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            eltwise_linear,
            layout,
            layout,
            tArguments.get(0).floatValue(),
            tArguments.get(1).floatValue());
    return context
        .call(new eltwise_forward(description))
        .with(DNNL_ARG_SRC, context.memory(layout, inputs.get(0)))
        .with(DNNL_ARG_DST, context.memory(layout, outputs.get(0)));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new Affine(sameDiff, gradients.get(0), tArguments.get(0), 0).outputVariable());
  }
}
