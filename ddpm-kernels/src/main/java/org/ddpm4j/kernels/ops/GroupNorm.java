package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ChannelTiles;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Group normalisation (Wu and He 2018) followed by a function. Inputs: x {@code [N,H,W,C]}, scale
 * and shift {@code [C]}. Output: {@code [N,H,W,C]}.
 */
public final class GroupNorm extends FusedOp {

  /** For SameDiff. */
  public GroupNorm() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param scale {@code [C]}
   * @param shift {@code [C]}
   * @param groups number of groups, a divisor of C
   * @param epsilon added to the variance
   * @param function applied last
   */
  public GroupNorm(
      SameDiff graph,
      SDVariable x,
      SDVariable scale,
      SDVariable shift,
      int groups,
      double epsilon,
      EltwiseFunction function) {
    super(1, graph, x, scale, shift);
    addIArgument(groups, function.ordinal());
    addTArgument(epsilon);
  }

  @Override
  public String opName() {
    return "ddpm_group_norm";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    int positions = x.size(1) * x.size(2);
    int channels = x.size(3);
    Normalisation normalisation =
        new Normalisation(positions, channels, setting(0), tArguments.get(0));
    EltwiseFunction function = EltwiseFunction.values()[setting(1)];
    int images = x.size(0);
    Kernel[] functions = new Kernel[images];
    if (function == EltwiseFunction.IDENTITY) {
      Arrays.fill(functions, (Kernel) () -> {});
    } else {
      eltwise_forward primitive = function.forward((long) positions * channels);
      for (int n = 0; n < images; n++) {
        Tensor image = y.part((long) n * positions * channels, (long) positions * channels);
        memory values = context.memory(Onednn.dense((long) positions * channels), image);
        functions[n] =
            context.call(primitive).with(DNNL_ARG_SRC, values).with(DNNL_ARG_DST, values);
      }
    }
    return () -> {
      for (int n = 0; n < images; n++) {
        normalisation.compute(x, n, inputs.get(1).buffer(), inputs.get(2).buffer());
        normalisation.apply(x, n, y.buffer(), n * positions * channels);
        functions[n].run();
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

    void compute(Tensor x, int image, FloatBuffer scale, FloatBuffer shift) {
      statistics.compute(x, image);
      for (int c = 0; c < channels; c++) {
        int g = c / perGroup;
        double factor = scale.get(c) * statistics.inverseDeviation[g];
        a[c] = (float) factor;
        b[c] = (float) (shift.get(c) - statistics.mean[g] * factor);
      }
      tiles.repeat(a, as);
      tiles.repeat(b, bs);
    }

    void apply(Tensor x, int image, FloatBuffer y, int start) {
      FloatBuffer source = x.buffer();
      int sourceStart = image * tiles.total();
      tiles.forEach(
          (offset, length) -> {
            source.get(sourceStart + offset, values, 0, length);
            Loops.multiplyAdd(values, as, bs, length);
            y.put(start + offset, values, 0, length);
          });
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new GroupNormGradient(
                sameDiff,
                arg(0),
                arg(1),
                arg(2),
                gradients.get(0),
                setting(0),
                tArguments.get(0),
                EltwiseFunction.values()[setting(1)])
            .outputVariables());
  }
}
