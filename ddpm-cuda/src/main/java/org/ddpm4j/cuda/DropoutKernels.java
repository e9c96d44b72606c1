package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Dropout and its gradient, which are one operation, by {@code dropout.cu}. */
final class DropoutKernels {

  private static final String FILE = "dropout.cu";
  private static final int THREADS = 256;

  /** Columns of a thread: the words of one block, where channels are a multiple of four. */
  private static final int PACK = 4;

  private DropoutKernels() {}

  static Kernel dropout(
      Dropout op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    int channels = ElementwiseKernels.columns(x);
    long rows = (long) x.length() / channels;
    long packs = (y.rowLength() + PACK - 1) / PACK;
    List<Object> arguments = new ArrayList<>(ElementwiseKernels.layout(x));
    arguments.add(inputs.get(1));
    arguments.addAll(ElementwiseKernels.layout(y));
    arguments.add(rows);
    arguments.add(Math.toIntExact(rows / x.size(0)));
    arguments.add(channels);
    arguments.add(op.layer());
    arguments.add(op.threshold());
    arguments.add((float) op.scale());
    return context.launch(
        FILE, "dropout", Launch.forElements(rows * packs, THREADS), arguments.toArray());
  }
}
