package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;

/**
 * Gives kernels that know padded maps alone what they know: maps that lie otherwise, as inputs and
 * outputs of plans do, are copied to scratch memory before and from there after.
 */
final class PaddedMaps {

  private final CudaContext context;
  private final List<Kernel> before = new ArrayList<>();
  private final List<Kernel> after = new ArrayList<>();
  private long scratch;
  private long used;

  private PaddedMaps(CudaContext context) {
    this.context = context;
  }

  /** Makes a kernel, which uses no scratch memory itself. */
  @FunctionalInterface
  interface Factory {
    Kernel kernel(List<Tensor> inputs, List<Tensor> outputs);
  }

  /** The kernel between copies, of which there are mostly none. */
  static Kernel around(
      CudaContext context, List<Tensor> inputs, List<Tensor> outputs, Factory factory) {
    return new PaddedMaps(context).sequence(inputs, outputs, factory);
  }

  private Kernel sequence(List<Tensor> inputs, List<Tensor> outputs, Factory factory) {
    long bytes = 0;
    for (List<Tensor> tensors : List.of(inputs, outputs)) {
      for (Tensor tensor : tensors) {
        bytes += isPadded(tensor) ? 0 : bytes(tensor);
      }
    }
    scratch = bytes == 0 ? 0 : context.scratch(bytes);
    List<Tensor> paddedInputs = new ArrayList<>();
    for (Tensor input : inputs) {
      paddedInputs.add(padded(input));
      if (!isPadded(input)) {
        before.add(PointwiseKernels.copying(context, input, last(paddedInputs)));
      }
    }
    List<Tensor> paddedOutputs = new ArrayList<>();
    for (Tensor output : outputs) {
      paddedOutputs.add(padded(output));
      if (!isPadded(output)) {
        after.add(PointwiseKernels.copying(context, last(paddedOutputs), output));
      }
    }
    Kernel kernel = factory.kernel(paddedInputs, paddedOutputs);
    if (bytes == 0) {
      return kernel;
    }
    before.add(kernel);
    before.addAll(after);
    return () -> before.forEach(Kernel::run);
  }

  private static Tensor last(List<Tensor> tensors) {
    return tensors.get(tensors.size() - 1);
  }

  private TensorFormat format(Tensor tensor) {
    return new TensorFormat(
        context.isBfloat16() ? ElementType.BFLOAT16 : ElementType.FLOAT32,
        CudaDevice.paddedChannels(Rows.width(tensor)));
  }

  private boolean isPadded(Tensor tensor) {
    return tensor == null || tensor.format().equals(format(tensor));
  }

  private long bytes(Tensor tensor) {
    return CudaContext.roundUp(format(tensor).bytes(tensor.shape()));
  }

  private Tensor padded(Tensor tensor) {
    if (isPadded(tensor)) {
      return tensor;
    }
    Tensor padded = new Tensor(scratch + used, tensor.shape(), format(tensor));
    used += bytes(tensor);
    return padded;
  }
}
