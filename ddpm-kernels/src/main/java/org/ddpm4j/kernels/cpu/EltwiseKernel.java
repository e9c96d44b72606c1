package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Eltwise} on a CPU. */
final class EltwiseKernel {

  private EltwiseKernel() {}

  static Kernel kernel(
      Eltwise op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return kernel(context, op.function(), inputs.get(0), outputs.get(0));
  }

  /** Both may be the same. */
  static Kernel kernel(CpuContext context, Activation function, CpuTensor x, CpuTensor y) {
    memory.desc layout = Onednn.dense(x.dataType(), x.length());
    return context
        .call(OnednnFunctions.forward(function, layout))
        .with(DNNL_ARG_SRC, context.memory(layout, x))
        .with(DNNL_ARG_DST, context.memory(layout, y));
  }
}
