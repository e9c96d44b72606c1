package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link EltwiseGradient} on a CPU. */
final class EltwiseGradientKernel {

  private EltwiseGradientKernel() {}

  static Kernel kernel(
      EltwiseGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    Activation function = op.function();
    memory.desc layout = Onednn.dense(inputs.get(0).dataType(), inputs.get(0).length());
    return context
        .call(OnednnFunctions.backward(function, layout))
        .with(DNNL_ARG_SRC, context.memory(layout, inputs.get(0)))
        .with(DNNL_ARG_DIFF_DST, context.memory(layout, inputs.get(1)))
        .with(DNNL_ARG_DIFF_SRC, context.memory(layout, outputs.get(0)));
  }
}
