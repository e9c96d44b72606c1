package org.ddpm4j.kernels.cpu;

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
    memory.desc summary = Onednn.dense(s.type(), s.heads(), s.width(), s.width());
    memory.desc summaryTransposed =
        Onednn.strided(
            s.type(),
            new long[] {s.heads(), s.width(), s.width()},
            (long) s.width() * s.width(),
            1,
            s.width());
    memory.desc inFloatRows = s.inRows(memory.data_type.f32);
    long features = (long) s.positions() * s.features();
    long roundedFeatures = s.roundedScratch(features);
    long summaryLength = (long) s.features() * s.width();
    List<CpuTensor> scratch =
        context.scratch(
            features,
            features,
            features,
            summaryLength,
            summaryLength,
            roundedFeatures,
            roundedFeatures);
    long[] shape = {s.positions(), s.features()};
    CpuTensor q = scratch.get(0).part(0, shape);
    CpuTensor k = scratch.get(1).part(0, shape);
    CpuTensor slopes = scratch.get(2).part(0, shape);
    CpuTensor contextMatrix = scratch.get(3);
    CpuTensor contextSlopes = scratch.get(4);
    // What the products read.
    CpuTensor factorQ = s.factors(q, scratch.get(5));
    CpuTensor factorK = s.factors(k, scratch.get(6));
    Kernel roundingQ = s.rounding(context, q, factorQ);
    Kernel roundingK = s.rounding(context, k, factorK);
    Kernel softmaxOfQueries = Softmax.ofRows(context, q, rows, s.width());
    Kernel softmaxOfKeys = Softmax.ofColumns(context, k, s.positions(), s.features());
    Kernel gradientOfQueries = Softmax.gradientOfRows(context, q, slopes, rows, s.width());
    MatrixProduct summing = MatrixProduct.scaled(s.inRowsTransposed(), s.inQkv(), summary, scale);
    MatrixProduct ofContext =
        MatrixProduct.scaled(s.inRowsTransposed(), s.inRows(), summary, scale);
    MatrixProduct ofQueries = MatrixProduct.of(s.inRows(), summaryTransposed, inFloatRows);
    MatrixProduct ofKeys = MatrixProduct.of(s.inQkv(), summaryTransposed, inFloatRows);
    MatrixProduct ofValues = MatrixProduct.of(s.inRows(), summary, s.inQkv());
    Kernel gradientOfKeys = new GradientOfKeys(s, k, slopes);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      CpuTensor image = LinearAttentionKernel.image(qkv, s, n);
      CpuTensor gradientOfImage = LinearAttentionKernel.image(gradient, s, n);
      CpuTensor v = s.part(qkv, n, 2);
      CpuTensor dy = s.image(inputs.get(1), n);
      steps.add(ChannelRange.gathering(context, image, 0, q));
      steps.add(softmaxOfQueries);
      steps.add(roundingQ);
      steps.add(ChannelRange.gathering(context, image, s.features(), k));
      steps.add(softmaxOfKeys);
      steps.add(roundingK);
      steps.add(summing.call(context, factorK, v, contextMatrix));
      steps.add(ofContext.call(context, factorQ, dy, contextSlopes));
      steps.add(ofValues.call(context, factorK, contextSlopes, s.part(gradient, n, 2)));
      steps.add(ofQueries.call(context, dy, contextMatrix, slopes));
      steps.add(gradientOfQueries);
      steps.add(ChannelRange.scattering(context, slopes, gradientOfImage, 0));
      steps.add(ofKeys.call(context, v, contextSlopes, slopes));
      steps.add(gradientOfKeys);
      steps.add(ChannelRange.scattering(context, slopes, gradientOfImage, s.features()));
    }
    return Kernel.sequence(steps);
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
