package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LinearAttentionGradient} on a CPU. */
final class LinearAttentionGradientKernel {

  private LinearAttentionGradientKernel() {}

  static Kernel kernel(
      LinearAttentionGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor qkv = inputs.get(0);
    CpuTensor gradient = outputs.get(0);
    AttentionShape s = AttentionShape.of(qkv, op.heads());
    int rows = s.positions() * s.heads();
    double scale = 1 / Math.sqrt(s.width());
    memory.desc summary = Onednn.dense(s.heads(), s.width(), s.width());
    memory.desc summaryTransposed =
        Onednn.strided(
            new long[] {s.heads(), s.width(), s.width()},
            (long) s.width() * s.width(),
            1,
            s.width());
    long features = (long) s.positions() * s.features();
    long summaryLength = (long) s.features() * s.width();
    List<CpuTensor> scratch =
        context.scratch(features, features, features, summaryLength, summaryLength);
    CpuTensor q = scratch.get(0);
    CpuTensor k = scratch.get(1);
    CpuTensor slopes = scratch.get(2);
    CpuTensor contextMatrix = scratch.get(3);
    CpuTensor contextSlopes = scratch.get(4);
    Kernel softmaxOfQueries = Softmax.ofRows(context, q, rows, s.width());
    Kernel softmaxOfKeys = Softmax.ofColumns(context, k, s.positions(), s.features());
    Kernel gradientOfQueries = Softmax.gradientOfRows(context, q, slopes, rows, s.width());
    MatrixProduct summing = MatrixProduct.scaled(s.inRowsTransposed(), s.inQkv(), summary, scale);
    MatrixProduct ofContext =
        MatrixProduct.scaled(s.inRowsTransposed(), s.inRows(), summary, scale);
    MatrixProduct ofQueries = MatrixProduct.of(s.inRows(), summaryTransposed, s.inRows());
    MatrixProduct ofKeys = MatrixProduct.of(s.inQkv(), summaryTransposed, s.inRows());
    MatrixProduct ofValues = MatrixProduct.of(s.inRows(), summary, s.inQkv());
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      CpuTensor v = s.part(qkv, n, 2);
      CpuTensor dy = s.image(inputs.get(1), n);
      steps.add(LinearAttentionKernel.gathering(qkv, s, n, 0, q));
      steps.add(softmaxOfQueries);
      steps.add(LinearAttentionKernel.gathering(qkv, s, n, 1, k));
      steps.add(softmaxOfKeys);
      steps.add(summing.call(context, k, v, contextMatrix));
      steps.add(ofContext.call(context, q, dy, contextSlopes));
      steps.add(ofValues.call(context, k, contextSlopes, s.part(gradient, n, 2)));
      steps.add(ofQueries.call(context, dy, contextMatrix, slopes));
      steps.add(gradientOfQueries);
      steps.add(scattering(slopes, s, n, 0, gradient));
      steps.add(ofKeys.call(context, v, contextSlopes, slopes));
      steps.add(new GradientOfKeys(s, k, slopes));
      steps.add(scattering(slopes, s, n, 1, gradient));
    }
    return Kernel.sequence(steps);
  }

  /** Copies rows to the queries (part 0) or keys (1) of one image. */
  private static Kernel scattering(
      CpuTensor rows, AttentionShape s, int image, int part, CpuTensor qkv) {
    int features = s.features();
    int start = (image * s.positions() * 3 + part) * features;
    FloatBuffer source = rows.buffer();
    FloatBuffer target = qkv.buffer();
    return () -> {
      for (int p = 0; p < s.positions(); p++) {
        target.put(start + p * 3 * features, source, p * features, features);
      }
    };
  }

  /** The gradient of the softmax over the positions, in place: {@code k·(dk - Σ k·dk)}. */
  private static final class GradientOfKeys implements Kernel {

    private final CpuTensor k;
    private final CpuTensor slopes;
    private final ChannelTiles tiles;
    private final float[] values;
    private final float[] gradient;
    private final float[] sums;
    private final float[] perChannel;
    private final double[] totals;

    GradientOfKeys(AttentionShape s, CpuTensor k, CpuTensor slopes) {
      this.k = k;
      this.slopes = slopes;
      tiles = new ChannelTiles(s.positions(), s.features());
      values = tiles.array();
      gradient = tiles.array();
      sums = tiles.array();
      perChannel = new float[s.features()];
      totals = new double[s.features()];
    }

    @Override
    public void run() {
      Arrays.fill(sums, 0);
      tiles.forEach(
          (offset, length) -> {
            k.buffer().get(offset, values, 0, length);
            slopes.buffer().get(offset, gradient, 0, length);
            Loops.addProducts(sums, values, gradient, length);
          });
      tiles.sum(sums, totals);
      for (int c = 0; c < perChannel.length; c++) {
        perChannel[c] = (float) totals[c];
      }
      tiles.repeat(perChannel, sums);
      tiles.forEach(
          (offset, length) -> {
            k.buffer().get(offset, values, 0, length);
            slopes.buffer().get(offset, gradient, 0, length);
            Loops.multiplyByDifference(values, gradient, sums, length);
            slopes.buffer().put(offset, values, 0, length);
          });
    }
  }
}
