package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_linear;

import java.util.List;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Affine} on a CPU. */
final class AffineKernel {

  private AffineKernel() {}

  static Kernel kernel(
      Affine op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    memory.desc layout = Onednn.dense(inputs.get(0).length());
    var description =
        new eltwise_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            eltwise_linear,
            layout,
            layout,
            (float) op.factor(),
            (float) op.summand(),
            Onednn.attributes(),
            false);
    return context
        .call(new eltwise_forward(description))
        .with(DNNL_ARG_SRC, context.memory(layout, inputs.get(0)))
        .with(DNNL_ARG_DST, context.memory(layout, outputs.get(0)));
  }
}
