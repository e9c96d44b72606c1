package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.BoundPerImageGradient;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** The bound as the loss of images, by {@code bound.cu}. */
final class BoundKernels {

  private static final String FILE = "bound.cu";
  private static final int THREADS = 256;

  /** As bound.cu numbers the simple errors. */
  private static final int NO_ERROR = -1;

  private BoundKernels() {}

  static Kernel forward(
      BoundPerImage op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    List<Object> arguments = new ArrayList<>(arguments(op.loss(), context, inputs));
    arguments.add(outputs.get(0));
    return context.launch(
        FILE, "bound_per_image", Launch.of(inputs.get(1).size(0), THREADS), arguments.toArray());
  }

  static Kernel backward(
      BoundPerImageGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor slopes = outputs.get(0);
    if (slopes == null) {
      return () -> {};
    }
    List<Object> arguments = new ArrayList<>(arguments(op.loss(), context, inputs));
    arguments.add(inputs.get(4));
    arguments.addAll(ElementwiseKernels.layout(slopes));
    Tensor answer = inputs.get(0);
    long places = (long) answer.size(1) * answer.size(2) * slopes.rowLength();
    int blocks = Math.toIntExact((places + THREADS - 1) / THREADS);
    return context.launch(
        FILE,
        "bound_per_image_gradient",
        Launch.of(blocks, answer.size(0), THREADS),
        arguments.toArray());
  }

  /** What both kernels take first. */
  private static List<Object> arguments(BoundLoss loss, CudaContext context, List<Tensor> inputs) {
    Tensor answer = inputs.get(0);
    Tensor target = inputs.get(1);
    List<Object> arguments = new ArrayList<>(ElementwiseKernels.layout(answer));
    arguments.addAll(List.of(target, inputs.get(2), inputs.get(3)));
    double[] pixels =
        loss.pixels().stream()
            .flatMapToDouble(v -> DoubleStream.of(v.lower(), v.step(), v.last()))
            .toArray();
    arguments.add(pixels.length == 0 ? 0L : context.constant(pixels));
    arguments.add(loss.pixels().size());
    arguments.add(target.size(1));
    arguments.add(target.size(2) * target.size(3));
    arguments.add(answer.size(3) > target.size(1) ? 1 : 0);
    arguments.add(loss.simple().map(LossFunction::code).orElse(NO_ERROR));
    return arguments;
  }
}
