package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.LossPerImageGradient;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.ops.MeanGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;

/** Losses of images, their mean, and their gradients, by {@code image_loss.cu}. */
final class ImageLossKernels {

  private static final String FILE = "image_loss.cu";

  /** Of the block that sums up an image; the order of summing depends on it. */
  private static final int THREADS_OF_IMAGE = 512;

  private static final int WARP = 32;
  private static final int MOST_THREADS = 1024;

  private ImageLossKernels() {}

  static Kernel perImage(
      LossPerImage op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor losses = outputs.get(0);
    if (losses == null) {
      return () -> {};
    }
    Tensor predictions = rowsOfImages(inputs.get(0));
    Tensor targets = rowsOfImages(inputs.get(1));
    int images = predictions.size(0);
    long rows = Rows.count(predictions) / images;
    int loss = op.loss().ordinal();
    Launch launch = Launch.of(images, THREADS_OF_IMAGE);
    if (areAlikeInPacks(context, Stream.of(predictions, targets))) {
      long length = Rows.elements(predictions) / images;
      long elements = rows * Rows.width(predictions);
      return context.launch(
          FILE, "loss_per_image", launch, predictions, targets, losses, length, elements, loss);
    }
    List<Object> arguments = new ArrayList<>(Rows.anyFormat(predictions));
    arguments.addAll(Rows.anyFormat(targets));
    Collections.addAll(arguments, losses, rows, Rows.width(predictions), loss);
    return context.launch(FILE, "loss_per_image_any", launch, arguments.toArray());
  }

  static Kernel perImageGradient(
      LossPerImageGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor predictions = rowsOfImages(inputs.get(0));
    Tensor targets = rowsOfImages(inputs.get(1));
    Tensor gradients = inputs.get(2);
    Tensor ofPredictions = rowsOfImages(outputs.get(0));
    Tensor ofTargets = rowsOfImages(outputs.get(1));
    if (ofPredictions == null && ofTargets == null) {
      return () -> {};
    }
    int loss = op.loss().ordinal();
    if (areAlikeInPacks(context, Stream.of(predictions, targets, ofPredictions, ofTargets))) {
      long images = predictions.size(0);
      return context.launch(
          FILE,
          "loss_per_image_gradient",
          Rows.launch(Rows.packs(predictions)),
          predictions,
          targets,
          gradients,
          ofPredictions,
          ofTargets,
          images,
          Rows.elements(predictions) / images,
          predictions.length() / images,
          loss);
    }
    Kernel first = slopes(context, predictions, targets, gradients, ofPredictions, 0, loss);
    Kernel second = slopes(context, predictions, targets, gradients, ofTargets, 1, loss);
    return Kernel.sequence(List.of(first, second));
  }

  private static Kernel slopes(
      CudaContext context,
      Tensor predictions,
      Tensor targets,
      Tensor gradients,
      Tensor slopes,
      int ofTarget,
      int loss) {
    if (slopes == null) {
      return () -> {};
    }
    long images = predictions.size(0);
    List<Object> arguments = new ArrayList<>(Rows.anyFormat(predictions));
    arguments.addAll(Rows.anyFormat(targets));
    arguments.add(gradients);
    arguments.addAll(Rows.anyFormat(slopes));
    Collections.addAll(
        arguments,
        ofTarget,
        images,
        Rows.count(predictions) / images,
        Rows.width(predictions),
        loss);
    return context.launch(
        FILE,
        "loss_per_image_gradient_any",
        Rows.launch(Rows.elements(slopes)),
        arguments.toArray());
  }

  /** Images of one number each become rows of their own. */
  private static Tensor rowsOfImages(Tensor tensor) {
    return tensor != null && tensor.rank() == 1
        ? Tensor.dense(tensor.address(), tensor.size(0), 1)
        : tensor;
  }

  private static boolean areAlikeInPacks(CudaContext context, Stream<Tensor> tensors) {
    List<Tensor> all = tensors.filter(Objects::nonNull).toList();
    TensorFormat format = all.get(0).format();
    return Rows.arePacks(context, all.get(0))
        && all.stream().allMatch(tensor -> tensor.format().equals(format));
  }

  static Kernel mean(Mean op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    if (outputs.get(0) == null) {
      return () -> {};
    }
    List<Object> arguments = new ArrayList<>(Rows.anyFormat(x));
    Collections.addAll(arguments, outputs.get(0), Rows.count(x), Rows.width(x));
    int threads = Math.min(MOST_THREADS, (x.length() + WARP - 1) / WARP * WARP);
    return context.launch(FILE, "mean", Launch.of(1, threads), arguments.toArray());
  }

  static Kernel meanGradient(
      MeanGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor dx = outputs.get(0);
    if (dx == null) {
      return () -> {};
    }
    List<Object> arguments = new ArrayList<>(List.of(inputs.get(1)));
    arguments.addAll(Rows.anyFormat(dx));
    Collections.addAll(arguments, Rows.count(dx), Rows.width(dx));
    Launch launch = Rows.launch(Rows.elements(dx));
    return context.launch(FILE, "mean_gradient", launch, arguments.toArray());
  }
}
