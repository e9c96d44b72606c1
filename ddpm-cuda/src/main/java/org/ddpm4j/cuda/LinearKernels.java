package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Fully connected layers of dense float by {@code linear.cu}, exact in every precision. */
final class LinearKernels {

  private static final String FILE = "linear.cu";
  private static final int COLUMNS = 32;
  private static final int THREADS = 256;

  /** Rows of a block that makes outputs or gradients by inputs. */
  private static final int ROWS = 8;

  /** Rows of a block that makes gradients by weights. */
  private static final int WEIGHT_ROWS = 32;

  /** Of the sums' index, how many a block has in shared memory in one stage, and stages. */
  private static final int CHUNK = 128;

  private static final int STAGES = 4;
  private static final int WEIGHT_STAGES = 2;

  /** What keeps rows in different banks. */
  private static final int GAP = 4;

  private static final int FORWARD_BYTES =
      STAGES * (ROWS * (CHUNK + GAP) + CHUNK * COLUMNS) * Float.BYTES;
  private static final int GRADIENT_BYTES =
      Float.BYTES
          * Math.max(
              STAGES * (ROWS + COLUMNS) * (CHUNK + GAP),
              WEIGHT_STAGES * (WEIGHT_ROWS + COLUMNS) * CHUNK);

  private LinearKernels() {}

  static Kernel forward(Linear op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    int n = x.size(0);
    int in = weights.size(0);
    int out = weights.size(1);
    Launch launch =
        Launch.of(blocks(out, COLUMNS), blocks(n, ROWS), THREADS).withShared(FORWARD_BYTES);
    return context.launchFloat(
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
    // Those of the first rows also sum up the gradient of the bias.
    int rowBlocks = dw == null ? (db == null ? 0 : 1) : blocks(in, WEIGHT_ROWS);
    int parameterBlocks = rowBlocks * blocks(out, COLUMNS);
    if (inputBlocks + parameterBlocks == 0) {
      return () -> {};
    }
    return context.launchFloat(
        FILE,
        "linear_gradient",
        Launch.of(inputBlocks + parameterBlocks, THREADS).withShared(GRADIENT_BYTES),
        x,
        weights,
        inputs.get(2),
        op.addsResidual() ? inputs.get(3) : null,
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
