package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Fully connected layer. Inputs: x {@code [N,in]}, weights {@code [in,out]}, bias {@code [out]}.
 * Output: {@code [N,out]}.
 */
public final class Linear extends FusedOp {

  /** For SameDiff. */
  public Linear() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,in]}
   * @param weights {@code [in,out]}
   * @param bias {@code [out]}
   */
  public Linear(SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias) {
    super(1, graph, x, weights, bias);
  }

  @Override
  public String opName() {
    return "ddpm_linear";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], inputs.get(1)[1]});
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0 * inputs.get(0)[0] * Tensor.length(inputs.get(1));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor weights = inputs.get(1);
    memory.desc x = Onednn.dense(inputs.get(0).shape());
    memory.desc plain = Onednn.dense(weights.shape());
    memory.desc bias = Onednn.dense(1, weights.size(1));
    memory.desc y = Onednn.dense(outputs.get(0).shape());
    var description =
        new matmul.primitive_desc(Onednn.engine(), x, Onednn.any(weights.shape()), bias, y);
    return context
        .call(new matmul(description))
        .with(DNNL_ARG_SRC, context.memory(x, inputs.get(0)))
        .with(DNNL_ARG_WEIGHTS, context.packed(weights, plain, description.weights_desc()))
        .with(DNNL_ARG_BIAS, context.memory(bias, inputs.get(2)))
        .with(DNNL_ARG_DST, context.memory(y, outputs.get(0)));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new LinearGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
