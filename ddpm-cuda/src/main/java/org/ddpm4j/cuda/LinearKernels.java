package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Fully connected layers of dense float by {@code gemm.cu}: small, and exact in every precision.
 */
final class LinearKernels {

  private static final String FILE = "gemm.cu";
  private static final int ROWS = 16;
  private static final int COLUMNS = 32;
  private static final int THREADS = 256;

  private LinearKernels() {}

  static Kernel forward(Linear op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    int n = x.size(0);
    int in = weights.size(0);
    int out = weights.size(1);
    Launch launch = Launch.of(blocks(out, COLUMNS), blocks(n, ROWS), THREADS);
    return context.launch(
        FILE, "linear_forward", launch, x, weights, inputs.get(2), outputs.get(0), n, in, out);
  }

  static Kernel backward(
      LinearGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    int n = x.size(0);
    int in = weights.size(0);
    int out = weights.size(1);
    Tensor dx = outputs.get(0);
    Tensor dw = outputs.get(1);
    Tensor db = outputs.get(2);
    int inputBlocks = dx == null ? 0 : blocks(n, ROWS) * blocks(in, COLUMNS);
    // The gradient of the bias is one more row of that of the weights.
    int parameterBlocks =
        dw == null && db == null ? 0 : blocks(in + 1, ROWS) * blocks(out, COLUMNS);
    if (inputBlocks + parameterBlocks == 0) {
      return () -> {};
    }
    return context.launch(
        FILE,
        "linear_gradient",
        Launch.of(inputBlocks + parameterBlocks, THREADS),
        x,
        weights,
        inputs.get(2),
        dx,
        dw,
        db,
        n,
        in,
        out,
        inputBlocks);
  }

  private static int blocks(int length, int tile) {
    return (length + tile - 1) / tile;
  }
}
