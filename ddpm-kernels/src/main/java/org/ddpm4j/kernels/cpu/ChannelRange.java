package org.ddpm4j.kernels.cpu;

import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.plan.Kernel;

/** Some neighbouring channels of channels-last data, copied to and from a tensor of their own. */
final class ChannelRange {

  private ChannelRange() {}

  /** Copies channels of rows of many, from the first, to rows of just these. */
  static Kernel gathering(CpuContext context, CpuTensor rows, long first, CpuTensor range) {
    return copying(context, rows, first, range, false);
  }

  /** The other way. */
  static Kernel scattering(CpuContext context, CpuTensor range, CpuTensor rows, long first) {
    return copying(context, rows, first, range, true);
  }

  private static Kernel copying(
      CpuContext context, CpuTensor rows, long first, CpuTensor range, boolean scattering) {
    long rowLength = lastSize(rows);
    long width = lastSize(range);
    long count = range.length() / width;
    CpuTensor part = rows.part(first, (count - 1) * rowLength + width);
    memory.desc strided = Onednn.strided(rows.dataType(), new long[] {count, width}, rowLength, 1);
    memory.desc dense = Onednn.dense(range.dataType(), count, width);
    return scattering
        ? context.copying(dense, range, strided, part)
        : context.copying(strided, part, dense, range);
  }

  private static long lastSize(CpuTensor tensor) {
    long[] shape = tensor.shape();
    return shape[shape.length - 1];
  }
}
