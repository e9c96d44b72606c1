package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.LayerNorm;
import org.ddpm4j.kernels.ops.LayerNormGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Layer normalisation, by {@code layer_norm.cu}. */
final class LayerNormKernels {

  private static final String FILE = "layer_norm.cu";
  private static final int THREADS = 128;

  private LayerNormKernels() {}

  static Kernel forward(
      LayerNorm op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return launch(
        context, "layer_norm", List.of(inputs.get(0), outputs.get(0)), (float) op.epsilon());
  }

  static Kernel backward(
      LayerNormGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return launch(
        context,
        "layer_norm_gradient",
        List.of(inputs.get(0), inputs.get(1), outputs.get(0)),
        (float) op.epsilon());
  }

  private static Kernel launch(
      CudaContext context, String kernel, List<Tensor> tensors, float epsilon) {
    List<Object> arguments = new ArrayList<>();
    tensors.forEach(tensor -> arguments.addAll(ElementwiseKernels.layout(tensor)));
    Tensor x = tensors.get(0);
    int channels = x.size(3);
    arguments.add(channels);
    arguments.add(epsilon);
    int rows = Math.toIntExact(x.length() / channels);
    return context.launch(FILE, kernel, Launch.of(rows, THREADS), arguments.toArray());
  }
}
