package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.CHUNK;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.KERNEL;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.OUT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The gradient of {@link Winograd1d}, step by step backwards. From {@code V = Bᵀ d} and {@code U =
 * G g} the outputs are {@code Aᵀ (V * U)}. The gradient of the output becomes {@code M = A dy}; for
 * each of the six frequencies, the gradients of a convolution with a kernel of 1x3 make dU of V and
 * M, and dV of M and U; and then {@code Gᵀ dU} and {@code B dV}.
 */
final class Winograd1dGradient implements Kernel {

  private static final long[] STRIDES = {1, 1};
  private static final long[] PADDING = {0, 1};

  /** Rows that a tile of inputs shares with the next. */
  private static final int OVERLAP = IN - OUT;

  private final Winograd1dTiles tiles;
  private final OutputGradients outputGradients;
  private final Winograd1dTiles.Inputs inputs;
  private final List<Kernel> weightsGradients = new ArrayList<>();
  private final InputGradients inputGradients;

  /**
   * Prepares a gradient.
   *
   * @param dx receives the gradient of the input; or null
   * @param dw the gradient of the weights is added to it; or null
   * @param db the gradient of the bias is added to it; or null
   */
  Winograd1dGradient(
      CpuContext context,
      CpuTensor x,
      CpuTensor weights,
      CpuTensor dy,
      CpuTensor dx,
      CpuTensor dw,
      CpuTensor db) {
    tiles = Winograd1dTiles.of(x);
    int inChannels = x.size(3);
    int outChannels = dy.size(3);
    Winograd1dTiles group = tiles.first(tiles.together(inChannels));
    convolution_backward_weights.primitive_desc ofWeights =
        dw == null ? null : ofWeights(inChannels, outChannels);
    long weightsFloats =
        dw == null
            ? 0
            : FloatMemory.roundUp(ofWeights.diff_weights_desc().get_size() / Float.BYTES);
    List<CpuTensor> scratch =
        context.scratch(
            CpuTensor.floatsFor(tiles.length(outChannels)),
            dw == null ? 0 : CpuTensor.floatsFor(tiles.length(inChannels)),
            dx == null ? 0 : group.length(inChannels),
            IN * weightsFloats,
            Winograd1dTiles.Frequencies.scratch(tiles, Math.max(inChannels, outChannels)),
            FloatImages.scratch(dy),
            dw == null ? 0 : FloatImages.scratch(x),
            dx == null ? 0 : FloatImages.scratch(dx));
    CpuTensor transformedDy = scratch.get(0).asBfloat16(tiles.length(outChannels));
    outputGradients =
        new OutputGradients(context, tiles, dy, db, scratch.get(5), scratch.get(4), transformedDy);
    if (dw == null) {
      inputs = null;
    } else {
      CpuTensor transformedX = scratch.get(1).asBfloat16(tiles.length(inChannels));
      inputs =
          new Winograd1dTiles.Inputs(
              context, tiles, x, scratch.get(6), scratch.get(4), transformedX);
      addWeightsGradients(
          context, ofWeights, transformedX, transformedDy, scratch.get(3), weightsFloats, dw);
    }
    inputGradients =
        dx == null
            ? null
            : new InputGradients(
                context,
                tiles,
                group.images(),
                weights,
                transformedDy,
                scratch.get(2),
                dx,
                scratch.get(7));
  }

  private convolution_backward_weights.primitive_desc ofWeights(int inChannels, int outChannels) {
    memory.data_type type = memory.data_type.bf16;
    return new convolution_backward_weights.primitive_desc(
        Onednn.engine(),
        algorithm.convolution_direct,
        tiles.layout(type, inChannels),
        Onednn.any(outChannels, inChannels, 1, KERNEL),
        tiles.layout(type, outChannels),
        STRIDES.clone(),
        PADDING.clone(),
        PADDING.clone(),
        Winograd1d.forward(tiles, inChannels, outChannels, type));
  }

  private void addWeightsGradients(
      CpuContext context,
      convolution_backward_weights.primitive_desc description,
      CpuTensor transformedX,
      CpuTensor transformedDy,
      CpuTensor gradients,
      long floats,
      CpuTensor dw) {
    int inChannels = dw.size(2);
    int outChannels = dw.size(3);
    memory.desc layout = description.diff_weights_desc();
    convolution_backward_weights gradient = new convolution_backward_weights(description);
    for (int f = 0; f < IN; f++) {
      CpuTensor x = tiles.frequency(transformedX, f, inChannels);
      CpuTensor dy = tiles.frequency(transformedDy, f, outChannels);
      CpuTensor du = gradients.part(f * floats, floats);
      weightsGradients.add(
          context
              .call(gradient)
              .with(DNNL_ARG_SRC, context.memory(Winograd1d.channelsLast(x), x))
              .with(DNNL_ARG_DIFF_DST, context.memory(Winograd1d.channelsLast(dy), dy))
              .with(DNNL_ARG_DIFF_WEIGHTS, context.memory(layout, du)));
    }
    // Elements of a pair of channels lie at the same place for each frequency.
    weightsGradients.add(() -> transformFiltersBack(gradients, (int) floats));
    post_ops addToDestination = new post_ops();
    addToDestination.append_sum();
    primitive_attr attributes = new primitive_attr();
    attributes.set_post_ops(addToDestination);
    memory.desc plain = Winograd1dWeights.plain(dw);
    reorder adding =
        new reorder(
            new reorder.primitive_desc(
                Onednn.engine(), layout, Onednn.engine(), plain, attributes, false));
    long row = dw.length() / KERNEL;
    for (int k = 0; k < KERNEL; k++) {
      weightsGradients.add(
          context
              .call(adding)
              .with(DNNL_ARG_SRC, context.memory(layout, gradients.part(k * floats, floats)))
              .with(DNNL_ARG_DST, context.memory(plain, dw.part(k * row, row))));
    }
  }

  /** {@code Gᵀ dU}, in the place of the first three frequencies. */
  private static void transformFiltersBack(CpuTensor gradients, int floats) {
    float[][] u = Winograd1dTiles.chunks(IN);
    float[][] g = Winograd1dTiles.chunks(KERNEL);
    for (int start = 0; start < floats; start += CHUNK) {
      int n = Math.min(CHUNK, floats - start);
      for (int f = 0; f < IN; f++) {
        gradients.buffer().get(f * floats + start, u[f], 0, n);
      }
      Winograd1dLoops.transformFilterBackward(u, g, n);
      for (int k = 0; k < KERNEL; k++) {
        gradients.buffer().put(k * floats + start, g[k], 0, n);
      }
    }
  }

  @Override
  public void run() {
    outputGradients.begin();
    for (int n = 0; n < tiles.images(); n++) {
      outputGradients.transform(n);
    }
    outputGradients.end();
    if (inputs != null) {
      for (int n = 0; n < tiles.images(); n++) {
        inputs.transform(n, n);
      }
      weightsGradients.forEach(Kernel::run);
    }
    if (inputGradients != null) {
      inputGradients.run();
    }
  }

  /** {@code A dy}, and the sum of dy over positions. */
  private static final class OutputGradients {

    private final Winograd1dTiles tiles;
    private final CpuTensor db;
    private final int channels;
    private final FloatImages images;
    private final Winograd1dTiles.Frequencies frequencies;
    private final float[][] rows = Winograd1dTiles.chunks(OUT);
    private final float[][] transformed = Winograd1dTiles.chunks(IN);
    private final float[][] columnSums;

    OutputGradients(
        CpuContext context,
        Winograd1dTiles tiles,
        CpuTensor dy,
        CpuTensor db,
        CpuTensor imageScratch,
        CpuTensor tileScratch,
        CpuTensor rounded) {
      this.tiles = tiles;
      this.db = db;
      channels = dy.size(3);
      images = FloatImages.reading(context, dy, imageScratch);
      frequencies = new Winograd1dTiles.Frequencies(context, tiles, channels, tileScratch, rounded);
      columnSums = tiles.chunksOfRow(channels);
    }

    void begin() {
      for (float[] sums : columnSums) {
        Arrays.fill(sums, 0);
      }
    }

    void transform(int image) {
      CpuTensor dy = images.load(image);
      int rowLength = tiles.width() * channels;
      for (int tile = 0; tile < tiles.perImage(); tile++) {
        int top = tile * OUT;
        tiles.forEachChunk(
            channels,
            (start, length) -> {
              for (int r = 0; r < OUT; r++) {
                if (top + r < tiles.height()) {
                  dy.buffer().get((top + r) * rowLength + start, rows[r], 0, length);
                  Loops.add(columnSums[start / CHUNK], rows[r], length);
                } else {
                  Arrays.fill(rows[r], 0, length, 0);
                }
              }
              Winograd1dLoops.transformOutputBackward(rows, transformed, length);
              frequencies.put(transformed, start, length);
            });
        frequencies.round(image * tiles.perImage() + tile);
      }
    }

    void end() {
      if (db == null) {
        return;
      }
      double[] sums = new double[channels];
      for (int i = 0; i < tiles.width() * channels; i++) {
        sums[i % channels] += columnSums[i / CHUNK][i % CHUNK];
      }
      ParameterGradients.add(db, sums);
    }
  }

  /** dV, and {@code B dV}; tiles overlap by two rows. */
  private static final class InputGradients {

    private final Winograd1dTiles tiles;
    private final int together;
    private final int channels;
    private final List<List<Kernel>> convolutions = new ArrayList<>();
    private final CpuTensor transformed;
    private final FloatImages images;
    private final float[][] frequencies = Winograd1dTiles.chunks(IN);
    private final float[][] rows = Winograd1dTiles.chunks(IN);

    /** The last rows of the tile above. */
    private final float[][] overlap = Winograd1dTiles.chunks(OVERLAP);

    InputGradients(
        CpuContext context,
        Winograd1dTiles tiles,
        int together,
        CpuTensor weights,
        CpuTensor transformedDy,
        CpuTensor transformed,
        CpuTensor dx,
        CpuTensor imageScratch) {
      this.tiles = tiles;
      this.together = together;
      this.transformed = transformed;
      channels = dx.size(3);
      images = FloatImages.writing(context, dx, imageScratch);
      Winograd1dTiles group = tiles.first(together);
      int outChannels = weights.size(3);
      convolution_backward_data.primitive_desc description = description(group, outChannels);
      convolution_backward_data gradient = new convolution_backward_data(description);
      List<memory> packed = Winograd1dWeights.packed(context, weights, description.weights_desc());
      for (int first = 0; first < tiles.images(); first += together) {
        List<Kernel> ofGroup = new ArrayList<>();
        for (int f = 0; f < IN; f++) {
          CpuTensor dy = tiles.frequency(transformedDy, f, outChannels, first, together);
          CpuTensor to = group.frequency(transformed, f, channels);
          ofGroup.add(
              context
                  .call(gradient)
                  .with(DNNL_ARG_DIFF_DST, context.memory(Winograd1d.channelsLast(dy), dy))
                  .with(DNNL_ARG_WEIGHTS, packed.get(f))
                  .with(DNNL_ARG_DIFF_SRC, context.memory(Winograd1d.channelsLast(to), to)));
        }
        convolutions.add(ofGroup);
      }
    }

    private convolution_backward_data.primitive_desc description(
        Winograd1dTiles group, int outChannels) {
      memory.data_type type = memory.data_type.bf16;
      convolution_forward.primitive_desc forward =
          Winograd1d.forward(group, channels, outChannels, type);
      return new convolution_backward_data.primitive_desc(
          Onednn.engine(),
          algorithm.convolution_direct,
          group.layout(memory.data_type.f32, channels),
          Onednn.any(type, outChannels, channels, 1, KERNEL),
          group.layout(type, outChannels),
          STRIDES.clone(),
          PADDING.clone(),
          PADDING.clone(),
          forward);
    }

    void run() {
      for (int first = 0; first < tiles.images(); first += together) {
        convolutions.get(first / together).forEach(Kernel::run);
        for (int n = 0; n < together; n++) {
          transform(n, images.target(first + n));
          images.store(first + n);
        }
      }
    }

    private void transform(int place, CpuTensor dx) {
      int rowLength = tiles.width() * channels;
      int ofFrequency = together * tiles.perImage() * rowLength;
      tiles.forEachChunk(
          channels,
          (start, length) -> {
            for (int tile = 0; tile < tiles.perImage(); tile++) {
              int from = (place * tiles.perImage() + tile) * rowLength + start;
              for (int f = 0; f < IN; f++) {
                transformed.buffer().get(f * ofFrequency + from, frequencies[f], 0, length);
              }
              Winograd1dLoops.transformInputBackward(frequencies, rows, length);
              for (int r = 0; r < OVERLAP; r++) {
                if (tile > 0) {
                  Loops.add(rows[r], overlap[r], length);
                }
                System.arraycopy(rows[OUT + r], 0, overlap[r], 0, length);
              }
              boolean last = tile == tiles.perImage() - 1;
              for (int r = 0; r < (last ? IN : OUT); r++) {
                int row = tile * OUT + r - 1;
                if (row >= 0 && row < tiles.height()) {
                  dx.buffer().put(row * rowLength + start, rows[r], 0, length);
                }
              }
            }
          });
    }
  }
}
