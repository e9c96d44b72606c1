package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LinearAttentionGradient} on a CPU. */
final class LinearAttentionGradientKernel {

  private static final int QUERIES = 0;
  private static final int KEYS = 1;

  private LinearAttentionGradientKernel() {}

  static Kernel kernel(
      LinearAttentionGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    AttentionShape s = AttentionShape.of(inputs.get(0), op.heads());
    double flops = 10.0 * s.images() * s.positions() * s.features() * s.width();
    // By images alone: the sums over positions of fewer heads would be formed in another order.
    return SharedKernel.ofImages(
        context,
        flops,
        s.images(),
        (own, first, end) -> ofImages(own, s, inputs, outputs, first, end));
  }

  private static Kernel ofImages(
      CpuContext context,
      AttentionShape s,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs,
      int first,
      int end) {
    CpuTensor qkv = inputs.get(0);
    CpuTensor gradient = outputs.get(0);
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
    CpuTensor kept = inputs.size() == 2 ? null : inputs.get(2);
    long features = (long) s.positions() * s.features();
    long floats = Softmaxes.needsFloats(kept) ? features : 0;
    long rounded = kept == null ? s.roundedScratch(features) : 0;
    long summaryLength = (long) s.features() * s.width();
    List<CpuTensor> scratch =
        context.scratch(features, summaryLength, summaryLength, floats, floats, rounded, rounded);
    CpuTensor slopes = scratch.get(0).part(0, s.positions(), s.features());
    CpuTensor contextMatrix = scratch.get(1);
    CpuTensor contextSlopes = scratch.get(2);
    Softmaxes softmaxes =
        new Softmaxes(
            context,
            s,
            qkv,
            kept,
            scratch.subList(3, 5),
            scratch.subList(5, 7),
            List.of(
                Softmax.ofRows(memory.data_type.f32, rows, s.width()),
                Softmax.ofColumns(memory.data_type.f32, s.positions(), s.features())));
    MatrixProduct summing = MatrixProduct.scaled(s.inRowsTransposed(), s.inQkv(), summary, scale);
    MatrixProduct ofContext =
        MatrixProduct.scaled(s.inRowsTransposed(), s.inRows(), summary, scale);
    MatrixProduct ofQueries = MatrixProduct.of(s.inRows(), summaryTransposed, inFloatRows);
    MatrixProduct ofKeys = MatrixProduct.of(s.inQkv(), summaryTransposed, inFloatRows);
    MatrixProduct ofValues = MatrixProduct.of(s.inRows(), summary, s.inQkv());
    Softmax.Gradient gradientOfQueries = Softmax.Gradient.ofRows(rows, s.width());
    List<Kernel> steps = new ArrayList<>();
    for (int n = first; n < end; n++) {
      CpuTensor gradientOfImage = LinearAttentionKernel.image(gradient, s, n);
      CpuTensor v = s.part(qkv, n, 2);
      CpuTensor dy = s.image(inputs.get(1), n);
      CpuTensor q = softmaxes.factor(n, QUERIES);
      CpuTensor k = softmaxes.factor(n, KEYS);
      CpuTensor qFloats = softmaxes.floats(n, QUERIES);
      CpuTensor kFloats = softmaxes.floats(n, KEYS);
      steps.addAll(softmaxes.preparation(n, QUERIES));
      steps.addAll(softmaxes.preparation(n, KEYS));
      steps.add(summing.call(context, k, v, contextMatrix));
      steps.add(ofContext.call(context, q, dy, contextSlopes));
      steps.add(ofValues.call(context, k, contextSlopes, s.part(gradient, n, 2)));
      steps.add(ofQueries.call(context, dy, contextMatrix, slopes));
      steps.add(gradientOfQueries.inPlace(context, qFloats, slopes));
      steps.add(ChannelRange.scattering(context, slopes, gradientOfImage, 0));
      steps.add(ofKeys.call(context, v, contextSlopes, slopes));
      steps.add(new GradientOfKeys(s, kFloats, slopes));
      steps.add(ChannelRange.scattering(context, slopes, gradientOfImage, s.features()));
    }
    return Kernel.sequence(steps);
  }

  /** The softmaxes of an image's queries and keys: kept by the operation, or computed again. */
  private record Softmaxes(
      CpuContext context,
      AttentionShape shape,
      CpuTensor qkv,
      CpuTensor kept,
      List<CpuTensor> floatScratch,
      List<CpuTensor> roundedScratch,
      List<Softmax> functions) {

    /** Whether floats lie elsewhere than what was kept. */
    static boolean needsFloats(CpuTensor kept) {
      return kept == null || !kept.isFloat();
    }

    /** As floats, which the gradient of a softmax reads. */
    CpuTensor floats(int image, int part) {
      return needsFloats(kept)
          ? floatScratch.get(part).part(0, shape.positions(), shape.features())
          : shape.kept(kept, image, part);
    }

    /** As products read them. */
    CpuTensor factor(int image, int part) {
      return kept == null
          ? shape.factors(floats(image, part), roundedScratch.get(part))
          : shape.kept(kept, image, part);
    }

    /** Fills both. */
    List<Kernel> preparation(int image, int part) {
      CpuTensor floats = floats(image, part);
      CpuTensor factor = factor(image, part);
      if (kept != null) {
        return needsFloats(kept) ? List.of(context.copying(factor, floats)) : List.of();
      }
      CpuTensor rows = LinearAttentionKernel.image(qkv, shape, image);
      return List.of(
          ChannelRange.gathering(context, rows, (long) part * shape.features(), floats),
          functions.get(part).inPlace(context, floats),
          shape.rounding(context, floats, factor));
    }
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
