package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
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

  /** Row by row: oneDNN's sums come out differently for one row and for several. */
  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor weights = inputs.get(1);
    long in = weights.size(0);
    long out = weights.size(1);
    memory.desc x = Onednn.dense(1, in);
    memory.desc y = Onednn.dense(1, out);
    var description =
        new matmul.primitive_desc(Onednn.engine(), x, Onednn.any(weights.shape()), y, y);
    matmul primitive = new matmul(description);
    memory packed =
        context.packed(weights, Onednn.dense(weights.shape()), description.weights_desc());
    memory bias = context.memory(y, inputs.get(2));
    List<Kernel> rows = new ArrayList<>();
    for (long n = 0; n < inputs.get(0).size(0); n++) {
      rows.add(
          context
              .call(primitive)
              .with(DNNL_ARG_SRC, context.memory(x, inputs.get(0).part(n * in, 1, in)))
              .with(DNNL_ARG_WEIGHTS, packed)
              .with(DNNL_ARG_BIAS, bias)
              .with(DNNL_ARG_DST, context.memory(y, outputs.get(0).part(n * out, 1, out))));
    }
    return ConvolutionOperands.sequence(rows);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new LinearGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
