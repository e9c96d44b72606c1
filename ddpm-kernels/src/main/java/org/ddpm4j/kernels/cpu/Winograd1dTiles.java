package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.CHUNK;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.OUT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Feature maps cut into tiles of four rows for Winograd's algorithm along their height: four rows
 * of outputs need six of inputs, which become six rows of frequencies. Those of one frequency are
 * again feature maps, {@code [images,tiles,W,C]}, of which a convolution with a kernel of 1x3 is
 * taken.
 *
 * @param images of the batch
 * @param height of a feature map
 * @param width of a feature map
 * @param storedWidth of a transformed map: columns after the width are zero
 */
record Winograd1dTiles(int images, int height, int width, int storedWidth) {

  /**
   * What one number of a transformed map costs, in floating-point operations of a convolution in
   * bfloat16 in the same time; see docs/optimisations.md. A decision by the clock would be another
   * in another run, and with it the last digits of the result.
   */
  private static final double COST_OF_TRANSFORM = 150;

  /** The same of a pair of channels when the gradient of its weights is transformed back. */
  private static final double COST_OF_WEIGHTS_GRADIENT = 1000;

  /** How much longer a multiplication takes in dU than in oneDNN's gradient of the weights. */
  private static final double SLOWER_WEIGHTS = 1.3;

  /** The share of the time that may be left: rounding costs digits. */
  private static final double WORTHWHILE = 0.8;

  private static final double WORTHWHILE_FOR_WEIGHTS = 0.85;

  /** Numbers of transformed maps that are worked on together, unless one image has more. */
  private static final int MOST = 1 << 18;

  static Winograd1dTiles of(CpuTensor map) {
    return new Winograd1dTiles(map.size(0), map.size(1), map.size(2), map.size(2));
  }

  /** With a column of zeros between rows: a kernel that lies over it reads what it should. */
  Winograd1dTiles withGap() {
    return new Winograd1dTiles(images, height, width, width + 1);
  }

  /**
   * Whether this is faster than the convolution as defined, on a processor that has vector
   * instructions for bfloat16. It does not depend on the number of images, because what is made of
   * one must not depend on which others are there.
   */
  static boolean isFaster(int height, int width, int inChannels, int outChannels) {
    Winograd1dTiles image = new Winograd1dTiles(1, height, width, width);
    double pairs = (double) inChannels * outChannels;
    return image.transforms(inChannels + outChannels) + image.products() * pairs
        < WORTHWHILE * image.direct() * pairs;
  }

  /** Whether this is faster for the gradient of the weights, too, where it is for that of x. */
  static boolean isFasterForWeights(CpuTensor x, int outChannels) {
    Winograd1dTiles tiles = of(x).withGap();
    double ofInputs = tiles.transforms(x.size(3)) / x.size(3) / outChannels;
    return ofInputs + SLOWER_WEIGHTS * tiles.products() + COST_OF_WEIGHTS_GRADIENT
        < WORTHWHILE_FOR_WEIGHTS * tiles.direct();
  }

  private double transforms(int channels) {
    return (double) IN * rows() * width * channels * COST_OF_TRANSFORM;
  }

  /** Floating-point operations for a pair of channels. */
  private double products() {
    return 2.0 * 3 * IN * rows() * storedWidth;
  }

  /** The same by the definition. */
  private double direct() {
    return 2.0 * 9 * images * height * width;
  }

  /** Tiles of an image. */
  int perImage() {
    return (height + OUT - 1) / OUT;
  }

  /** Rows of a transformed map: tiles of all images. */
  int rows() {
    return images * perImage();
  }

  /** How many images are worked on together: a divisor of their number. */
  int together(int channels) {
    int most = Math.max(1, MOST / (IN * perImage() * storedWidth * channels));
    return Divisors.largest(images, most);
  }

  /** These images alone. */
  Winograd1dTiles first(int count) {
    return new Winograd1dTiles(count, height, width, storedWidth);
  }

  /** The numbers of a transformed map of all frequencies. */
  long length(int channels) {
    return (long) IN * rows() * storedWidth * channels;
  }

  /** The maps of one frequency, {@code [images,tiles,W,C]}. */
  CpuTensor frequency(CpuTensor all, int frequency, int channels) {
    long length = length(channels) / IN;
    return all.part(frequency * length, images, perImage(), storedWidth, channels);
  }

  /** Part of the maps of one frequency: those of some images. */
  CpuTensor frequency(CpuTensor all, int frequency, int channels, int firstImage, int count) {
    long perImage = (long) perImage() * storedWidth * channels;
    long start = frequency * images * perImage + firstImage * perImage;
    return all.part(start, count, perImage(), storedWidth, channels);
  }

  /** A piece of a row, so that the six or twelve of a tile stay in the first cache. */
  @FunctionalInterface
  interface Chunk {

    /**
     * Works on a piece.
     *
     * @param start in the row
     * @param length of the piece
     */
    void accept(int start, int length);
  }

  void forEachChunk(int channels, Chunk chunk) {
    int rowLength = width * channels;
    for (int start = 0; start < rowLength; start += CHUNK) {
      chunk.accept(start, Math.min(CHUNK, rowLength - start));
    }
  }

  /** The layout of the maps of one frequency, as oneDNN sees them. */
  memory.desc layout(memory.data_type type, int channels) {
    return Onednn.channelsLast(type, images, perImage(), storedWidth, channels);
  }

  /** Arrays for all pieces of a row. */
  float[][] chunksOfRow(int channels) {
    return chunks((width * channels + CHUNK - 1) / CHUNK);
  }

  static float[][] chunks(int count) {
    return new float[count][CHUNK];
  }

  /** Receives the frequencies of tiles, and rounds them to bfloat16. */
  static final class Frequencies {

    private final CpuTensor floats;
    private final int rowLength;
    private final float[] gap;
    private final List<Kernel> roundings = new ArrayList<>();

    /**
     * Prepares to write.
     *
     * @param tiles of all images
     * @param floats for one tile, see {@link #scratch}
     * @param rounded in bfloat16, of {@link Winograd1dTiles#length}
     */
    Frequencies(
        CpuContext context,
        Winograd1dTiles tiles,
        int channels,
        CpuTensor floats,
        CpuTensor rounded) {
      this.floats = floats;
      rowLength = tiles.storedWidth * channels;
      gap = new float[(tiles.storedWidth - tiles.width) * channels];
      long all = (long) tiles.rows() * rowLength;
      memory source = context.memory(Onednn.dense(IN, rowLength), floats);
      memory.desc to = Onednn.strided(memory.data_type.bf16, new long[] {IN, rowLength}, all, 1);
      reorder rounding = null;
      for (int row = 0; row < tiles.rows(); row++) {
        long start = (long) row * rowLength;
        memory target = context.memory(to, rounded.part(start, rounded.length() - start));
        rounding = rounding == null ? Onednn.reorder(source.get_desc(), to) : rounding;
        roundings.add(context.call(rounding).with(DNNL_ARG_SRC, source).with(DNNL_ARG_DST, target));
      }
    }

    /** The floats of scratch memory that this takes. */
    static long scratch(Winograd1dTiles tiles, int channels) {
      return (long) IN * tiles.storedWidth * channels;
    }

    void put(float[][] chunk, int start, int length) {
      for (int f = 0; f < IN; f++) {
        floats.buffer().put(f * rowLength + start, chunk[f], 0, length);
      }
    }

    void round(int row) {
      for (int f = 1; f <= IN; f++) {
        floats.buffer().put(f * rowLength - gap.length, gap);
      }
      roundings.get(row).run();
    }
  }

  /** {@code Bᵀ d} of inputs. */
  static final class Inputs {

    private final Winograd1dTiles tiles;
    private final int channels;
    private final int height;
    private final int above;
    private final FloatImages images;
    private final Frequencies frequencies;
    private final float[][] rows = chunks(IN);
    private final float[][] transformed = chunks(IN);

    /** Inputs, above which there are so many rows of zeros. */
    Inputs(
        CpuContext context,
        Winograd1dTiles tiles,
        CpuTensor x,
        int above,
        CpuTensor imageScratch,
        CpuTensor tileScratch,
        CpuTensor rounded) {
      this.tiles = tiles;
      this.above = above;
      channels = x.size(3);
      height = x.size(1);
      images = FloatImages.reading(context, x, imageScratch);
      frequencies = new Frequencies(context, tiles, channels, tileScratch, rounded);
    }

    /** Transforms all images, each to its own place. */
    void transformAll() {
      for (int n = 0; n < images.count(); n++) {
        transform(n, n);
      }
    }

    /** Transforms an image; its tiles become those of a place in the transformed map. */
    void transform(int image, int place) {
      CpuTensor x = images.load(image);
      int rowLength = tiles.width * channels;
      for (int tile = 0; tile < tiles.perImage(); tile++) {
        int top = tile * OUT - above;
        tiles.forEachChunk(
            channels,
            (start, length) -> {
              for (int r = 0; r < IN; r++) {
                int row = top + r;
                if (row >= 0 && row < height) {
                  x.buffer().get(row * rowLength + start, rows[r], 0, length);
                } else {
                  Arrays.fill(rows[r], 0, length, 0);
                }
              }
              Winograd1dLoops.transformInput(rows, transformed, length);
              frequencies.put(transformed, start, length);
            });
        frequencies.round(place * tiles.perImage() + tile);
      }
    }
  }
}
