package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCALE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SHIFT;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.normalization_flags;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.group_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link GroupNorm} on a CPU. */
final class GroupNormKernel {

  /** The numbers in a vector of AVX-512. */
  private static final int LANES = 16;

  /** Of the numbers in oneDNN's vectors; with three quarters of them it is a fifth faster. */
  private static final double LEAST_FILLING = 0.75;

  private GroupNormKernel() {}

  static Kernel kernel(
      GroupNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    return SharedKernel.ofImages(
        context,
        SharedKernel.FLOPS_OF_NORMALISATION * x.length(),
        x.size(0),
        (own, first, end) -> {
          List<CpuTensor> some = List.of(x.images(first, end), inputs.get(1), inputs.get(2));
          List<CpuTensor> results = List.of(y.images(first, end));
          return wide(op, own, some, results).orElseGet(() -> byTiles(op, own, some, results));
        });
  }

  /**
   * oneDNN's own, which takes a group's channels of a position at a time: faster where these fill
   * vectors of AVX-512, and else not. With AVX2 alone, tiles took less time in both networks that
   * were measured (docs/optimisations.md).
   */
  private static Optional<Kernel> wide(
      GroupNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    int perGroup = x.size(3) / op.groups();
    int vectors = (perGroup + LANES - 1) / LANES;
    if (!Onednn.hasAvx512() || perGroup < LEAST_FILLING * vectors * LANES) {
      return Optional.empty();
    }
    memory.desc layoutOfX = Onednn.channelsLast(x.dataType(), x.shape());
    memory.desc layoutOfY = Onednn.channelsLast(y.dataType(), y.shape());
    post_ops function = new post_ops();
    if (op.function() != Activation.IDENTITY) {
      function.append_eltwise(
          OnednnFunctions.algorithm(op.function()), OnednnFunctions.alpha(op.function()), 0);
    }
    var description =
        new group_normalization_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_inference.value,
            layoutOfX,
            layoutOfY,
            op.groups(),
            (float) op.epsilon(),
            normalization_flags.use_scale.value | normalization_flags.use_shift.value,
            Onednn.attributes(function),
            false);
    if (description.impl_info_str().getString().startsWith("ref")) {
      return Optional.empty();
    }
    memory.desc perChannel = Onednn.dense(x.size(3));
    return Optional.of(
        context
            .call(new group_normalization_forward(description))
            .with(DNNL_ARG_SRC, context.memory(layoutOfX, x))
            .with(DNNL_ARG_SCALE, context.memory(perChannel, inputs.get(1)))
            .with(DNNL_ARG_SHIFT, context.memory(perChannel, inputs.get(2)))
            .with(DNNL_ARG_DST, context.memory(layoutOfY, y)));
  }

  private static Kernel byTiles(
      GroupNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    int positions = x.size(1) * x.size(2);
    int channels = x.size(3);
    Normalisation normalisation = new Normalisation(positions, channels, op.groups(), op.epsilon());
    // Each image is read before it is written.
    CpuTensor floats =
        context.scratch(Math.max(FloatImages.scratch(x), FloatImages.scratch(y))).get(0);
    FloatImages xs = FloatImages.reading(context, x, floats);
    FloatImages ys = FloatImages.writing(context, y, floats);
    int images = x.size(0);
    Kernel[] functions = functions(context, op.function(), ys, images);
    return () -> {
      normalisation.take(inputs.get(1), inputs.get(2));
      for (int n = 0; n < images; n++) {
        CpuTensor image = xs.load(n);
        normalisation.compute(image);
        normalisation.apply(image, ys.target(n));
        functions[n].run();
        ys.store(n);
      }
    };
  }

  /** What follows an image's normalisation: the function of all images of its group, at its end. */
  private static Kernel[] functions(
      CpuContext context, Activation function, FloatImages ys, int images) {
    Kernel[] functions = new Kernel[images];
    Arrays.fill(functions, (Kernel) () -> {});
    if (function == Activation.IDENTITY) {
      return functions;
    }
    memory.desc layout = Onednn.dense(ys.group(0).length());
    eltwise_forward primitive = OnednnFunctions.forward(function, layout);
    for (int n = 0; n < images; n++) {
      if (ys.endsGroup(n)) {
        memory values = context.memory(layout, ys.group(n));
        functions[n] =
            context.call(primitive).with(DNNL_ARG_SRC, values).with(DNNL_ARG_DST, values);
      }
    }
    return functions;
  }

  /** The scaled and shifted normalisation of one image, a factor and a summand per channel. */
  static final class Normalisation {

    private final int groups;
    private final int perGroup;
    private final ChannelTiles tiles;
    private final float[] scale;
    private final float[] shift;
    private final float[] a;
    private final float[] b;
    private final float[] as;
    private final float[] bs;
    private final float[] values;
    final GroupStatistics statistics;

    Normalisation(int positions, int channels, int groups, double epsilon) {
      this.groups = groups;
      perGroup = channels / groups;
      statistics = new GroupStatistics(positions, channels, groups, epsilon);
      tiles = new ChannelTiles(positions, channels);
      scale = new float[channels];
      shift = new float[channels];
      a = new float[channels];
      b = new float[channels];
      as = tiles.array();
      bs = tiles.array();
      values = tiles.array();
    }

    /** Reads γ and β, which all images share. */
    void take(CpuTensor gamma, CpuTensor beta) {
      gamma.buffer().get(0, scale);
      beta.buffer().get(0, shift);
    }

    /** γ, as it was taken. */
    float[] scale() {
      return scale;
    }

    void compute(CpuTensor image) {
      statistics.compute(image);
      for (int g = 0; g < groups; g++) {
        double inverse = statistics.inverseDeviation[g];
        double mean = statistics.mean[g];
        for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
          a[c] = (float) (scale[c] * inverse);
          // Of the rounded factor: beside a large mean the rounding would count.
          b[c] = (float) (shift[c] - mean * a[c]);
        }
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
