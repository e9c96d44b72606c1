package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Halves height and width by taking the largest of squares of two by two positions. Input: {@code
 * [N,2H,2W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class MaxPool extends FusedOp {

  /** For SameDiff. */
  public MaxPool() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,2H,2W,C]}
   */
  public MaxPool(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_max_pool";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[1] / 2, x[2] / 2, x[3]});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    int channels = y.size(3);
    int width = y.size(2);
    int rows = y.size(0) * y.size(1);
    float[] upper = new float[2 * width * channels];
    float[] lower = new float[2 * width * channels];
    float[] largest = new float[width * channels];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(2 * r * upper.length, upper);
        x.buffer().get((2 * r + 1) * lower.length, lower);
        for (int i = 0; i < upper.length; i++) {
          upper[i] = Math.max(upper[i], lower[i]);
        }
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int from = 2 * i * channels + c;
            largest[i * channels + c] = Math.max(upper[from], upper[from + channels]);
          }
        }
        y.buffer().put(r * largest.length, largest);
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new MaxPoolGradient(sameDiff, arg(0), gradients.get(0)).outputVariable());
  }
}
