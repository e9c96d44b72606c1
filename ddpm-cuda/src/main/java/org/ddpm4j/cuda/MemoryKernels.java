package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.DropMemory;
import org.ddpm4j.kernels.ops.DropMemoryGradient;
import org.ddpm4j.kernels.ops.PrependMemory;
import org.ddpm4j.kernels.ops.PrependMemoryGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Learned positions before those of images, by {@code memory.cu}. */
final class MemoryKernels {

  private static final String FILE = "memory.cu";
  private static final int THREADS = 256;

  private MemoryKernels() {}

  static Kernel prepend(
      PrependMemory op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor memory = inputs.get(1);
    return prepending(
        context, inputs.get(0), memory, memory.length() / memory.size(0), outputs.get(0));
  }

  static Kernel dropGradient(
      DropMemoryGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return prepending(context, inputs.get(1), null, 0, outputs.get(0));
  }

  private static Kernel prepending(
      CudaContext context, Tensor x, Tensor memory, int width, Tensor y) {
    return context.launch(
        FILE,
        "prepend_memory",
        packs(context, y),
        x,
        memory,
        y,
        x.size(0),
        positions(x),
        positions(y) - positions(x),
        width,
        x.size(3),
        (int) x.rowLength());
  }

  static Kernel drop(
      DropMemory op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return dropping(context, inputs.get(0), outputs.get(0));
  }

  static Kernel prependGradient(
      PrependMemoryGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor memory = inputs.get(0);
    Tensor dy = inputs.get(1);
    List<Kernel> kernels = new ArrayList<>();
    if (outputs.get(0) != null) {
      kernels.add(dropping(context, dy, outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      int rows = memory.size(0);
      kernels.add(
          context.launch(
              FILE,
              "memory_gradient",
              Launch.forElements(memory.length(), THREADS),
              dy,
              outputs.get(1),
              dy.size(0),
              positions(dy) - rows,
              rows,
              memory.length() / rows,
              dy.size(3),
              (int) dy.rowLength()));
    }
    return Kernel.sequence(kernels);
  }

  private static Kernel dropping(CudaContext context, Tensor x, Tensor y) {
    return context.launch(
        FILE,
        "drop_memory",
        packs(context, y),
        x,
        y,
        y.size(0),
        positions(y),
        positions(x) - positions(y),
        (int) y.rowLength());
  }

  private static int positions(Tensor map) {
    return map.size(1) * map.size(2);
  }

  private static Launch packs(CudaContext context, Tensor map) {
    long elements = (long) map.size(0) * positions(map) * map.rowLength();
    return Launch.forElements(elements * context.elementBytes() / 16, THREADS);
  }
}
