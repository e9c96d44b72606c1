package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.EmbeddingGradient;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** What networks are told of timesteps and of classes, by {@code embedding.cu}. */
final class EmbeddingKernels {

  private static final String FILE = "embedding.cu";

  private EmbeddingKernels() {}

  static Kernel timeFraction(
      TimeFraction op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor t = inputs.get(0);
    return wanted(
        context,
        "time_fraction",
        outputs.get(0),
        t,
        outputs.get(0),
        t.length(),
        (float) op.timesteps());
  }

  static Kernel sinusoidal(
      SinusoidalEmbedding op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor t = inputs.get(0);
    return wanted(
        context,
        "sinusoidal_embedding",
        outputs.get(0),
        t,
        outputs.get(0),
        t.length(),
        op.width() / 2,
        op.shift(),
        op.sinesAt());
  }

  static Kernel forward(
      Embedding op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor labels = inputs.get(0);
    Tensor table = inputs.get(1);
    return wanted(
        context,
        "embedding",
        outputs.get(0),
        labels,
        table,
        outputs.get(0),
        labels.length(),
        table.size(0),
        table.size(1));
  }

  /** A thread for each number of the output. */
  private static Kernel wanted(
      CudaContext context, String kernel, Tensor output, Object... arguments) {
    return output == null
        ? () -> {}
        : context.launch(FILE, kernel, Rows.launch(output.length()), arguments);
  }

  static Kernel backward(
      EmbeddingGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor labels = inputs.get(0);
    Tensor table = inputs.get(1);
    Tensor ofLabels = outputs.get(0);
    Tensor ofTable = outputs.get(1);
    if (ofLabels == null && ofTable == null) {
      return () -> {};
    }
    int threads =
        Math.max(ofLabels == null ? 0 : ofLabels.length(), ofTable == null ? 0 : ofTable.length());
    return context.launch(
        FILE,
        "embedding_gradient",
        Rows.launch(threads),
        labels,
        inputs.get(2),
        ofLabels,
        ofTable,
        labels.length(),
        table.size(0),
        table.size(1));
  }
}
