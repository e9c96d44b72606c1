package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.layer_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link RmsNorm} on a CPU, by oneDNN. */
final class RmsNormKernel {

  private RmsNormKernel() {}

  static Kernel kernel(
      RmsNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    int channels = x.size(3);
    long rows = x.length() / channels;
    memory.desc from = Onednn.dense(x.dataType(), rows, channels);
    memory.desc to = Onednn.dense(y.dataType(), rows, channels);
    var description =
        new layer_normalization_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_inference.value,
            from,
            to,
            // The square of the least norm, of a mean: with it a row of zeros stays one.
            (float) (RmsNorm.LEAST_NORM * RmsNorm.LEAST_NORM / channels),
            normalization_flags.use_scale.value | normalization_flags.rms_norm.value,
            Onednn.attributes(),
            false);
    return context
        .call(new layer_normalization_forward(description))
        .with(DNNL_ARG_SRC, context.memory(from, x))
        .with(DNNL_ARG_SCALE, context.memory(Onednn.dense(channels), inputs.get(1)))
        .with(DNNL_ARG_DST, context.memory(to, y));
  }
}
