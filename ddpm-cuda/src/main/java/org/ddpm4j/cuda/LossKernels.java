package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.LossPerImageGradient;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.ops.MeanGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Losses and means, by {@code loss.cu}. */
final class LossKernels {

  private static final String FILE = "loss.cu";
  private static final int THREADS = 256;
  private static final int IMAGE_THREADS = 512;
  private static final int MEAN_THREADS = 1024;

  private LossKernels() {}

  static Kernel perImage(
      LossPerImage op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor prediction = inputs.get(0);
    int columns = columnsOfImage(prediction);
    List<Object> arguments = new ArrayList<>();
    arguments.addAll(layout(prediction));
    arguments.addAll(layout(inputs.get(1)));
    arguments.add(outputs.get(0));
    arguments.addAll(List.of(rowsOfImage(prediction), columns, op.loss().code()));
    return context.launch(
        FILE, "loss_per_image", Launch.of(prediction.size(0), IMAGE_THREADS), arguments.toArray());
  }

  static Kernel perImageGradient(
      LossPerImageGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor dPrediction = outputs.get(0);
    Tensor dTarget = outputs.get(1);
    if (dPrediction == null && dTarget == null) {
      return () -> {};
    }
    Tensor prediction = inputs.get(0);
    int rows = rowsOfImage(prediction);
    int columns = columnsOfImage(prediction);
    List<Object> arguments = new ArrayList<>();
    arguments.addAll(layout(prediction));
    arguments.addAll(layout(inputs.get(1)));
    arguments.add(inputs.get(2));
    arguments.addAll(layout(dPrediction));
    arguments.addAll(layout(dTarget));
    arguments.addAll(List.of(rows, columns, op.loss().code()));
    int places = Math.max(columns, Math.max(rowLength(dPrediction), rowLength(dTarget)));
    int blocks = Math.toIntExact(((long) rows * places + THREADS - 1) / THREADS);
    return context.launch(
        FILE,
        "loss_per_image_gradient",
        Launch.of(blocks, prediction.size(0), THREADS),
        arguments.toArray());
  }

  /** As the kernels see it: images of one element each have rows of one. */
  private static List<Object> layout(Tensor tensor) {
    List<Object> layout = new ArrayList<>(ElementwiseKernels.layout(tensor));
    layout.set(2, rowLength(tensor));
    return layout;
  }

  private static int rowLength(Tensor tensor) {
    if (tensor == null) {
      return 0;
    }
    return tensor.rank() == 1 ? 1 : Math.toIntExact(tensor.rowLength());
  }

  private static int columnsOfImage(Tensor tensor) {
    return tensor.rank() == 1 ? 1 : ElementwiseKernels.columns(tensor);
  }

  private static int rowsOfImage(Tensor tensor) {
    return tensor.length() / tensor.size(0) / columnsOfImage(tensor);
  }

  static Kernel mean(Mean op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    int columns = ElementwiseKernels.columns(x);
    List<Object> arguments = new ArrayList<>(ElementwiseKernels.layout(x));
    arguments.add(outputs.get(0));
    arguments.addAll(List.of((long) x.length() / columns, columns));
    return context.launch(FILE, "mean", Launch.of(1, MEAN_THREADS), arguments.toArray());
  }

  static Kernel meanGradient(
      MeanGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor dx = outputs.get(0);
    int columns = ElementwiseKernels.columns(dx);
    List<Object> arguments = new ArrayList<>();
    arguments.add(inputs.get(1));
    arguments.addAll(ElementwiseKernels.layout(dx));
    arguments.addAll(List.of((long) dx.length() / columns, columns));
    return context.launch(
        FILE,
        "mean_gradient",
        Launch.forElements(dx.bytes() / dx.type().bytes(), THREADS),
        arguments.toArray());
  }
}
