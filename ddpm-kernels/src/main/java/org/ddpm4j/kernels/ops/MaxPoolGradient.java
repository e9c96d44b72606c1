package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link MaxPool}: it goes to the largest of four positions; where several are, to
 * the first in the order of rows, as in PyTorch. Inputs: x {@code [N,2H,2W,C]}, gradient of the
 * output. Output: {@code [N,2H,2W,C]}.
 */
public final class MaxPoolGradient extends FusedOp {

  /** For SameDiff. */
  public MaxPoolGradient() {
    super(1);
  }

  MaxPoolGradient(SameDiff graph, SDVariable x, SDVariable dy) {
    super(1, graph, x, dy);
  }

  @Override
  public String opName() {
    return "ddpm_max_pool_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor dy = inputs.get(1);
    Tensor dx = outputs.get(0);
    int channels = dy.size(3);
    int width = dy.size(2);
    int rows = dy.size(0) * dy.size(1);
    int row = 2 * width * channels;
    float[] twoRows = new float[2 * row];
    float[] gradients = new float[width * channels];
    float[] result = new float[2 * row];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(r * twoRows.length, twoRows);
        dy.buffer().get(r * gradients.length, gradients);
        Arrays.fill(result, 0);
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int first = 2 * i * channels + c;
            int largest = first;
            largest = larger(twoRows, largest, first + channels);
            largest = larger(twoRows, largest, first + row);
            largest = larger(twoRows, largest, first + row + channels);
            result[largest] = gradients[i * channels + c];
          }
        }
        dx.buffer().put(r * result.length, result);
      }
    };
  }

  private static int larger(float[] values, int first, int second) {
    return values[second] > values[first] ? second : first;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
