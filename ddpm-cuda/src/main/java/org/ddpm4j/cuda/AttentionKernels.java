package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AttentionGradient;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.ops.PackedAttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Attention and its gradient, by {@code attention.cu}, with queries, keys and values in one map or
 * in a map each.
 */
final class AttentionKernels {

  private static final String FILE = "attention.cu";
  private static final int WIDEST_TILE = 256;

  /** Rows of a block, and its threads. */
  private static final int OWN = 64;

  private static final int THREADS = 128;

  /** Of plain loops. */
  private static final int THREADS_OF_ANY = 256;

  /** What the gradient of keys needs to know of each query. */
  private static final int STATISTICS = 3;

  private AttentionKernels() {}

  /**
   * Queries, keys and values, or their gradients, of which some may be null.
   *
   * @param queries address of the first query
   * @param keys address of the first key
   * @param values address of the first value
   * @param rowLength elements from a position to the next
   * @param end the first column of a row that nobody writes: of queries if they are followed by the
   *     others
   * @param endOfOthers the same of the maps of keys and values; the row's length if they have none
   */
  record Parts(Long queries, Long keys, Long values, int rowLength, int end, int endOfOthers) {

    static Parts of(Tensor packed, AttentionShape shape) {
      long bytes = (long) shape.features() * packed.type().bytes();
      long start = packed.address();
      int rowLength = (int) packed.rowLength();
      return new Parts(
          start, start + bytes, start + 2 * bytes, rowLength, 3 * shape.features(), rowLength);
    }

    static Parts of(List<Tensor> maps, int rowLength, AttentionShape shape) {
      return new Parts(
          address(maps.get(0)),
          address(maps.get(1)),
          address(maps.get(2)),
          rowLength,
          shape.features(),
          shape.features());
    }

    private static Long address(Tensor map) {
      return map == null ? null : (Long) map.address();
    }

    /** The first arguments of all kernels. */
    List<Object> arguments() {
      return new ArrayList<>(List.of(queries, keys, values));
    }

    boolean isUnwanted() {
      return queries == null && keys == null && values == null;
    }
  }

  static Kernel forward(
      PackedAttention op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    AttentionShape shape = AttentionShape.ofPacked(inputs.get(0), op.heads());
    return forward(context, shape, Parts.of(inputs.get(0), shape), outputs.get(0));
  }

  static Kernel forward(
      Attention op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    AttentionShape shape = AttentionShape.ofPart(inputs.get(0), op.heads());
    return forward(context, shape, ofMaps(inputs, shape), outputs.get(0));
  }

  static Kernel backward(
      PackedAttentionGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    if (outputs.get(0) == null) {
      return () -> {};
    }
    AttentionShape shape = AttentionShape.ofPacked(inputs.get(0), op.heads());
    return backward(
        context,
        shape,
        Parts.of(inputs.get(0), shape),
        inputs.get(1),
        Parts.of(outputs.get(0), shape));
  }

  static Kernel backward(
      AttentionGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    AttentionShape shape = AttentionShape.ofPart(inputs.get(0), op.heads());
    Parts parts = ofMaps(inputs, shape);
    Parts gradients = Parts.of(outputs, parts.rowLength(), shape);
    return gradients.isUnwanted()
        ? () -> {}
        : backward(context, shape, parts, inputs.get(3), gradients);
  }

  private static Parts ofMaps(List<Tensor> inputs, AttentionShape shape) {
    for (Tensor map : inputs.subList(1, 3)) {
      if (map.rowLength() != inputs.get(0).rowLength() || map.type() != inputs.get(0).type()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Queries, keys and values must lie in the same way, but here are %s and %s.",
                inputs.get(0),
                map));
      }
    }
    return Parts.of(inputs, (int) inputs.get(0).rowLength(), shape);
  }

  private static Kernel forward(CudaContext context, AttentionShape shape, Parts parts, Tensor y) {
    if (y == null) {
      return () -> {};
    }
    List<Object> arguments = parts.arguments();
    arguments.add(y);
    arguments.addAll(sizes(shape, parts, y));
    arguments.add(shape.scale());
    Tiling tiling = Tiling.of(shape, context, 1);
    return tiling == null
        ? ofAny(context, "attention_forward", launchOfAny(shape, 1, 1), arguments)
        : tiling.kernel(context, "attention_forward", tiling.launch(shape, 1), arguments);
  }

  private static Kernel backward(
      CudaContext context, AttentionShape shape, Parts parts, Tensor dy, Parts gradients) {
    Tiling tiling = Tiling.of(shape, context, 2);
    long rows = tiling == null ? shape.positions() : (long) blocks(shape) * OWN;
    long scratch = context.scratch(STATISTICS * rows * shape.headsOfImages() * Float.BYTES);
    Kernel ofQueries = ofQueries(context, shape, tiling, parts, dy, gradients, scratch);
    return gradients.keys() == null && gradients.values() == null
        ? ofQueries
        : Kernel.sequence(
            List.of(ofQueries, ofKeys(context, shape, tiling, parts, dy, gradients, scratch)));
  }

  private static Kernel ofQueries(
      CudaContext context,
      AttentionShape shape,
      Tiling tiling,
      Parts parts,
      Tensor dy,
      Parts gradients,
      long scratch) {
    List<Object> arguments = parts.arguments();
    arguments.addAll(Arrays.asList(dy, gradients.queries(), scratch));
    arguments.addAll(sizes(shape, parts, dy));
    arguments.addAll(List.of(gradients.end(), shape.scale()));
    String kernel = "attention_backward_of_queries";
    return tiling == null
        ? ofAny(context, kernel, launchOfAny(shape, 2, 1), arguments)
        : tiling.kernel(context, kernel, tiling.launch(shape, 1), arguments);
  }

  private static Kernel ofKeys(
      CudaContext context,
      AttentionShape shape,
      Tiling tiling,
      Parts parts,
      Tensor dy,
      Parts gradients,
      long scratch) {
    List<Object> arguments = parts.arguments();
    arguments.addAll(Arrays.asList(dy, gradients.keys(), gradients.values(), scratch));
    arguments.addAll(sizes(shape, parts, dy));
    arguments.addAll(List.of(gradients.endOfOthers(), shape.scale()));
    String kernel = "attention_backward_of_keys";
    return tiling == null
        ? ofAny(context, kernel, launchOfAny(shape, 2, 2), arguments)
        : tiling.kernel(context, kernel, tiling.launch(shape, 2), arguments);
  }

  private static List<Object> sizes(AttentionShape shape, Parts parts, Tensor y) {
    return List.of(
        shape.positions(), shape.heads(), shape.width(), parts.rowLength(), (int) y.rowLength());
  }

  private static Kernel ofAny(
      CudaContext context, String kernel, Launch launch, List<Object> arguments) {
    return AttentionShape.launch(context, FILE, kernel, 0, launch, arguments);
  }

  /** Blocks of a head. */
  private static int blocks(AttentionShape shape) {
    return (shape.positions() + OWN - 1) / OWN;
  }

  /**
   * How the rows of one head pass by.
   *
   * @param width of tiles
   * @param stages tiles in shared memory at a time
   * @param sharedBytes of a block
   */
  private record Tiling(int width, int stages, int sharedBytes) {

    /** What the driver keeps of a block's shared memory. */
    private static final int RESERVED = 1024;

    /** Two stages where two blocks find room like that; null if one stage is too much. */
    static Tiling of(AttentionShape shape, CudaContext context, int ownTiles) {
      int width = shape.tileWidth(context, WIDEST_TILE);
      if (width == 0) {
        return null;
      }
      int memory = context.sharedMemoryPerBlock();
      Tiling two = of(width, context.elementBytes(), 2, ownTiles);
      if (2 * (two.sharedBytes + RESERVED) <= memory + RESERVED) {
        return two;
      }
      Tiling one = of(width, context.elementBytes(), 1, ownTiles);
      return one.sharedBytes <= memory ? one : null;
    }

    /** As the kernels cut their shared memory. */
    private static Tiling of(int width, int elementBytes, int stages, int ownTiles) {
      int rowBytes = width * elementBytes;
      int tile = width <= 64 ? 64 : rowBytes > 512 ? 16 : 32;
      int statistics = stages * STATISTICS * tile * Float.BYTES;
      return new Tiling(
          width, stages, (ownTiles * OWN + 2 * stages * tile) * rowBytes + statistics);
    }

    Kernel kernel(CudaContext context, String kernel, Launch launch, List<Object> arguments) {
      return AttentionShape.launch(context, FILE, kernel, width, launch, arguments, stages);
    }

    Launch launch(AttentionShape shape, int roles) {
      int blocks = Math.multiplyExact(shape.headsOfImages(), blocks(shape));
      return Launch.of(blocks, roles, THREADS).withShared(sharedBytes);
    }
  }

  /** A block for each row, with shared memory for vectors of its features and of positions. */
  private static Launch launchOfAny(AttentionShape shape, int ofFeatures, int ofPositions) {
    int floats = ofFeatures * shape.width() + ofPositions * shape.positions();
    return Launch.of(Math.multiplyExact(shape.headsOfImages(), shape.positions()), THREADS_OF_ANY)
        .withShared(floats * Float.BYTES);
  }
}
