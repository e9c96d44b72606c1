package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory.format_tag;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ChannelsFirst} and {@link ChannelsLast} on a CPU. */
final class LayoutKernels {

  private LayoutKernels() {}

  static Kernel channelsFirst(
      ChannelsFirst op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    long[] shape = outputs.get(0).shape();
    return reorder(context, shape, inputs.get(0), format_tag.nhwc, outputs.get(0), format_tag.nchw);
  }

  static Kernel channelsLast(
      ChannelsLast op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    long[] shape = inputs.get(0).shape();
    return reorder(context, shape, inputs.get(0), format_tag.nchw, outputs.get(0), format_tag.nhwc);
  }

  /** {@code shape} is {@code [N,C,H,W]}, whichever way the elements lie. */
  private static Kernel reorder(
      CpuContext context,
      long[] shape,
      CpuTensor x,
      format_tag layoutOfX,
      CpuTensor y,
      format_tag layoutOfY) {
    memory from = context.memory(new memory.desc(shape, memory.data_type.f32, layoutOfX), x);
    memory to = context.memory(new memory.desc(shape, memory.data_type.f32, layoutOfY), y);
    return context.copying(from, to);
  }
}
