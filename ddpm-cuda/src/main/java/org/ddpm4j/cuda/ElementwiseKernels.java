package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPositions;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.DividePerImage;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.EmbeddingGradient;
import org.ddpm4j.kernels.ops.FourierEmbedding;
import org.ddpm4j.kernels.ops.LearnedSinusoids;
import org.ddpm4j.kernels.ops.LearnedSinusoidsGradient;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Operations on single elements, orders of axes and embeddings, by {@code elementwise.cu}. */
final class ElementwiseKernels {

  private static final String FILE = "elementwise.cu";
  private static final int THREADS = 256;

  /** As elementwise.cu numbers them. */
  private enum Operation {
    ADD,
    MULTIPLY,
    AFFINE,
    ELTWISE,
    ELTWISE_GRADIENT
  }

  /** What operations know beside their operands. */
  private record Settings(float factor, float summand, int function) {
    static final Settings NONE = new Settings(0, 0, 0);
  }

  private ElementwiseKernels() {}

  static Kernel add(Add op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return pair(context, Operation.ADD, "add", inputs, outputs.get(0), Settings.NONE);
  }

  static Kernel multiply(
      Multiply op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return pair(context, Operation.MULTIPLY, "multiply", inputs, outputs.get(0), Settings.NONE);
  }

  /** {@code sum += summand}. */
  static Kernel adding(CudaContext context, Tensor summand, Tensor sum) {
    return pair(context, Operation.ADD, "add", List.of(sum, summand), sum, Settings.NONE);
  }

  private static Kernel pair(
      CudaContext context,
      Operation operation,
      String kernel,
      List<Tensor> operands,
      Tensor y,
      Settings settings) {
    Tensor a = operands.get(0);
    Tensor b = operands.get(1);
    return areAlike(a, b, y)
        ? flat(context, kernel, y, a, b, y, elements(y))
        : any(context, operation, a, b, y, settings);
  }

  static Kernel affine(Affine op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    float factor = (float) op.factor();
    float summand = (float) op.summand();
    boolean keepsPadding = summand == 0 || y.isDense();
    return areAlike(x, y) && keepsPadding
        ? flat(context, "affine", y, x, y, elements(y), factor, summand)
        : any(context, Operation.AFFINE, x, null, y, new Settings(factor, summand, 0));
  }

  static Kernel eltwise(
      Eltwise op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    int function = op.function().ordinal();
    return areAlike(x, y)
        ? flat(context, "eltwise", y, x, y, elements(y), function)
        : any(context, Operation.ELTWISE, x, null, y, new Settings(0, 0, function));
  }

  static Kernel eltwiseGradient(
      EltwiseGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor dy = inputs.get(1);
    Tensor dx = outputs.get(0);
    int function = op.function().ordinal();
    return areAlike(x, dy, dx)
        ? flat(context, "eltwise_gradient", dx, x, dy, dx, elements(dx), function)
        : any(context, Operation.ELTWISE_GRADIENT, x, dy, dx, new Settings(0, 0, function));
  }

  private static boolean areAlike(Tensor... tensors) {
    return Arrays.stream(tensors).allMatch(tensor -> tensor.format().equals(tensors[0].format()));
  }

  /** The number of elements with the padding. */
  private static long elements(Tensor tensor) {
    return tensor.bytes() / tensor.type().bytes();
  }

  private static Kernel flat(
      CudaContext context, String kernel, Tensor result, Object... arguments) {
    int pack = 16 / result.type().bytes();
    Launch launch = Launch.forElements((elements(result) + pack - 1) / pack, THREADS);
    return result.type() == ElementType.FLOAT32
        ? context.launchFloat(FILE, kernel, launch, arguments)
        : context.launch(FILE, kernel, launch, arguments);
  }

  private static Kernel any(
      CudaContext context, Operation operation, Tensor a, Tensor b, Tensor y, Settings settings) {
    int channels = columns(y);
    List<Object> arguments = new ArrayList<>();
    arguments.add(operation.ordinal());
    arguments.addAll(layout(a));
    arguments.addAll(layout(b));
    arguments.addAll(layout(y));
    arguments.addAll(
        List.of(
            (long) y.length() / channels,
            channels,
            settings.factor(),
            settings.summand(),
            settings.function()));
    return context.launch(
        FILE, "operate_any", Launch.forElements(elements(y), THREADS), arguments.toArray());
  }

  static int columns(Tensor tensor) {
    return tensor.rank() == 0 ? 1 : tensor.size(tensor.rank() - 1);
  }

  /** Address, whether it is float, and row length: what kernels for any array take. */
  static List<Object> layout(Tensor tensor) {
    return tensor == null
        ? List.of(0L, 0, 0)
        : List.of(
            tensor.address(),
            tensor.type() == ElementType.FLOAT32 ? 1 : 0,
            Math.toIntExact(tensor.rowLength()));
  }

  static Kernel channelsFirst(
      ChannelsFirst op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    return y.isDense() && isMap(context, x)
        ? transposing(context, "channels_first", x, x, y)
        : permuting(context, x, y, y, 1);
  }

  static Kernel channelsLast(
      ChannelsLast op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    return x.isDense() && isMap(context, y)
        ? transposing(context, "channels_last", y, x, y)
        : permuting(context, x, y, x, 0);
  }

  private static boolean isMap(CudaContext context, Tensor tensor) {
    return tensor.type().bytes() == context.elementBytes()
        && tensor.rowLength() * context.elementBytes() % 16 == 0;
  }

  private static Kernel transposing(
      CudaContext context, String kernel, Tensor map, Tensor x, Tensor y) {
    int positions = map.size(1) * map.size(2);
    long allPositions = (long) map.size(0) * positions;
    int rowLength = (int) map.rowLength();
    int blocks = (int) ((allPositions + THREADS - 1) / THREADS);
    int pack = 16 / context.elementBytes();
    Launch launch = Launch.of(blocks, rowLength / pack, THREADS);
    return context.launch(
        FILE, kernel, launch, x, y, allPositions, positions, map.size(3), rowLength);
  }

  private static Kernel permuting(
      CudaContext context, Tensor x, Tensor y, Tensor first, int toFirst) {
    List<Object> arguments = new ArrayList<>(layout(x));
    arguments.addAll(layout(y));
    for (int axis = 0; axis < 4; axis++) {
      arguments.add(first.size(axis));
    }
    arguments.add(toFirst);
    return context.launch(
        FILE, "permute_any", Launch.forElements(elements(y), THREADS), arguments.toArray());
  }

  static Kernel timeFraction(
      TimeFraction op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor t = inputs.get(0);
    return context.launchFloat(
        FILE,
        "time_fraction",
        Launch.forElements(t.length(), THREADS),
        t,
        outputs.get(0),
        t.length(),
        (float) op.timesteps());
  }

  static Kernel sinusoidalEmbedding(
      SinusoidalEmbedding op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor t = inputs.get(0);
    return context.launchFloat(
        FILE,
        "sinusoidal_embedding",
        Launch.forElements((long) t.length() * op.width() / 2, THREADS),
        t,
        outputs.get(0),
        t.length(),
        op.width(),
        op.shift(),
        op.sinesAt());
  }

  static Kernel fourierEmbedding(
      FourierEmbedding op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return byFrequency(context, "fourier_embedding", inputs, outputs.get(0));
  }

  static Kernel addPositions(
      AddPositions op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return byPosition(context, "add_positions", inputs, outputs.get(0));
  }

  static Kernel learnedSinusoids(
      LearnedSinusoids op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return byFrequency(context, "learned_sinusoids", inputs, outputs.get(0));
  }

  /** Of each time, at frequencies that are given. */
  private static Kernel byFrequency(
      CudaContext context, String kernel, List<Tensor> inputs, Tensor y) {
    Tensor t = inputs.get(0);
    Tensor frequencies = inputs.get(1);
    return context.launchFloat(
        FILE,
        kernel,
        Launch.forElements((long) t.length() * frequencies.length(), THREADS),
        t,
        frequencies,
        y,
        t.length(),
        frequencies.length());
  }

  /** Times have no gradient: zeros. */
  static Kernel learnedSinusoidsGradient(
      LearnedSinusoidsGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    List<Kernel> kernels = new ArrayList<>();
    if (outputs.get(0) != null) {
      kernels.add(context.zeroing(outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      int count = inputs.get(1).length();
      kernels.add(
          context.launchFloat(
              FILE,
              "learned_sinusoids_gradient",
              Launch.forElements(count, THREADS),
              inputs.get(0),
              inputs.get(1),
              inputs.get(2),
              outputs.get(1),
              inputs.get(0).length(),
              count));
    }
    return Kernel.sequence(kernels);
  }

  static Kernel dividePerImage(
      DividePerImage op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return byPosition(context, "divide_per_image", inputs, outputs.get(0));
  }

  private static Kernel byPosition(
      CudaContext context, String kernel, List<Tensor> inputs, Tensor y) {
    Tensor x = inputs.get(0);
    List<Object> arguments = new ArrayList<>(layout(x));
    arguments.add(inputs.get(1));
    arguments.addAll(layout(y));
    arguments.add((long) x.size(0) * x.size(1) * x.size(2));
    arguments.add(x.size(1) * x.size(2));
    arguments.add(x.size(3));
    return context.launch(
        FILE, kernel, Launch.forElements(elements(y), THREADS), arguments.toArray());
  }

  static Kernel embedding(
      Embedding op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor labels = inputs.get(0);
    Tensor table = inputs.get(1);
    Tensor y = outputs.get(0);
    return context.launchFloat(
        FILE,
        "embedding",
        Launch.forElements(y.length(), THREADS),
        labels,
        table,
        y,
        labels.length(),
        table.size(1));
  }

  /** Labels have no gradient: zeros. */
  static Kernel embeddingGradient(
      EmbeddingGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    List<Kernel> kernels = new ArrayList<>();
    if (outputs.get(0) != null) {
      kernels.add(context.zeroing(outputs.get(0)));
    }
    Tensor dtable = outputs.get(1);
    if (dtable != null) {
      kernels.add(
          context.launchFloat(
              FILE,
              "embedding_gradient",
              Launch.forElements(dtable.length(), THREADS),
              inputs.get(0),
              inputs.get(2),
              dtable,
              inputs.get(0).length(),
              dtable.size(0),
              dtable.size(1)));
    }
    return Kernel.sequence(kernels);
  }
}
