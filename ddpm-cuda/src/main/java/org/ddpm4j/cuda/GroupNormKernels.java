package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Group normalisation by {@code group_norm.cu}. How an image is cut depends on its own sizes and on
 * the card, never on the batch, so that its result does not depend on the batch either.
 */
final class GroupNormKernels {

  private static final String FILE = "group_norm.cu";

  /** What a block's part of a row should be long, in bytes, for good memory accesses. */
  private static final int LONG_PART = 64;

  /** What it must be long. */
  private static final int SHORT_PART = 32;

  /**
   * Packs of a block that one of its threads works on: fewer threads leave room for a block more.
   */
  private static final int PACKS_OF_THREAD = 8;

  /** Static shared memory of the kernels, and some more. */
  private static final int RESERVED = 1 << 10;

  private static final int BYTES_OF_CHUNK = 32 << 10;
  private static final int MOST_BYTES_OF_SUMS = 36 << 10;
  private static final int LARGEST_BLOCK = 1024;
  private static final int LARGEST_BACKWARD_BLOCK = 512;
  private static final int BYTES_OF_PACK = 16;
  private static final int PARAMETER_THREADS = 512;

  private GroupNormKernels() {}

  static Kernel forward(
      GroupNorm op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Settings settings = new Settings(op.groups(), (float) op.epsilon(), op.function());
    Tensor vector = op.addsVector() ? inputs.get(3) : null;
    Operands operands = new Operands(inputs.get(0), vector, inputs.get(1), inputs.get(2));
    Ending ending =
        new Ending(
            op.addsPerChannel() ? inputs.get(op.addsVector() ? 4 : 3) : null,
            op.addsResidual() ? inputs.get(inputs.size() - 1) : null);
    return forward(context, settings, operands, ending, outputs.get(0));
  }

  static Kernel backward(
      GroupNormGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Settings settings = new Settings(op.groups(), (float) op.epsilon(), op.function());
    Tensor vector = op.addsVector() ? inputs.get(4) : null;
    Operands operands = new Operands(inputs.get(0), vector, inputs.get(1), inputs.get(2));
    Gradients gradients = new Gradients(outputs.get(0), null, outputs.get(1), outputs.get(2));
    Tensor residual = op.addsResidual() ? inputs.get(inputs.size() - 1) : null;
    return backward(context, settings, operands, inputs.get(3), residual, gradients);
  }

  /** What is normalised and what follows. */
  record Settings(int groups, float epsilon, Activation function) {}

  /**
   * Inputs of both directions.
   *
   * @param x map {@code [N,H,W,C]}
   * @param vector {@code [N,C]}, added to x before, or null
   * @param scale {@code [C]}
   * @param shift {@code [C]}
   */
  record Operands(Tensor x, Tensor vector, Tensor scale, Tensor shift) {}

  /**
   * What is added to the result.
   *
   * @param perChannel {@code [N,C]}, or null
   * @param residual map {@code [N,H,W,C]}, or null
   */
  record Ending(Tensor perChannel, Tensor residual) {

    static final Ending NONE = new Ending(null, null);
  }

  /**
   * Gradients of the operands, each null if nobody wants it; those of scale and shift are added.
   */
  record Gradients(Tensor x, Tensor vector, Tensor scale, Tensor shift) {}

  /**
   * The sizes of a normalisation.
   *
   * @param slabPacks the packs of a row that one block works on
   */
  private record Sizes(
      int images, int positions, int channels, int rowLength, int groups, int pack, int slabPacks) {

    int channelsPerGroup() {
      return channels / groups;
    }

    int slabs() {
      return ceil(rowLength / pack, slabPacks);
    }

    int slabGroups() {
      return slabPacks * pack / channelsPerGroup();
    }

    /** Of a float for each channel. */
    int slabChannelBytes() {
      return slabPacks * pack * Float.BYTES;
    }

    int slabBytes(int rows) {
      return Math.multiplyExact(Math.multiplyExact(rows, slabPacks), BYTES_OF_PACK);
    }

    /**
     * Powers of two with so many packs for each thread, and at least one for each pack of a row.
     */
    int threads(int rows, int packsOfThread, int largest) {
      long packs = (long) rows * slabPacks;
      int threads = 128;
      while (threads < largest && threads * (long) packsOfThread < packs) {
        threads *= 2;
      }
      return Math.max(threads, ceil(slabPacks, 32) * 32);
    }

    /** The buffer of sum_over_rows for sums over groups. */
    int groupBuffer(int threads) {
      int perGroup = channelsPerGroup();
      if (groups == 1) {
        return 0;
      }
      int values = perGroup % pack == 0 ? 1 : perGroup * 2 == pack ? 2 : pack;
      return values * threads;
    }

    int rowsOfChunk() {
      int wanted = Math.max(1, BYTES_OF_CHUNK / slabBytes(1));
      return Math.max(wanted, ceil(positions, 65535));
    }
  }

  private static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }

  /**
   * The sizes with the longer parts of rows, if what a block keeps of so many maps fits in its
   * memory beside its sums.
   */
  private static Sizes sizes(CudaContext context, Settings settings, Tensor x, int maps) {
    int positions = x.size(1) * x.size(2);
    int pack = BYTES_OF_PACK / context.elementBytes();
    int rowLength = (int) x.rowLength();
    int slab = slabPacks(x.size(3), rowLength, settings.groups(), pack, LONG_PART);
    if (!fits(context, (long) maps * positions * slab * BYTES_OF_PACK + MOST_BYTES_OF_SUMS)) {
      slab = slabPacks(x.size(3), rowLength, settings.groups(), pack, SHORT_PART);
    }
    if (slab > LARGEST_BACKWARD_BLOCK) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Group normalisation on a GPU takes groups of up to %d channels, and %d groups of %d"
                  + " channels cannot be cut so; choose other groups or the CPU.",
              LARGEST_BACKWARD_BLOCK * pack,
              settings.groups(),
              x.size(3)));
    }
    return new Sizes(x.size(0), positions, x.size(3), rowLength, settings.groups(), pack, slab);
  }

  /** The fewest packs that hold whole groups and have as many bytes. */
  private static int slabPacks(int channels, int rowLength, int groups, int pack, int bytes) {
    int perGroup = channels / groups;
    int unit = perGroup / gcd(perGroup, pack);
    int packs = ceil(ceil(bytes, BYTES_OF_PACK), unit) * unit;
    return groups == 1 ? rowLength / pack : Math.min(packs, rowLength / pack);
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static boolean fits(CudaContext context, long bytes) {
    return bytes + RESERVED <= context.sharedMemoryPerBlock();
  }

  /** {@code y = function(group norm of (x + vector)) + ending}. */
  static Kernel forward(
      CudaContext context, Settings settings, Operands operands, Ending ending, Tensor y) {
    Sizes sizes = sizes(context, settings, operands.x(), 1);
    int threads = sizes.threads(sizes.positions(), PACKS_OF_THREAD, LARGEST_BLOCK);
    int buffer = sizes.groupBuffer(threads);
    long bytes =
        (long) sizes.positions() * sizes.slabPacks() * BYTES_OF_PACK
            + 4L * buffer
            + sizes.slabChannelBytes()
            + 8L * sizes.slabGroups();
    if (!fits(context, bytes)) {
      return chunkForward(context, settings, sizes, operands, ending, y);
    }
    return context.launch(
        FILE,
        "group_norm_forward",
        Launch.of(sizes.images() * sizes.slabs(), threads).withShared((int) bytes),
        operands.x(),
        operands.vector(),
        operands.scale(),
        operands.shift(),
        ending.perChannel(),
        ending.residual(),
        y,
        sizes.positions(),
        sizes.channels(),
        sizes.rowLength(),
        sizes.groups(),
        sizes.slabPacks(),
        buffer,
        settings.epsilon(),
        settings.function().ordinal());
  }

  private static Kernel chunkForward(
      CudaContext context,
      Settings settings,
      Sizes sizes,
      Operands operands,
      Ending ending,
      Tensor y) {
    long statistics = context.scratch(statisticsBytes(sizes));
    Kernel apply =
        context.launch(
            FILE,
            "group_norm_chunk_forward",
            chunkLaunch(sizes, LARGEST_BACKWARD_BLOCK)
                .withShared(sizes.slabChannelBytes() + 8 * sizes.slabGroups()),
            operands.x(),
            operands.vector(),
            operands.scale(),
            operands.shift(),
            ending.perChannel(),
            ending.residual(),
            y,
            statistics,
            sizes.positions(),
            sizes.channels(),
            sizes.rowLength(),
            sizes.groups(),
            sizes.slabPacks(),
            sizes.rowsOfChunk(),
            settings.epsilon(),
            settings.function().ordinal());
    return Kernel.sequence(List.of(chunkStatistics(context, sizes, operands, statistics), apply));
  }

  private static Kernel chunkStatistics(
      CudaContext context, Sizes sizes, Operands operands, long statistics) {
    int rows = sizes.rowsOfChunk();
    Launch launch = chunkLaunch(sizes, LARGEST_BLOCK);
    int buffer = sizes.groupBuffer(launch.threads());
    int bytes = sizes.slabBytes(rows) + 4 * buffer + 8 * sizes.slabGroups();
    return context.launch(
        FILE,
        "group_norm_chunk_statistics",
        launch.withShared(bytes),
        operands.x(),
        operands.vector(),
        statistics,
        sizes.positions(),
        sizes.channels(),
        sizes.rowLength(),
        sizes.groups(),
        sizes.slabPacks(),
        buffer,
        rows);
  }

  private static int chunks(Sizes sizes) {
    return ceil(sizes.positions(), sizes.rowsOfChunk());
  }

  private static Launch chunkLaunch(Sizes sizes, int largest) {
    int threads = sizes.threads(sizes.rowsOfChunk(), PACKS_OF_THREAD, largest);
    return Launch.of(sizes.images() * sizes.slabs(), chunks(sizes), threads);
  }

  private static long statisticsBytes(Sizes sizes) {
    return CudaContext.roundUp(8L * sizes.images() * sizes.groups() * chunks(sizes));
  }

  /**
   * Gradients of {@link #forward}; that of x, to which the residual is added if it is not null, may
   * take the memory of dy.
   */
  static Kernel backward(
      CudaContext context,
      Settings settings,
      Operands operands,
      Tensor dy,
      Tensor residual,
      Gradients gradients) {
    boolean parameters = gradients.scale() != null || gradients.shift() != null;
    if (!parameters && gradients.x() == null && gradients.vector() == null) {
      return () -> {};
    }
    Sizes sizes = sizes(context, settings, operands.x(), 2);
    int threads = sizes.threads(sizes.positions(), PACKS_OF_THREAD, LARGEST_BACKWARD_BLOCK);
    int buffer = sizes.pack() * threads;
    long bytes =
        2L * sizes.positions() * sizes.slabPacks() * BYTES_OF_PACK
            + 4L * buffer
            + 8L * sizes.slabPacks() * sizes.pack()
            + 16L * sizes.slabGroups();
    if (!fits(context, bytes)) {
      return chunkBackward(context, settings, sizes, operands, dy, residual, gradients);
    }
    Long sums = parameters ? sumsMemory(context, sumsBytes(sizes, 1)) : null;
    Kernel kernel =
        context.launch(
            FILE,
            "group_norm_backward",
            Launch.of(sizes.images() * sizes.slabs(), threads).withShared((int) bytes),
            operands.x(),
            operands.vector(),
            operands.scale(),
            operands.shift(),
            dy,
            residual,
            gradients.x(),
            sums,
            gradients.vector(),
            sizes.positions(),
            sizes.channels(),
            sizes.rowLength(),
            sizes.groups(),
            sizes.slabPacks(),
            buffer,
            settings.epsilon(),
            settings.function().ordinal());
    return parameters
        ? Kernel.sequence(
            List.of(kernel, parameters(context, sizes, sums, sizes.images(), gradients)))
        : kernel;
  }

  /** Where the sums of images are until they are added up: at once, or when the plan ends. */
  private static long sumsMemory(CudaContext context, long bytes) {
    return context.isPostponing() ? context.kept(bytes) : context.scratch(bytes);
  }

  private static long sumsBytes(Sizes sizes, int chunks) {
    return 8L * sizes.images() * chunks * sizes.channels();
  }

  /**
   * Sums {@code [rows,2,channels]} that are added to gradients, of which one may be null.
   *
   * @param address of the sums
   * @param rows of them
   * @param channels of the map
   * @param scale gradient
   * @param shift gradient
   */
  record ParameterSums(long address, int rows, int channels, Tensor scale, Tensor shift) {

    long bytes() {
      return 8L * rows * channels;
    }

    private long[] row() {
      long[] row = new long[WeightPacking.ROW];
      row[0] = address;
      row[1] = scale == null ? 0 : scale.address();
      row[2] = shift == null ? 0 : shift.address();
      row[3] = rows;
      row[4] = channels;
      return row;
    }
  }

  private static Kernel parameters(
      CudaContext context, Sizes sizes, long sums, int rows, Gradients gradients) {
    ParameterSums made =
        new ParameterSums(sums, rows, sizes.channels(), gradients.scale(), gradients.shift());
    if (context.isPostponing()) {
      context.postpone(made);
      return () -> {};
    }
    return parameters(context, List.of(made));
  }

  /** Adds all of them up in one launch. */
  static Kernel parameters(CudaContext context, List<ParameterSums> all) {
    int channels = all.stream().mapToInt(ParameterSums::channels).max().orElseThrow();
    LongStream table = all.stream().flatMapToLong(sums -> Arrays.stream(sums.row()));
    return context.launch(
        FILE,
        "group_norm_parameters",
        Launch.of(ceil(2 * channels, 32), all.size(), PARAMETER_THREADS),
        context.constant(table));
  }

  private static Kernel chunkBackward(
      CudaContext context,
      Settings settings,
      Sizes sizes,
      Operands operands,
      Tensor dy,
      Tensor residual,
      Gradients gradients) {
    int chunks = chunks(sizes);
    boolean parameters = gradients.scale() != null || gradients.shift() != null;
    boolean keepsSums = parameters && context.isPostponing();
    long statistics =
        context.scratch(statisticsBytes(sizes) + (keepsSums ? 0 : sumsBytes(sizes, chunks)));
    long sums =
        keepsSums ? context.kept(sumsBytes(sizes, chunks)) : statistics + statisticsBytes(sizes);
    List<Kernel> kernels = new ArrayList<>();
    kernels.add(chunkStatistics(context, sizes, operands, statistics));
    kernels.add(chunkSums(context, settings, sizes, operands, dy, statistics, sums));
    if (parameters) {
      kernels.add(parameters(context, sizes, sums, sizes.images() * chunks, gradients));
    }
    if (gradients.vector() != null && (gradients.x() == null || residual != null)) {
      throw new IllegalArgumentException(
          "The gradient of the vector is summed from that of x alone, which nobody wants.");
    }
    if (gradients.x() != null) {
      Maps maps = new Maps(dy, residual, gradients.x());
      kernels.add(chunkGradient(context, settings, sizes, operands, maps, statistics, sums));
    }
    if (gradients.vector() != null) {
      kernels.add(PerChannelKernels.sum(context, gradients.x(), gradients.vector()));
    }
    return Kernel.sequence(kernels);
  }

  private static Kernel chunkSums(
      CudaContext context,
      Settings settings,
      Sizes sizes,
      Operands operands,
      Tensor dy,
      long statistics,
      long sums) {
    Launch launch = chunkLaunch(sizes, LARGEST_BACKWARD_BLOCK);
    int buffer = sizes.pack() * launch.threads();
    int bytes = 4 * buffer + 8 * sizes.slabPacks() * sizes.pack() + 8 * sizes.slabGroups();
    return context.launch(
        FILE,
        "group_norm_chunk_sums",
        launch.withShared(bytes),
        operands.x(),
        operands.vector(),
        operands.scale(),
        operands.shift(),
        dy,
        statistics,
        sums,
        sizes.positions(),
        sizes.channels(),
        sizes.rowLength(),
        sizes.groups(),
        sizes.slabPacks(),
        buffer,
        sizes.rowsOfChunk(),
        settings.epsilon(),
        settings.function().ordinal());
  }

  /** Of {@link #chunkGradient}. */
  private record Maps(Tensor dy, Tensor residual, Tensor dx) {}

  private static Kernel chunkGradient(
      CudaContext context,
      Settings settings,
      Sizes sizes,
      Operands operands,
      Maps maps,
      long statistics,
      long sums) {
    return context.launch(
        FILE,
        "group_norm_chunk_backward",
        chunkLaunch(sizes, LARGEST_BACKWARD_BLOCK)
            .withShared(8 * sizes.slabPacks() * sizes.pack() + 16 * sizes.slabGroups()),
        operands.x(),
        operands.vector(),
        operands.scale(),
        operands.shift(),
        maps.dy(),
        maps.residual(),
        maps.dx(),
        statistics,
        sums,
        sizes.positions(),
        sizes.channels(),
        sizes.rowLength(),
        sizes.groups(),
        sizes.slabPacks(),
        sizes.rowsOfChunk(),
        settings.epsilon(),
        settings.function().ordinal());
  }
}
