package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2dGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Depthwise convolutions by {@code depthwise.cu}. */
final class DepthwiseKernels {

  private static final String FILE = "depthwise.cu";
  private static final int THREADS = 256;
  private static final int BLOCK_CHANNELS = 32;
  private static final int MOST_STRIPS = 4;
  private static final int TILE_BYTES = 56 << 10;

  /** Two blocks for each processor of a large card. */
  private static final int BLOCKS_WANTED = 264;

  private static final int ROW_GROUPS = 2;

  private DepthwiseKernels() {}

  static Kernel forward(
      DepthwiseConv2d op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    ConvolutionGeometry geometry = op.geometry();
    Tensor y = outputs.get(0);
    if (isFast(weights, geometry)) {
      return fast(context, x, weights, inputs.get(2), y, geometry.padding(), false);
    }
    return any(context, x, weights, inputs.get(2), y, geometry, false);
  }

  static Kernel backward(
      DepthwiseConv2dGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    Tensor dy = inputs.get(2);
    ConvolutionGeometry geometry = op.geometry();
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      int padding = weights.size(0) - 1 - geometry.padding();
      steps.add(
          isFast(weights, geometry)
              ? fast(context, dy, weights, null, outputs.get(0), padding, true)
              : any(context, dy, weights, null, outputs.get(0), geometry, true));
    }
    if (outputs.get(1) != null) {
      steps.add(
          isFast(weights, geometry)
              ? fastGradient(context, x, weights, dy, geometry, outputs)
              : anyGradient(context, x, weights, dy, geometry, outputs));
    } else if (outputs.get(2) != null) {
      steps.add(ConvolutionKernels.channelSums(context, dy, outputs.get(2)));
    }
    return Kernel.sequence(steps);
  }

  private static boolean isFast(Tensor weights, ConvolutionGeometry geometry) {
    int kernel = weights.size(0);
    boolean isCompiled = kernel == 3 || kernel == 5 || kernel == 7;
    return isCompiled && kernel == weights.size(1) && geometry.stride() == 1;
  }

  /** How the outputs of an image are cut. */
  private record Tile(
      int kernel, int strip, int strips, int height, int tilesY, int tilesX, int channels) {

    static Tile of(Tensor output, int kernel, int elementBytes) {
      int height = output.size(1);
      int width = output.size(2);
      int strip = width % 8 == 0 ? 8 : 7;
      int strips = Math.min(MOST_STRIPS, ConvolutionLookup.ceil(width, strip));
      int channels = (int) Math.min(BLOCK_CHANNELS, output.rowLength());
      int rowBytes = (strips * strip + kernel - 1) * channels * elementBytes;
      int most = Math.max(1, TILE_BYTES / rowBytes - (kernel - 1));
      int tilesY = ConvolutionLookup.ceil(height, Math.min(most, height));
      return new Tile(
          kernel,
          strip,
          strips,
          ConvolutionLookup.ceil(height, tilesY),
          tilesY,
          ConvolutionLookup.ceil(width, strips * strip),
          channels);
    }

    int inputs() {
      return (height + kernel - 1) * (strips * strip + kernel - 1) * channels;
    }

    int outputs() {
      return height * strips * strip * channels;
    }

    int tiles() {
      return tilesY * tilesX;
    }

    /** As few idle threads as there may be. */
    int threads() {
      int items = height * strips * (channels / 2);
      int best = THREADS;
      for (int threads = THREADS; threads >= THREADS / 2; threads -= 32) {
        if (idle(items, threads) < idle(items, best)) {
          best = threads;
        }
      }
      return best;
    }

    private static int idle(int items, int threads) {
      return ConvolutionLookup.ceil(items, threads) * threads - items;
    }

    List<String> defines() {
      return List.of("DEPTHWISE_KERNEL=" + kernel, "DEPTHWISE_STRIP=" + strip);
    }
  }

  private static Kernel fast(
      CudaContext context,
      Tensor in,
      Tensor weights,
      Tensor bias,
      Tensor out,
      int padding,
      boolean turned) {
    int kernel = weights.size(0);
    int bytes = context.elementBytes();
    Tile tile = Tile.of(out, kernel, bytes);
    int shared = tile.inputs() * bytes + kernel * kernel * tile.channels() * Float.BYTES;
    int rowLength = Math.toIntExact(out.rowLength());
    Launch launch =
        Launch.of(out.size(0) * tile.tiles(), rowLength / tile.channels(), tile.threads())
            .withShared(shared);
    return ConvolutionKernels.launch(
        context,
        FILE,
        "depthwise_convolution",
        tile.defines(),
        launch,
        in,
        weights,
        bias,
        out,
        in.size(1),
        in.size(2),
        out.size(1),
        out.size(2),
        rowLength,
        out.size(3),
        padding,
        turned ? 1 : 0,
        tile.height(),
        tile.tilesY(),
        tile.tilesX(),
        tile.strips(),
        tile.channels());
  }

  private static Kernel fastGradient(
      CudaContext context,
      Tensor x,
      Tensor weights,
      Tensor dy,
      ConvolutionGeometry geometry,
      List<Tensor> outputs) {
    int kernel = weights.size(0);
    int bytes = context.elementBytes();
    Tile tile = Tile.of(dy, kernel, bytes);
    int groupsOfChannels = Math.toIntExact(dy.rowLength()) / tile.channels();
    int channels = dy.size(3);
    int partLength = (kernel * kernel + 1) * channels;
    int tiles = dy.size(0) * tile.tiles();
    int parts = Math.min(tiles, ConvolutionLookup.ceil(BLOCKS_WANTED, groupsOfChannels));
    int threads = ConvolutionLookup.ceil(tile.channels() / 2 * kernel * ROW_GROUPS, 32) * 32;
    int groups = threads / (tile.channels() / 2 * kernel);
    int sums = groups * kernel * (kernel + 1) * tile.channels() * Float.BYTES;
    int shared = Math.max((tile.inputs() + tile.outputs()) * bytes, sums);
    long scratch = context.scratch((long) parts * partLength * Float.BYTES);
    Kernel product =
        ConvolutionKernels.launch(
            context,
            FILE,
            "depthwise_weight_gradient",
            tile.defines(),
            Launch.of(parts, groupsOfChannels, threads).withShared(shared),
            x,
            dy,
            scratch,
            dy.size(0),
            x.size(1),
            x.size(2),
            dy.size(1),
            dy.size(2),
            Math.toIntExact(dy.rowLength()),
            channels,
            geometry.padding(),
            tile.height(),
            tile.tilesY(),
            tile.tilesX(),
            tile.strips(),
            tile.channels());
    return Kernel.sequence(
        List.of(product, addParts(context, scratch, parts, partLength, outputs)));
  }

  private static Kernel addParts(
      CudaContext context, long scratch, int parts, int partLength, List<Tensor> outputs) {
    return ConvolutionKernels.addParts(
        context, scratch, parts, partLength, outputs.get(1), outputs.get(2));
  }

  private static Kernel any(
      CudaContext context,
      Tensor in,
      Tensor weights,
      Tensor bias,
      Tensor out,
      ConvolutionGeometry geometry,
      boolean transposed) {
    long packs = out.bytes() / 16;
    return context.launch(
        FILE,
        "depthwise_convolution_any",
        Launch.forElements(packs, THREADS),
        in,
        weights,
        bias,
        out,
        out.size(0),
        in.size(1),
        in.size(2),
        out.size(1),
        out.size(2),
        Math.toIntExact(out.rowLength()),
        out.size(3),
        weights.size(0),
        weights.size(1),
        geometry.stride(),
        geometry.padding(),
        transposed ? 1 : 0);
  }

  private static Kernel anyGradient(
      CudaContext context,
      Tensor x,
      Tensor weights,
      Tensor dy,
      ConvolutionGeometry geometry,
      List<Tensor> outputs) {
    int channels = dy.size(3);
    int partLength = (weights.size(0) * weights.size(1) + 1) * channels;
    int pixels = dy.size(0) * dy.size(1) * dy.size(2);
    int parts = Math.min(pixels, BLOCKS_WANTED);
    long scratch = context.scratch((long) parts * partLength * Float.BYTES);
    Kernel product =
        context.launch(
            FILE,
            "depthwise_weight_gradient_any",
            Launch.of(parts, ConvolutionLookup.ceil(partLength, THREADS), THREADS),
            x,
            dy,
            scratch,
            dy.size(0),
            x.size(1),
            x.size(2),
            dy.size(1),
            dy.size(2),
            Math.toIntExact(dy.rowLength()),
            channels,
            weights.size(0),
            weights.size(1),
            geometry.stride(),
            geometry.padding());
    return Kernel.sequence(
        List.of(product, addParts(context, scratch, parts, partLength, outputs)));
  }
}
