package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ChannelsLast} on a CPU. */
final class ChannelsLastKernel {

  private ChannelsLastKernel() {}

  static Kernel kernel(
      ChannelsLast op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    long[] logical = inputs.get(0).shape();
    memory from =
        context.memory(
            new memory.desc(logical, memory.data_type.f32, memory.format_tag.nchw), inputs.get(0));
    memory to =
        context.memory(
            new memory.desc(logical, memory.data_type.f32, memory.format_tag.nhwc), outputs.get(0));
    return context.call(new reorder(from, to)).with(DNNL_ARG_SRC, from).with(DNNL_ARG_DST, to);
  }
}
