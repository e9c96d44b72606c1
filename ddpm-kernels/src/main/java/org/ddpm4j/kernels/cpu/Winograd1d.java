package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.KERNEL;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.OUT;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Convolution of kernel 3, stride 1 and padding 1 in bfloat16 by Winograd's minimal filtering F(4,
 * 3) along the height (Lavin and Gray 2016, section 4.1): four rows of outputs take six
 * convolutions of one row with kernels of 1x3 where the definition takes twelve.
 *
 * <p>{@link Winograd} does so along both axes and takes half of these multiplications; but its
 * rounding to bfloat16 would cost more than 1 % of the result's norm, and this costs 0.5 %.
 */
final class Winograd1d implements Kernel {

  private static final long[] STRIDES = {1, 1};
  private static final long[] PADDING = {0, 1};

  private final Winograd1dTiles tiles;
  private final int together;
  private final int outChannels;
  private final Winograd1dTiles.Inputs inputs;
  private final List<Kernel> convolutions = new ArrayList<>();
  private final CpuTensor products;
  private final CpuTensor bias;
  private final FloatImages residuals;
  private final FloatImages results;
  private final float[][] repeatedBias;
  private final float[][] rows = Winograd1dTiles.chunks(IN);
  private final float[][] outputs = Winograd1dTiles.chunks(OUT);
  private final float[] residualRow = new float[Winograd1dLoops.CHUNK];

  /**
   * The convolution of all rows or some.
   *
   * @param weights {@code [3,3,iC,oC]}
   * @param bias one number per output channel, or null
   */
  record Algorithm(CpuTensor weights, CpuTensor bias) implements ConvolutionAlgorithm {

    @Override
    public Kernel kernel(
        CpuContext context, ConvolutionRows rows, convolution_forward.primitive_desc code) {
      return new Winograd1d(context, this, rows, code);
    }

    @Override
    public convolution_forward.primitive_desc code(ConvolutionRows rows, memory.desc layout) {
      int inChannels = rows.x().size(3);
      int outChannels = rows.y().size(3);
      Winograd1dTiles all = Winograd1dTiles.of(rows.y());
      Winograd1dTiles tiles = all.first(all.together(inChannels + outChannels));
      return forward(tiles, layout, inChannels, outChannels, memory.data_type.f32);
    }

    @Override
    public memory.desc anyLayout(ConvolutionRows rows) {
      return anyWeights(weights.size(2), weights.size(3));
    }

    @Override
    public int rowsTogether() {
      return OUT;
    }
  }

  /**
   * Prepares a convolution.
   *
   * @param algorithm with weights and bias
   * @param mapRows rows of input, output and residual, in floats or bfloat16
   * @param code of one frequency's convolution
   */
  private Winograd1d(
      CpuContext context,
      Algorithm algorithm,
      ConvolutionRows mapRows,
      convolution_forward.primitive_desc code) {
    bias = algorithm.bias();
    CpuTensor x = mapRows.x();
    CpuTensor y = mapRows.y();
    CpuTensor residual = mapRows.residual();
    int inChannels = x.size(3);
    outChannels = y.size(3);
    Winograd1dTiles all = Winograd1dTiles.of(y);
    together = all.together(inChannels + outChannels);
    tiles = all.first(together);
    List<CpuTensor> scratch =
        context.scratch(
            CpuTensor.floatsFor(tiles.length(inChannels)),
            tiles.length(outChannels),
            Winograd1dTiles.Frequencies.scratch(tiles, inChannels),
            FloatImages.scratch(x),
            residual == null ? 0 : FloatImages.scratch(residual),
            FloatImages.scratch(y));
    CpuTensor frequencies = scratch.get(0).asBfloat16(tiles.length(inChannels));
    products = scratch.get(1);
    inputs =
        new Winograd1dTiles.Inputs(
            context, tiles, x, mapRows.above(), scratch.get(3), scratch.get(2), frequencies);
    residuals = residual == null ? null : FloatImages.reading(context, residual, scratch.get(4));
    results = FloatImages.writing(context, y, scratch.get(5));
    repeatedBias = bias == null ? null : all.chunksOfRow(outChannels);
    convolution_forward convolution = new convolution_forward(code);
    List<memory> packed =
        Winograd1dWeights.packed(context, algorithm.weights(), code.weights_desc());
    for (int f = 0; f < IN; f++) {
      CpuTensor from = tiles.frequency(frequencies, f, inChannels);
      CpuTensor to = tiles.frequency(products, f, outChannels);
      convolutions.add(
          context
              .call(convolution)
              .with(DNNL_ARG_SRC, context.memory(channelsLast(from), from))
              .with(DNNL_ARG_WEIGHTS, packed.get(f))
              .with(DNNL_ARG_DST, context.memory(channelsLast(to), to)));
    }
  }

  static memory.desc channelsLast(CpuTensor map) {
    return Onednn.channelsLast(map.dataType(), map.shape());
  }

  /** One frequency's weights in whatever layout is fastest. */
  private static memory.desc anyWeights(int inChannels, int outChannels) {
    return Onednn.any(memory.data_type.bf16, outChannels, inChannels, 1, KERNEL);
  }

  /** One frequency's convolution. */
  static convolution_forward.primitive_desc forward(
      Winograd1dTiles tiles,
      memory.desc weights,
      int inChannels,
      int outChannels,
      memory.data_type result) {
    memory.data_type type = memory.data_type.bf16;
    return new convolution_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm.convolution_direct,
        tiles.layout(type, inChannels),
        weights,
        tiles.layout(result, outChannels),
        STRIDES.clone(),
        PADDING.clone(),
        PADDING.clone(),
        Onednn.attributes(),
        false);
  }

  /** Of one frequency, that of its input, in float32. */
  static convolution_backward_data.primitive_desc inputGradient(
      Winograd1dTiles tiles, int inChannels, int outChannels) {
    memory.data_type type = memory.data_type.bf16;
    memory.desc weights = anyWeights(inChannels, outChannels);
    return new convolution_backward_data.primitive_desc(
        Onednn.engine(),
        algorithm.convolution_direct,
        tiles.layout(memory.data_type.f32, inChannels),
        weights,
        tiles.layout(type, outChannels),
        STRIDES.clone(),
        PADDING.clone(),
        PADDING.clone(),
        forward(tiles, weights, inChannels, outChannels, type),
        Onednn.attributes(),
        false);
  }

  @Override
  public void run() {
    if (bias != null) {
      repeatBias();
    }
    for (int first = 0; first < results.count(); first += together) {
      for (int n = 0; n < together; n++) {
        inputs.transform(first + n, n);
      }
      for (Kernel convolution : convolutions) {
        convolution.run();
      }
      for (int n = 0; n < together; n++) {
        CpuTensor residual = residuals == null ? null : residuals.load(first + n);
        transformOutput(n, residual, results.target(first + n));
        results.store(first + n);
      }
    }
  }

  private void repeatBias() {
    tiles.forEachChunk(
        outChannels,
        (start, length) -> {
          float[] repeated = repeatedBias[start / Winograd1dLoops.CHUNK];
          for (int i = 0; i < length; i++) {
            repeated[i] = bias.buffer().get((start + i) % outChannels);
          }
        });
  }

  /** {@code Aᵀ m} of one image. */
  private void transformOutput(int place, CpuTensor residual, CpuTensor y) {
    int rowLength = tiles.storedWidth() * outChannels;
    int ofFrequency = tiles.rows() * rowLength;
    tiles.forEachChunk(
        outChannels,
        (start, length) -> {
          for (int tile = 0; tile < tiles.perImage(); tile++) {
            int from = (place * tiles.perImage() + tile) * rowLength + start;
            for (int f = 0; f < IN; f++) {
              products.buffer().get(f * ofFrequency + from, rows[f], 0, length);
            }
            Winograd1dLoops.transformOutput(rows, outputs, length);
            for (int r = 0; r < OUT && tile * OUT + r < tiles.height(); r++) {
              int at = (tile * OUT + r) * tiles.width() * outChannels + start;
              if (bias != null) {
                Loops.add(outputs[r], repeatedBias[start / Winograd1dLoops.CHUNK], length);
              }
              if (residual != null) {
                residual.buffer().get(at, residualRow, 0, length);
                Loops.add(outputs[r], residualRow, length);
              }
              y.buffer().put(at, outputs[r], 0, length);
            }
          }
        });
  }
}
