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

/**
 * Softmax along an axis of dense matrices.
 *
 * @param primitive oneDNN's
 * @param code the name of its code
 * @param layout of the numbers
 */
record Softmax(softmax_forward primitive, String code, memory.desc layout) {

  /** The second, of two for rows and of three for columns, of which there is one matrix. */
  private static final int AXIS = 1;

  /** Over the last axis of {@code [rows,width]}. */
  static Softmax ofRows(memory.data_type type, long rows, long width) {
    return of(Onednn.dense(type, rows, width));
  }

  /** Over the first axis of {@code [rows,width]}. */
  static Softmax ofColumns(memory.data_type type, long rows, long width) {
    return of(Onednn.dense(type, 1, rows, width));
  }

  private static Softmax of(memory.desc layout) {
    softmax_forward.primitive_desc description = description(layout);
    return new Softmax(
        new softmax_forward(description), description.impl_info_str().getString(), layout);
  }

  /** That of these numbers, in their place. */
  Kernel inPlace(CpuContext context, CpuTensor values) {
    memory inPlace = context.memory(layout, values);
    return context.call(primitive).with(DNNL_ARG_SRC, inPlace).with(DNNL_ARG_DST, inPlace);
  }

  private static softmax_forward.primitive_desc description(memory.desc layout) {
    return new softmax_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm.softmax_accurate,
        layout,
        layout,
        AXIS,
        Onednn.attributes(),
        false);
  }

  /**
   * The gradient over the last axis of floats {@code [rows,width]}: {@code y·(dy - Σ y·dy)}.
   *
   * @param primitive oneDNN's code, or null where that is slow
   */
  record Gradient(softmax_backward primitive, int rows, int width) {

    static Gradient ofRows(int rows, int width) {
      memory.desc layout = Onednn.dense(rows, width);
      var description =
          new softmax_backward.primitive_desc(
              Onednn.engine(),
              algorithm.softmax_accurate,
              layout,
              layout,
              layout,
              AXIS,
              description(layout),
              Onednn.attributes(),
              false);
      // oneDNN has fast code for processors with AVX-512 only.
      boolean isSlow = description.impl_info_str().getString().startsWith("ref");
      return new Gradient(isSlow ? null : new softmax_backward(description), rows, width);
    }

    /** That of these numbers, in the place of dy. */
    Kernel inPlace(CpuContext context, CpuTensor y, CpuTensor dy) {
      if (primitive == null) {
        return new GradientOfRows(y, dy, rows, width);
      }
      memory.desc layout = Onednn.dense(rows, width);
      memory inPlace = context.memory(layout, dy);
      return context
          .call(primitive)
          .with(DNNL_ARG_DST, context.memory(layout, y))
          .with(DNNL_ARG_DIFF_DST, inPlace)
          .with(DNNL_ARG_DIFF_SRC, inPlace);
    }
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
