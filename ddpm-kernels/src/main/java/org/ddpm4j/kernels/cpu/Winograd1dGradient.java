package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.CHUNK;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.OUT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The gradient of {@link Winograd1d}, step by step backwards. From {@code V = Bᵀ d} and {@code U =
 * G g} the outputs are {@code Aᵀ (V * U)}. The gradient of the output becomes {@code M = A dy}; for
 * each of the six frequencies dU is the gradient of a convolution with a kernel of 1x3, made of V
 * and M, and dV another one, of M and U; and then {@code Gᵀ dU} and {@code B dV}.
 */
final class Winograd1dGradient implements Kernel {

  /** Rows that a tile of inputs shares with the next. */
  private static final int OVERLAP = IN - OUT;

  private final CpuContext context;
  private final double flops;

  /** M, and V where it is needed. */
  private final List<Kernel> transforms = new ArrayList<>();

  /** Those of the weights and of the input, as far as they are wanted. */
  private final List<Kernel> gradients = new ArrayList<>();

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
    Winograd1dTiles maps = Winograd1dTiles.of(x);
    Winograd1dTiles tiles = dw == null ? maps : maps.withGap();
    this.context = context;
    flops = 2.0 * weights.length() * dy.length() / dy.size(3);
    int inChannels = x.size(3);
    int outChannels = dy.size(3);
    Winograd1dTiles group = tiles.first(tiles.together(inChannels));
    List<CpuTensor> scratch =
        context.scratch(
            CpuTensor.floatsFor(tiles.length(outChannels)),
            dw == null ? 0 : Winograd1dWeightsGradient.inputScratch(tiles, inChannels),
            dx == null ? 0 : group.length(inChannels),
            dw == null ? 0 : Winograd1dWeightsGradient.scratch(dw),
            Winograd1dTiles.Frequencies.scratch(tiles, outChannels),
            dw == null ? 0 : Winograd1dTiles.Frequencies.scratch(tiles, inChannels),
            FloatImages.scratch(dy),
            dw == null ? 0 : FloatImages.scratch(x),
            dx == null ? 0 : FloatImages.scratch(dx));
    CpuTensor transformedDy = scratch.get(0).asBfloat16(tiles.length(outChannels));
    transforms.add(
        new OutputGradients(context, tiles, dy, db, scratch.get(6), scratch.get(4), transformedDy));
    if (dw != null) {
      // At the same time as the others, if somebody helps.
      CpuContext own = context.ofPart(1);
      Winograd1dWeightsGradient ofWeights =
          new Winograd1dWeightsGradient(
              own, tiles, transformedDy, scratch.get(1), scratch.get(3), dw);
      Winograd1dTiles.Inputs inputs =
          new Winograd1dTiles.Inputs(
              own, tiles, x, 1, scratch.get(7), scratch.get(5), ofWeights.transformedX());
      transforms.add(inputs::transformAll);
      gradients.add(ofWeights);
    }
    if (dx != null) {
      gradients.add(
          new InputGradients(
              context,
              tiles,
              group.images(),
              weights,
              transformedDy,
              scratch.get(2),
              dx,
              scratch.get(8)));
    }
  }

  @Override
  public void run() {
    Optional<Team> team = SharedKernel.team(context, flops);
    Team.run(team, transforms);
    Team.run(team, gradients);
  }

  /** {@code A dy}, and the sum of dy over positions. */
  private static final class OutputGradients implements Kernel {

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

    @Override
    public void run() {
      for (float[] sums : columnSums) {
        Arrays.fill(sums, 0);
      }
      for (int n = 0; n < tiles.images(); n++) {
        transform(n);
      }
      if (db != null) {
        addSums();
      }
    }

    private void transform(int image) {
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

    private void addSums() {
      double[] sums = new double[channels];
      for (int i = 0; i < tiles.width() * channels; i++) {
        sums[i % channels] += columnSums[i / CHUNK][i % CHUNK];
      }
      ParameterGradients.add(db, sums);
    }
  }

  /** dV, and {@code B dV}; tiles overlap by two rows. */
  private static final class InputGradients implements Kernel {

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
      convolution_backward_data.primitive_desc description =
          Winograd1d.inputGradient(group, channels, outChannels);
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

    @Override
    public void run() {
      for (int first = 0; first < tiles.images(); first += together) {
        convolutions.get(first / together).forEach(Kernel::run);
        for (int n = 0; n < together; n++) {
          transform(n, images.target(first + n));
          images.store(first + n);
        }
      }
    }

    private void transform(int place, CpuTensor dx) {
      int rowLength = tiles.storedWidth() * channels;
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
                  dx.buffer().put(row * tiles.width() * channels + start, rows[r], 0, length);
                }
              }
            }
          });
    }
  }
}
