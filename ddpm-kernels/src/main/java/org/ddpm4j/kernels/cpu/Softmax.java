package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.softmax_backward;
import org.bytedeco.dnnl.softmax_forward;
import org.ddpm4j.kernels.plan.Kernel;

/** Softmax along an axis of dense matrices. */
final class Softmax {

  private Softmax() {}

  /** Over the last axis of {@code [rows,width]}, in place. */
  static Kernel ofRows(CpuContext context, CpuTensor values, long rows, long width) {
    return forward(context, values, Onednn.dense(values.dataType(), rows, width), 1);
  }

  /** Over the first axis of {@code [rows,width]}, in place. */
  static Kernel ofColumns(CpuContext context, CpuTensor values, long rows, long width) {
    return forward(context, values, Onednn.dense(values.dataType(), 1, rows, width), 1);
  }

  private static Kernel forward(
      CpuContext context, CpuTensor values, memory.desc layout, int axis) {
    memory inPlace = context.memory(layout, values);
    return context
        .call(new softmax_forward(description(layout, axis)))
        .with(DNNL_ARG_SRC, inPlace)
        .with(DNNL_ARG_DST, inPlace);
  }

  private static softmax_forward.primitive_desc description(memory.desc layout, int axis) {
    return new softmax_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm.softmax_accurate,
        layout,
        layout,
        axis);
  }

  /** The gradient over the last axis of {@code [rows,width]}, in place: {@code y·(dy - Σ y·dy)}. */
  static Kernel gradientOfRows(
      CpuContext context, CpuTensor y, CpuTensor gradient, int rows, int width) {
    memory.desc layout = Onednn.dense(rows, width);
    var description =
        new softmax_backward.primitive_desc(
            Onednn.engine(),
            algorithm.softmax_accurate,
            layout,
            layout,
            layout,
            1,
            description(layout, 1));
    if (description.impl_info_str().getString().startsWith("ref")) {
      // oneDNN has fast code for processors with AVX-512 only.
      return new GradientOfRows(y, gradient, rows, width);
    }
    memory inPlace = context.memory(layout, gradient);
    return context
        .call(new softmax_backward(description))
        .with(DNNL_ARG_DST, context.memory(layout, y))
        .with(DNNL_ARG_DIFF_DST, inPlace)
        .with(DNNL_ARG_DIFF_SRC, inPlace);
  }

  private static final class GradientOfRows implements Kernel {

    private final CpuTensor y;
    private final CpuTensor gradient;
    private final int rows;
    private final float[] values;
    private final float[] slopes;

    GradientOfRows(CpuTensor y, CpuTensor gradient, int rows, int width) {
      this.y = y;
      this.gradient = gradient;
      this.rows = rows;
      values = new float[width];
      slopes = new float[width];
    }

    @Override
    public void run() {
      int width = values.length;
      for (int row = 0; row < rows; row++) {
        y.buffer().get(row * width, values);
        gradient.buffer().get(row * width, slopes);
        float sum = 0;
        for (int i = 0; i < width; i++) {
          sum += values[i] * slopes[i];
        }
        for (int i = 0; i < width; i++) {
          slopes[i] = values[i] * (slopes[i] - sum);
        }
        gradient.buffer().put(row * width, slopes);
      }
    }
  }
}
