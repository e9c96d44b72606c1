package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link GroupNorm} on a CPU. */
final class GroupNormKernel {

  private GroupNormKernel() {}

  static Kernel kernel(
      GroupNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    int positions = x.size(1) * x.size(2);
    int channels = x.size(3);
    Normalisation normalisation = new Normalisation(positions, channels, op.groups(), op.epsilon());
    Activation function = op.function();
    List<CpuTensor> scratch = context.scratch(FloatImages.scratch(x), FloatImages.scratch(y));
    FloatImages xs = FloatImages.reading(context, x, scratch.get(0));
    FloatImages ys = FloatImages.writing(context, y, scratch.get(1));
    int images = x.size(0);
    Kernel[] functions = new Kernel[images];
    if (function == Activation.IDENTITY) {
      Arrays.fill(functions, (Kernel) () -> {});
    } else {
      memory.desc layout = Onednn.dense((long) positions * channels);
      eltwise_forward primitive = OnednnFunctions.forward(function, layout);
      for (int n = 0; n < images; n++) {
        memory values = context.memory(layout, ys.target(n));
        functions[n] =
            context.call(primitive).with(DNNL_ARG_SRC, values).with(DNNL_ARG_DST, values);
      }
    }
    return () -> {
      for (int n = 0; n < images; n++) {
        CpuTensor image = xs.load(n);
        normalisation.compute(image, inputs.get(1).buffer(), inputs.get(2).buffer());
        normalisation.apply(image, ys.target(n));
        functions[n].run();
        ys.store(n);
      }
    };
  }

  /** The scaled and shifted normalisation of one image, a factor and a summand per channel. */
  static final class Normalisation {

    private final int channels;
    private final int perGroup;
    private final ChannelTiles tiles;
    private final float[] a;
    private final float[] b;
    private final float[] as;
    private final float[] bs;
    private final float[] values;
    final GroupStatistics statistics;

    Normalisation(int positions, int channels, int groups, double epsilon) {
      this.channels = channels;
      perGroup = channels / groups;
      statistics = new GroupStatistics(positions, channels, groups, epsilon);
      tiles = new ChannelTiles(positions, channels);
      a = new float[channels];
      b = new float[channels];
      as = tiles.array();
      bs = tiles.array();
      values = tiles.array();
    }

    void compute(CpuTensor image, FloatBuffer scale, FloatBuffer shift) {
      statistics.compute(image);
      for (int c = 0; c < channels; c++) {
        int g = c / perGroup;
        double factor = scale.get(c) * statistics.inverseDeviation[g];
        a[c] = (float) factor;
        b[c] = (float) (shift.get(c) - statistics.mean[g] * factor);
      }
      tiles.repeat(a, as);
      tiles.repeat(b, bs);
    }

    void apply(CpuTensor image, CpuTensor to) {
      FloatBuffer source = image.buffer();
      FloatBuffer target = to.buffer();
      tiles.forEach(
          (offset, length) -> {
            source.get(offset, values, 0, length);
            Loops.multiplyAdd(values, as, bs, length);
            target.put(offset, values, 0, length);
          });
    }
  }
}
