package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Linear} on a CPU. */
final class LinearKernel {

  private LinearKernel() {}

  /** Row by row: oneDNN's sums come out differently for one row and for several. */
  static Kernel kernel(
      Linear op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor weights = inputs.get(1);
    long in = weights.size(0);
    long out = weights.size(1);
    memory.desc x = Onednn.dense(1, in);
    memory.desc y = Onednn.dense(1, out);
    var description =
        new matmul.primitive_desc(
            Onednn.engine(), x, Onednn.any(weights.shape()), y, y, Onednn.attributes(), false);
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
    return Kernel.sequence(rows);
  }
}
