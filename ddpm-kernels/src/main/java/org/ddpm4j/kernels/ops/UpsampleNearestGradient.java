package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link UpsampleNearest}: sums over squares of four positions. Input: {@code
 * [N,2H,2W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class UpsampleNearestGradient extends FusedOp {

  /** For SameDiff. */
  public UpsampleNearestGradient() {
    super(1);
  }

  UpsampleNearestGradient(SameDiff graph, SDVariable dy) {
    super(1, graph, dy);
  }

  @Override
  public String opName() {
    return "ddpm_upsample_nearest_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] y = inputs.get(0);
    return List.of(new long[] {y[0], y[1] / 2, y[2] / 2, y[3]});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor dy = inputs.get(0);
    Tensor dx = outputs.get(0);
    int channels = dx.size(3);
    int width = dx.size(2);
    int rows = dx.size(0) * dx.size(1);
    float[] upper = new float[2 * width * channels];
    float[] lower = new float[2 * width * channels];
    float[] sums = new float[width * channels];
    return () -> {
      for (int r = 0; r < rows; r++) {
        dy.buffer().get(2 * r * upper.length, upper);
        dy.buffer().get((2 * r + 1) * lower.length, lower);
        Loops.add(upper, lower, upper.length);
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int from = 2 * i * channels + c;
            sums[i * channels + c] = upper[from] + upper[from + channels];
          }
        }
        dx.buffer().put(r * sums.length, sums);
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
