package org.ddpm4j.kernels.ops;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
 * The gradient of {@link LinearAttention}. Inputs: qkv, gradient of the output. Output: gradient of
 * qkv. Both softmaxes are computed again rather than kept.
 */
public final class LinearAttentionGradient extends FusedOp {

  /** For SameDiff. */
  public LinearAttentionGradient() {
    super(1);
  }

  LinearAttentionGradient(SameDiff graph, SDVariable qkv, SDVariable dy, int heads) {
    super(1, graph, qkv, dy);
    addIArgument(heads);
  }

  @Override
  public String opName() {
    return "ddpm_linear_attention_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 10.0 * Tensor.length(qkv) / 3 * qkv[3] / (3 * setting(0));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor qkv = inputs.get(0);
    Tensor gradient = outputs.get(0);
    AttentionShape s = AttentionShape.of(qkv, setting(0));
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
    List<Tensor> scratch =
        context.scratch(features, features, features, summaryLength, summaryLength);
    Tensor q = scratch.get(0);
    Tensor k = scratch.get(1);
    Tensor slopes = scratch.get(2);
    Tensor contextMatrix = scratch.get(3);
    Tensor contextSlopes = scratch.get(4);
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
      Tensor v = s.part(qkv, n, 2);
      Tensor dy = s.image(inputs.get(1), n);
      steps.add(LinearAttention.gathering(qkv, s, n, 0, q));
      steps.add(softmaxOfQueries);
      steps.add(LinearAttention.gathering(qkv, s, n, 1, k));
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
    return ConvolutionOperands.sequence(steps);
  }

  /** Copies rows to the queries (part 0) or keys (1) of one image. */
  private static Kernel scattering(Tensor rows, AttentionShape s, int image, int part, Tensor qkv) {
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

    private final Tensor k;
    private final Tensor slopes;
    private final ChannelTiles tiles;
    private final float[] values;
    private final float[] gradient;
    private final float[] sums;
    private final float[] perChannel;
    private final double[] totals;

    GradientOfKeys(AttentionShape s, Tensor k, Tensor slopes) {
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

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
