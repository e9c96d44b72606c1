package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Concatenation along the channels and its gradient, by {@code concat.cu}. */
final class ConcatKernels {

  private static final String FILE = "concat.cu";
  private static final int THREADS = 256;

  private ConcatKernels() {}

  static Kernel concat(
      ConcatChannels op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor a = inputs.get(0);
    Tensor b = inputs.get(1);
    Tensor y = outputs.get(0);
    if (y.rank() == 2) {
      return context.launchFloat(
          FILE,
          "concat_vectors",
          Launch.forElements(y.length(), THREADS),
          a,
          b,
          y,
          y.size(0),
          a.size(1),
          b.size(1));
    }
    long rows = rows(y);
    return context.launch(
        FILE,
        "concat_channels",
        launch(context, rows * y.rowLength()),
        a,
        b,
        y,
        rows,
        a.size(3),
        (int) a.rowLength(),
        b.size(3),
        (int) b.rowLength(),
        (int) y.rowLength());
  }

  static Kernel split(
      SplitChannels op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor a = outputs.get(0);
    Tensor b = outputs.get(1);
    if (a == null && b == null) {
      return () -> {};
    }
    if (x.rank() == 2) {
      return context.launchFloat(
          FILE,
          "split_vectors",
          Launch.forElements(x.length(), THREADS),
          x,
          a,
          b,
          x.size(0),
          op.firstChannels(),
          x.size(1) - op.firstChannels());
    }
    long rows = rows(x);
    int rowA = a == null ? 0 : (int) a.rowLength();
    int rowB = b == null ? 0 : (int) b.rowLength();
    return context.launch(
        FILE,
        "split_channels",
        launch(context, rows * (rowA + rowB)),
        x,
        a,
        b,
        rows,
        op.firstChannels(),
        rowA,
        x.size(3) - op.firstChannels(),
        rowB,
        (int) x.rowLength());
  }

  private static long rows(Tensor map) {
    return (long) map.size(0) * map.size(1) * map.size(2);
  }

  private static Launch launch(CudaContext context, long elements) {
    return Launch.forElements(elements * context.elementBytes() / 16, THREADS);
  }
}
