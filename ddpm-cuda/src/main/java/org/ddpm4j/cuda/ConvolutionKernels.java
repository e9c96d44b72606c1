package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Convolutions by {@code convolution.cu}. {@link #gather} makes outputs and gradients by data,
 * {@link #parameterGradients} the others; each works on tensors alone, so that another library can
 * take its place for some shapes.
 */
final class ConvolutionKernels {

  static final String FILE = "convolution.cu";

  private static final int CHANNEL_SUM_PARTS = 264;
  private static final int CHANNEL_SUM_THREADS = 256;
  private static final int THREADS = 256;

  private ConvolutionKernels() {}

  /**
   * What is added to the product, in this order, and done to it in the end.
   *
   * @param bias per channel, or null
   * @param perImage {@code [N,C]}, or null
   * @param residual a map, or null
   * @param function of the sum
   */
  record Ending(Tensor bias, Tensor perImage, Tensor residual, Activation function) {

    static final Ending NONE = of(null);

    static Ending of(Tensor bias) {
      return new Ending(bias, null, null, Activation.IDENTITY);
    }
  }

  static Kernel forward(Conv2d op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    Tensor weights = inputs.get(1);
    Ending ending =
        new Ending(
            op.hasBias() ? inputs.get(2) : null,
            null,
            op.addsResidual() ? inputs.get(inputs.size() - 1) : null,
            op.function());
    Tensor x = inputs.get(0);
    Tensor y = outputs.get(0);
    if (ending.bias() != null
        && ending.function() == Activation.IDENTITY
        && CudnnConvolution.isFor(context, x, weights, y, geometry)) {
      return new CudnnConvolution(context, x, weights, y, geometry.stride(), geometry.padding())
          .forward(x, ending.bias(), ending.residual(), y);
    }
    ConvolutionLookup lookup =
        ConvolutionLookup.plain(x, y, weights, geometry.stride(), geometry.padding());
    return gather(context, lookup, x, weights, ending, y);
  }

  static Kernel backward(
      Conv2dGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    Tensor dy = inputs.get(2);
    if (CudnnConvolution.isFor(context, x, weights, dy, geometry)) {
      return backwardByCudnn(op, context, inputs, outputs);
    }
    ConvolutionLookup lookup =
        ConvolutionLookup.plain(x, dy, weights, geometry.stride(), geometry.padding());
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(1) != null) {
      steps.add(parameterGradients(context, lookup, x, dy, outputs.get(1), outputs.get(2)));
    } else if (outputs.get(2) != null) {
      steps.add(channelSums(context, dy, outputs.get(2)));
    }
    if (outputs.get(0) != null) {
      ConvolutionLookup transposed =
          ConvolutionLookup.transposed(
              dy, outputs.get(0), weights, geometry.stride(), geometry.padding());
      Ending ending = new Ending(null, null, residual(op, inputs), Activation.IDENTITY);
      steps.add(0, gather(context, transposed, dy, weights, ending, outputs.get(0)));
    }
    return Kernel.sequence(steps);
  }

  /** What is added to the gradient of x, or null. */
  private static Tensor residual(Conv2dGradient op, List<Tensor> inputs) {
    return op.addsResidual() ? inputs.get(3) : null;
  }

  private static Kernel backwardByCudnn(
      Conv2dGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    Tensor x = inputs.get(0);
    Tensor dy = inputs.get(2);
    CudnnConvolution convolution =
        new CudnnConvolution(context, x, inputs.get(1), dy, geometry.stride(), geometry.padding());
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      steps.add(convolution.dataGradient(dy, residual(op, inputs), outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      steps.add(convolution.weightGradient(x, dy, outputs.get(1)));
    }
    if (outputs.get(2) != null) {
      steps.add(channelSums(context, dy, outputs.get(2)));
    }
    return Kernel.sequence(steps);
  }

  static Kernel forward(
      ConvTranspose2d op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    Tensor y = outputs.get(0);
    ConvolutionLookup lookup =
        ConvolutionLookup.transposed(x, y, weights, geometry.stride(), geometry.padding());
    return gather(context, lookup, x, weights, Ending.of(inputs.get(2)), y);
  }

  static Kernel backward(
      ConvTranspose2dGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    Tensor x = inputs.get(0);
    Tensor weights = inputs.get(1);
    Tensor dy = inputs.get(2);
    // x takes the place of the output: it is what a plain convolution of dy would make.
    ConvolutionLookup lookup =
        ConvolutionLookup.plain(dy, x, weights, geometry.stride(), geometry.padding());
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(1) != null) {
      steps.add(parameterGradients(context, lookup, dy, x, outputs.get(1), null));
    }
    if (outputs.get(2) != null) {
      steps.add(channelSums(context, dy, outputs.get(2)));
    }
    if (outputs.get(0) != null) {
      steps.add(0, gather(context, lookup, dy, weights, Ending.NONE, outputs.get(0)));
    }
    return Kernel.sequence(steps);
  }

  /** The product of the gathered inputs and the weights, to all of a map. */
  static Kernel gather(
      CudaContext context,
      ConvolutionLookup lookup,
      Tensor in,
      Tensor weights,
      Ending ending,
      Tensor out) {
    int inRow = Math.toIntExact(in.rowLength());
    int outRow = Math.toIntExact(out.rowLength());
    GatherTile tile =
        GatherTile.of(
            lookup, inRow, outRow, context.elementBytes(), context.sharedMemoryPerBlock());
    return launch(
        context,
        FILE,
        "convolution_gather",
        tile.defines(),
        tile.launch(lookup, outRow),
        in,
        packed(context, lookup, tile, weights, in, out),
        ending.bias(),
        ending.residual(),
        ending.perImage(),
        out,
        lookup.images(),
        lookup.inHeight(),
        lookup.inWidth(),
        inRow,
        lookup.outHeight(),
        lookup.outWidth(),
        outRow,
        out.size(3),
        lookup.kernelHeight(),
        lookup.kernelWidth(),
        lookup.stride(),
        lookup.padding(),
        lookup.transposed() ? 1 : 0,
        ending.function().ordinal(),
        tile.slabRows(),
        tile.slabs(),
        tile.stageTaps(),
        tile.stages());
  }

  private static long packed(
      CudaContext context,
      ConvolutionLookup lookup,
      GatherTile tile,
      Tensor weights,
      Tensor in,
      Tensor out) {
    int inRow = Math.toIntExact(in.rowLength());
    int outRow = Math.toIntExact(out.rowLength());
    int bytes = context.elementBytes();
    long length = tile.packedBytes(lookup, inRow, outRow, bytes);
    int chunk = tile.chunkChannels(bytes);
    String kind =
        String.format(
            Locale.ROOT,
            "gather %b %d %d %d %d ",
            lookup.transposed(),
            lookup.stride(),
            lookup.padding(),
            tile.channels(),
            chunk);
    return context.packed(
        weights,
        kind,
        length,
        address ->
            context.packing(
                FILE,
                "convolution_pack_weights",
                length / bytes,
                weights.address(),
                address,
                in.size(3),
                out.size(3),
                inRow,
                outRow,
                lookup.kernelHeight(),
                lookup.kernelWidth(),
                lookup.stride(),
                lookup.padding(),
                lookup.transposed() ? 1 : 0,
                tile.channels(),
                chunk));
  }

  /**
   * Adds to a gradient {@code [kH,kW,gathered channels,dense channels]} and, if it is not null,
   * adds the sums of the dense map's channels to the other.
   */
  static Kernel parameterGradients(
      CudaContext context,
      ConvolutionLookup lookup,
      Tensor gathered,
      Tensor dense,
      Tensor gradient,
      Tensor sums) {
    int inRow = Math.toIntExact(gathered.rowLength());
    int outRow = Math.toIntExact(dense.rowLength());
    int bytes = context.elementBytes();
    WeightGradientTile tile =
        WeightGradientTile.of(lookup, inRow, outRow, bytes, context.sharedMemoryPerBlock());
    int channels = dense.size(3);
    int partLength = gradient.length() + channels;
    int parts =
        tile.parts(lookup, inRow, outRow, bytes, partLength, context.sharedMemoryPerBlock());
    long scratch = context.scratch((long) parts * partLength * Float.BYTES);
    Kernel product =
        launch(
            context,
            FILE,
            "convolution_weight_gradient",
            tile.defines(),
            tile.launch(lookup, inRow, outRow, bytes, parts),
            gathered,
            dense,
            scratch,
            lookup.images(),
            lookup.inHeight(),
            lookup.inWidth(),
            inRow,
            gathered.size(3),
            lookup.outHeight(),
            lookup.outWidth(),
            outRow,
            channels,
            lookup.kernelHeight(),
            lookup.kernelWidth(),
            lookup.stride(),
            lookup.padding(),
            sums == null ? 0 : 1,
            tile.slabRows(),
            tile.stages(),
            partLength);
    return Kernel.sequence(
        List.of(product, addParts(context, scratch, parts, partLength, gradient, sums)));
  }

  /**
   * Adds parts that lie one after the other in scratch memory, in order: the first elements to one
   * gradient, those behind it to another; both may be null.
   */
  static Kernel addParts(
      CudaContext context, long scratch, int parts, int partLength, Tensor first, Tensor second) {
    int secondLength = second == null ? 0 : second.length();
    int firstLength = first == null ? partLength - secondLength : first.length();
    return context.launch(
        FILE,
        "convolution_add_parts",
        Launch.of(ConvolutionLookup.ceil(partLength, 32), THREADS),
        scratch,
        parts,
        partLength,
        first,
        firstLength,
        second,
        secondLength);
  }

  /** Adds the sums over all pixels of a map to a vector. */
  static Kernel channelSums(CudaContext context, Tensor map, Tensor sums) {
    int pixels = Math.toIntExact(map.bytes() / map.rowLength() / context.elementBytes());
    int row = Math.toIntExact(map.rowLength());
    int channels = sums.length();
    int packs = row * context.elementBytes() / 16;
    int threads = Math.max(CHANNEL_SUM_THREADS, ConvolutionLookup.ceil(packs, 32) * 32);
    int parts = Math.min(CHANNEL_SUM_PARTS, ConvolutionLookup.ceil(pixels, threads / packs));
    long scratch = context.scratch((long) parts * channels * Float.BYTES);
    Launch launch = Launch.of(parts, threads).withShared(threads / packs * row * Float.BYTES);
    Kernel summing =
        context.launch(
            FILE, "convolution_channel_sums", launch, map, scratch, pixels, row, channels);
    return Kernel.sequence(
        List.of(summing, addParts(context, scratch, parts, channels, null, sums)));
  }

  /** A kernel compiled for one tile. */
  static Kernel launch(
      CudaContext context,
      String file,
      String kernel,
      List<String> tile,
      Launch launch,
      Object... arguments) {
    List<String> defines = new ArrayList<>(context.defines());
    defines.addAll(tile);
    CudaDriver driver = context.driver();
    CudaFunction function = driver.function(file, kernel, defines);
    CudaArguments bound = new CudaArguments(arguments);
    return () -> driver.launch(function, launch, bound);
  }
}
