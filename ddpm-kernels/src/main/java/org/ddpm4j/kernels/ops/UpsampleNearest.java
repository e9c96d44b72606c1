package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Doubles height and width by repeating every position. Input: {@code [N,H,W,C]}. Output: {@code
 * [N,2H,2W,C]}.
 */
public final class UpsampleNearest extends FusedOp {

  /** For SameDiff. */
  public UpsampleNearest() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   */
  public UpsampleNearest(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_upsample_nearest";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], 2 * x[1], 2 * x[2], x[3]});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    int channels = x.size(3);
    int width = x.size(2);
    int rows = x.size(0) * x.size(1);
    int row = 2 * width * channels;
    return () -> {
      for (int r = 0; r < rows; r++) {
        int start = 2 * r * row;
        for (int i = 0; i < width; i++) {
          int from = (r * width + i) * channels;
          y.buffer().put(start + 2 * i * channels, x.buffer(), from, channels);
          y.buffer().put(start + (2 * i + 1) * channels, x.buffer(), from, channels);
        }
        y.buffer().put(start + row, y.buffer().slice(start, row), 0, row);
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new UpsampleNearestGradient(sameDiff, gradients.get(0)).outputVariable());
  }
}
