package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.MaxPoolGradient;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** What halves and doubles height and width, by {@code pooling.cu}. */
final class PoolingKernels {

  private static final String FILE = "pooling.cu";
  private static final int THREADS = 256;
  private static final float QUARTER = 0.25f;

  private PoolingKernels() {}

  static Kernel averagePool(
      AveragePool op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return sum(context, inputs.get(0), outputs.get(0), QUARTER);
  }

  static Kernel averagePoolGradient(
      AveragePoolGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return spread(context, inputs.get(0), outputs.get(0), QUARTER);
  }

  static Kernel upsampleNearest(
      UpsampleNearest op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return spread(context, inputs.get(0), outputs.get(0), 1);
  }

  static Kernel upsampleNearestGradient(
      UpsampleNearestGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return sum(context, inputs.get(0), outputs.get(0), 1);
  }

  static Kernel maxPool(
      MaxPool op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor fine = inputs.get(0);
    return context.launch(
        FILE,
        "max_pool",
        launch(context, fine, false),
        fine,
        outputs.get(0),
        fine.size(0),
        fine.size(1),
        fine.size(2),
        (int) fine.rowLength());
  }

  static Kernel maxPoolGradient(
      MaxPoolGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor fine = inputs.get(0);
    return context.launch(
        FILE,
        "max_pool_gradient",
        launch(context, fine, true),
        fine,
        inputs.get(1),
        outputs.get(0),
        fine.size(0),
        fine.size(1),
        fine.size(2),
        (int) fine.rowLength());
  }

  private static Kernel sum(CudaContext context, Tensor fine, Tensor coarse, float factor) {
    return context.launch(
        FILE,
        "sum_squares",
        launch(context, fine, false),
        fine,
        coarse,
        fine.size(0),
        fine.size(1),
        fine.size(2),
        (int) fine.rowLength(),
        factor);
  }

  private static Kernel spread(CudaContext context, Tensor coarse, Tensor fine, float factor) {
    return context.launch(
        FILE,
        "spread_squares",
        launch(context, fine, true),
        coarse,
        fine,
        fine.size(0),
        fine.size(1),
        fine.size(2),
        (int) fine.rowLength(),
        factor);
  }

  /** A thread for each pack of each square, with those at odd edges where they are written. */
  private static Launch launch(CudaContext context, Tensor fine, boolean withRest) {
    int rest = withRest ? 1 : 0;
    long squares = (long) fine.size(0) * ((fine.size(1) + rest) / 2) * ((fine.size(2) + rest) / 2);
    return Launch.forElements(squares * fine.rowLength() * context.elementBytes() / 16, THREADS);
  }
}
