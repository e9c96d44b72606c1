package org.ddpm4j.cuda;

import java.util.List;
import java.util.Locale;

/**
 * What a block of {@code convolution_gather} makes, and how it keeps its operands.
 *
 * @param units of 16 bytes of each input pixel at a time: a chunk of channels
 * @param pixels of the output
 * @param channels of the output
 * @param warpPixels of them, of one warp
 * @param warpChannels of them, of one warp
 * @param slabRows input pixels
 * @param slabs chunks of channels at a time
 * @param stageTaps taps of the kernel that are copied together
 * @param stages copies at a time
 * @param sharedBytes shared memory for all that
 */
record GatherTile(
    int units,
    int pixels,
    int channels,
    int warpPixels,
    int warpChannels,
    int slabRows,
    int slabs,
    int stageTaps,
    int stages,
    int sharedBytes) {

  /** The processors of a large card: a block for each keeps all of them busy. */
  private static final int PROCESSORS = 132;

  /** Nearly two blocks for each of them: with fewer, smaller blocks are faster. */
  private static final int MANY_BLOCKS = 250;

  /** Larger weights are better copied in halves, so that the first is used during the second. */
  private static final int SMALL_WEIGHTS = 40 << 10;

  private static final int MOST_STAGES = 4;
  private static final int MOST_UNITS = 8;
  private static final int TAPS_OF_A_STEP = 2;
  private static final int WARP = 32;

  /** The sizes of a block's product. */
  private record Product(int pixels, int channels, int warpPixels, int warpChannels) {

    int blocks(ConvolutionLookup lookup, int outRow) {
      return ConvolutionLookup.ceil(lookup.pixels(), pixels)
          * lookup.phases()
          * ConvolutionLookup.ceil(outRow, channels);
    }

    boolean divides(int outRow) {
      return outRow % channels == 0;
    }

    boolean hasManyBlocks(ConvolutionLookup lookup, int outRow) {
      return divides(outRow) && blocks(lookup, outRow) >= MANY_BLOCKS;
    }

    int threads() {
      return pixels / warpPixels * (channels / warpChannels) * WARP;
    }
  }

  /** What is looked up, in the units of a tile. */
  private record Rows(ConvolutionLookup lookup, int inBytes, int outRow, int elementBytes) {}

  /**
   * Which tile suits a lookup; rows are those of padded maps, in elements.
   *
   * <p>The order in which a sum's terms are added depends on the units alone, and they do not
   * depend on the number of images.
   */
  static GatherTile of(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int sharedMemory) {
    Rows rows = new Rows(lookup, inRow * elementBytes, outRow, elementBytes);
    for (int units = MOST_UNITS; units >= 1; units /= 2) {
      if (rows.inBytes() % (units * 16) == 0) {
        for (Product product : List.of(fastest(rows, units), smallest(rows, units))) {
          GatherTile tile = fitting(rows, product, units, sharedMemory);
          if (tile != null) {
            return tile;
          }
        }
      }
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "Images of width %d are too large for a convolution on this card: %d bytes of shared memory.",
            lookup.inWidth(),
            sharedMemory));
  }

  /**
   * The product that was fastest in convolution_bench.cu on an H100, in bfloat16, or within 5 % of
   * that. Large blocks read less, but every processor is to have two or three of them.
   */
  private static Product fastest(Rows rows, int units) {
    ConvolutionLookup lookup = rows.lookup();
    int outRow = rows.outRow();
    boolean isWide = units == MOST_UNITS && rows.elementBytes() == 2;
    if (outRow < 32) {
      return smallest(rows, units);
    }
    Product half = isWide ? new Product(128, 64, 32, 64) : new Product(128, 64, 64, 32);
    // A strided lookup's inputs fill a processor's memory: then one block for each.
    boolean isStrided = lookup.stride() > 1 && !lookup.transposed();
    if (isStrided && half.divides(outRow) && isOneForEach(half.blocks(lookup, outRow))) {
      return half;
    }
    // Many channels: each warp's 64x64 beat 64x32 by 10 to 13 %.
    Product whole = isWide ? new Product(128, 128, 64, 64) : new Product(128, 128, 64, 32);
    if (rows.inBytes() >= 2 * MOST_UNITS * 16 && whole.hasManyBlocks(lookup, outRow)) {
      return whole;
    }
    // Few channels in and many out: a 1x1 convolution's time is that of writing (40 % less than by
    // blocks of 128x128); a larger kernel's is that of reading the slabs, which longer ones do
    // best.
    if ((units == MOST_UNITS || lookup.taps() == 1) && half.hasManyBlocks(lookup, outRow)) {
      return half;
    }
    Product square = new Product(64, 64, 32, 32);
    if (lookup.taps() == 1 && square.hasManyBlocks(lookup, outRow)) {
      return square;
    }
    Product tall = new Product(256, 32, 64, 32);
    if (tall.hasManyBlocks(lookup, outRow)) {
      return tall;
    }
    Product low = new Product(128, 32, 32, 32);
    return low.hasManyBlocks(lookup, outRow) ? low : smallest(rows, units);
  }

  private static boolean isOneForEach(int blocks) {
    return blocks <= PROCESSORS && blocks > PROCESSORS / 2;
  }

  private static Product smallest(Rows rows, int units) {
    if (rows.outRow() < 32) {
      return new Product(128, rows.outRow(), 32, rows.outRow());
    }
    return units == MOST_UNITS && rows.elementBytes() == 2
        ? new Product(64, 32, 32, 32)
        : new Product(64, 32, 16, 32);
  }

  /**
   * The most taps at once, then the most stages, with which each processor holds its share of the
   * blocks at the same time; null if not even one of them fits.
   */
  private static GatherTile fitting(Rows rows, Product product, int units, int sharedMemory) {
    int taps = paddedTaps(rows.lookup().taps(), units);
    int slabRows = rows.lookup().slabRows(product.pixels());
    for (int together = together(rows, product); together >= 1; together--) {
      int limit = ResidentBlocks.sharedBytes(sharedMemory, together);
      for (int part = 1; part <= 4; part++) {
        int stageTaps = part == 4 ? 1 : ConvolutionLookup.ceil(taps, part);
        for (int stages = MOST_STAGES; stages >= 2; stages--) {
          GatherTile tile = of(rows, product, units, slabRows, stageTaps, stages);
          if (tile.sharedBytes() <= limit && !tile.waitsForAll(rows)) {
            return tile;
          }
        }
      }
    }
    return null;
  }

  /** How many blocks a processor is to hold at once. */
  private static int together(Rows rows, Product product) {
    int share = ConvolutionLookup.ceil(product.blocks(rows.lookup(), rows.outRow()), PROCESSORS);
    int sums = product.warpPixels() * product.warpChannels() / WARP;
    return Math.min(share, ResidentBlocks.of(product.threads(), sums, rows.elementBytes()));
  }

  /** Whether large weights are one copy, during which nothing else happens. */
  private boolean waitsForAll(Rows rows) {
    int taps = paddedTaps(rows.lookup().taps(), units);
    return rows.inBytes() == units * 16
        && stageTaps >= taps
        && taps > TAPS_OF_A_STEP
        && stageTaps * channels * units * 16 > SMALL_WEIGHTS;
  }

  private static GatherTile of(
      Rows rows, Product product, int units, int slabRows, int wantedTaps, int wantedStages) {
    int taps = paddedTaps(rows.lookup().taps(), units);
    int stageTaps = units == 1 ? paddedTaps(wantedTaps, units) : wantedTaps;
    int chunks = rows.inBytes() / 16 / units;
    int steps = chunks * ConvolutionLookup.ceil(taps, stageTaps);
    int stages = Math.min(wantedStages, steps + 1);
    // Where stages are copied ahead, the phase with the fewest taps is the most chunks ahead.
    int fewest = ConvolutionLookup.ceil(paddedTaps(rows.lookup().fewestTaps(), units), stageTaps);
    int slabs = Math.min(chunks, ConvolutionLookup.ceil(stages - 1, fewest) + 1);
    int tapBytes = product.channels() * units * 16;
    int pipeline =
        units * 16 + slabs * slabRows * units * 16 + Math.min(stages, steps) * stageTaps * tapBytes;
    int result = product.pixels() * (product.channels() + 8) * Float.BYTES;
    return new GatherTile(
        units,
        product.pixels(),
        product.channels(),
        product.warpPixels(),
        product.warpChannels(),
        slabRows,
        slabs,
        stageTaps,
        stages,
        Math.max(pipeline, result));
  }

  /** Where a pixel has one unit, two taps are multiplied at a time. */
  private static int paddedTaps(int taps, int units) {
    return units == 1 ? (taps + 1) / 2 * 2 : taps;
  }

  int threads() {
    return pixels / warpPixels * (channels / warpChannels) * WARP;
  }

  int chunkChannels(int elementBytes) {
    return units * 16 / elementBytes;
  }

  Launch launch(ConvolutionLookup lookup, int outRow) {
    return new Launch(
        ConvolutionLookup.ceil(lookup.pixels(), pixels),
        outRow / channels,
        lookup.phases(),
        threads(),
        sharedBytes);
  }

  /** The bytes of the packed weights. */
  long packedBytes(ConvolutionLookup lookup, int inRow, int outRow, int elementBytes) {
    return (long) lookup.phases()
        * paddedTaps(lookup.taps(), units)
        * inRow
        * outRow
        * elementBytes;
  }

  List<String> defines() {
    return List.of(
        "GATHER_UNITS=" + units,
        "GATHER_PIXELS=" + pixels,
        "GATHER_CHANNELS=" + channels,
        "GATHER_WARP_PIXELS=" + warpPixels,
        "GATHER_WARP_CHANNELS=" + warpChannels);
  }
}
