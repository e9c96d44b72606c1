package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Linear attention and its gradient, by {@code linear_attention.cu}: a block for each head. */
final class LinearAttentionKernels {

  private static final String FILE = "linear_attention.cu";

  /** Wider heads leave no registers for their context. */
  private static final int WIDEST_TILE = 64;

  /** Positions of a tile. */
  private static final int TILE = 16;

  private static final int WARP = 32;

  /** Of plain loops; of which {@link #CHUNK} positions are in shared memory at a time. */
  private static final int THREADS = 256;

  private static final int CHUNK = 8;

  private LinearAttentionKernels() {}

  /**
   * How a head's tiles of positions are shared out.
   *
   * @param warps of a block
   * @param stages tiles of one warp that shared memory has room for at a time
   * @param rooms contexts that shared memory has room for, where warps add up theirs
   * @param sharedBytes of a block
   */
  record Share(int warps, int stages, int rooms, int sharedBytes) {

    /** As many as have registers for two blocks, and as many as have registers for one. */
    private static final int WARPS = 8;

    private static final int MOST_WARPS = 13;

    /** Tiles under way while one is worked on, and that one. */
    private static final int RING = 3;

    static Share ofForward(AttentionShape shape, CudaContext context, int tileWidth) {
      return ofRing(shape, context, tileWidth, WARPS, 2);
    }

    /** All tiles at once if there is room for them, so that each is read from memory once. */
    static Share ofBackward(AttentionShape shape, CudaContext context, int tileWidth) {
      int warps = warps(shape, WARPS);
      Share share = of(context, tileWidth, warps, rounds(shape, warps), 4);
      int memory = context.sharedMemoryPerBlock();
      if (share.sharedBytes > memory / 2 && tileWidth * context.elementBytes() == 64) {
        warps = warps(shape, MOST_WARPS);
        share = of(context, tileWidth, warps, rounds(shape, warps), 4);
      }
      return share.sharedBytes <= memory
          ? share
          : ofRing(shape, context, tileWidth, warps(shape, WARPS), 4);
    }

    private static int rooms(int tileWidth) {
      return tileWidth == 32 ? 3 : 2;
    }

    private static Share ofRing(
        AttentionShape shape, CudaContext context, int tileWidth, int warps, int parts) {
      int fewer = warps(shape, warps);
      for (int stages = rounds(shape, fewer) == 1 ? 2 : RING; stages > 0; stages--) {
        Share share = of(context, tileWidth, fewer, stages, parts);
        if (share.sharedBytes <= context.sharedMemoryPerBlock()) {
          return share;
        }
      }
      return ofRing(shape, context, tileWidth, fewer - 1, parts);
    }

    private static int tiles(AttentionShape shape) {
      return (shape.positions() + TILE - 1) / TILE;
    }

    /** How many tiles the busiest of some warps has. */
    private static int rounds(AttentionShape shape, int warps) {
      return (tiles(shape) + warps - 1) / warps;
    }

    /** The fewest that need no more rounds than this many do. */
    private static int warps(AttentionShape shape, int most) {
      int rounds = rounds(shape, most);
      return (tiles(shape) + rounds - 1) / rounds;
    }

    /** As the kernels cut their shared memory. */
    private static Share of(CudaContext context, int tileWidth, int warps, int stages, int parts) {
      int rooms = rooms(tileWidth);
      int square = tileWidth * tileWidth;
      int tiles = warps * stages * parts * TILE * tileWidth * context.elementBytes();
      int contexts = parts / 2 * square * context.elementBytes();
      int floats = rooms * square + 3 * tileWidth;
      return new Share(warps, stages, rooms, tiles + contexts + floats * Float.BYTES);
    }

    Launch launch(AttentionShape shape) {
      return Launch.of(shape.headsOfImages(), warps * WARP).withShared(sharedBytes);
    }
  }

  static Kernel forward(
      LinearAttention op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor qkv = inputs.get(0);
    Tensor y = outputs.get(0);
    if (y == null) {
      return () -> {};
    }
    AttentionShape shape = AttentionShape.ofPacked(qkv, op.heads());
    int tileWidth = shape.tileWidth(context, WIDEST_TILE);
    List<Object> arguments = new ArrayList<>(List.of(qkv, y));
    arguments.addAll(sizes(shape, qkv, y));
    return tileWidth == 0
        ? ofAny(context, shape, "linear_attention_forward", launchOfAny(shape, 2, 2), arguments)
        : ofTiles(
            context,
            shape,
            "linear_attention_forward",
            tileWidth,
            Share.ofForward(shape, context, tileWidth),
            arguments);
  }

  static Kernel backward(
      LinearAttentionGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor qkv = inputs.get(0);
    Tensor dy = inputs.get(1);
    Tensor gradient = outputs.get(0);
    if (gradient == null) {
      return () -> {};
    }
    AttentionShape shape = AttentionShape.ofPacked(qkv, op.heads());
    int tileWidth = shape.tileWidth(context, WIDEST_TILE);
    List<Object> arguments = new ArrayList<>(List.of(qkv, dy, gradient));
    arguments.addAll(sizes(shape, qkv, dy));
    return tileWidth == 0
        ? ofAny(context, shape, "linear_attention_backward", launchOfAny(shape, 3, 5), arguments)
        : ofTiles(
            context,
            shape,
            "linear_attention_backward",
            tileWidth,
            Share.ofBackward(shape, context, tileWidth),
            arguments);
  }

  private static List<Object> sizes(AttentionShape shape, Tensor qkv, Tensor y) {
    return List.of(
        shape.positions(),
        shape.heads(),
        shape.width(),
        (int) qkv.rowLength(),
        (int) y.rowLength(),
        shape.scale());
  }

  private static Kernel ofTiles(
      CudaContext context,
      AttentionShape shape,
      String kernel,
      int tileWidth,
      Share share,
      List<Object> arguments) {
    return AttentionShape.launch(
        context,
        FILE,
        kernel,
        tileWidth,
        share.launch(shape),
        arguments,
        share.stages(),
        share.rooms());
  }

  /** By plain loops, with memory for the context and its slopes of each head. */
  private static Kernel ofAny(
      CudaContext context,
      AttentionShape shape,
      String kernel,
      Launch launch,
      List<Object> arguments) {
    long square = (long) shape.width() * shape.width();
    long scratch = context.scratch(2 * square * shape.headsOfImages() * Float.BYTES);
    return AttentionShape.launch(context, FILE, kernel, 0, launch, arguments, scratch);
  }

  /** Shared memory for some vectors of a head's features, and for chunks of rows of them. */
  private static Launch launchOfAny(AttentionShape shape, int vectors, int chunks) {
    int rows = vectors + chunks * CHUNK;
    return Launch.of(shape.headsOfImages(), THREADS).withShared(rows * shape.width() * Float.BYTES);
  }
}
