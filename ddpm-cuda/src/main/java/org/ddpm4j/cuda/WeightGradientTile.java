package org.ddpm4j.cuda;

import java.util.List;

/**
 * What a block of {@code convolution_weight_gradient} makes.
 *
 * @param units of 16 bytes of each gathered pixel: a chunk of channels
 * @param channels of the dense map
 * @param pixels at a time
 * @param blocks of 16 rows (channels of taps) of each warp
 * @param warps that divide the rows
 * @param pixelWarps that divide the pixels
 * @param slabRows gathered pixels at a time
 * @param stages of pixels at a time
 * @param sharedBytes shared memory for all that
 */
record WeightGradientTile(
    int units,
    int channels,
    int pixels,
    int blocks,
    int warps,
    int pixelWarps,
    int slabRows,
    int stages,
    int sharedBytes) {

  /** Two blocks for each processor of a large card. */
  private static final int BLOCKS_WANTED = 264;

  private static final long LARGEST_SCRATCH = 64L << 20;
  private static final int MOST_WARPS = 9;
  private static final int COMFORTABLE_BYTES = 110 << 10;
  private static final int WARP = 32;

  /** Which tile suits a plain lookup; rows are those of padded maps, in elements. */
  static WeightGradientTile of(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int sharedMemory) {
    WeightGradientTile smallest = null;
    for (int pixels = 256 / elementBytes; pixels >= 32; pixels /= 2) {
      for (int stages = 3; stages >= 2; stages--) {
        smallest = of(lookup, inRow, outRow, elementBytes, pixels, stages);
        if (smallest.sharedBytes() <= Math.min(COMFORTABLE_BYTES, sharedMemory)) {
          return smallest;
        }
      }
    }
    if (smallest.sharedBytes() > sharedMemory) {
      throw new IllegalArgumentException(
          "Images of width %d are too large for a convolution on this card: %d bytes of shared memory."
              .formatted(lookup.inWidth(), sharedMemory));
    }
    return smallest;
  }

  private static WeightGradientTile of(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int pixels, int stages) {
    int taps = lookup.taps();
    int widest = taps == 1 && elementBytes == 2 ? 64 : 32;
    int chunk = widest(inRow, widest);
    int channels = widest(outRow, widest);
    int rowBlocks = ConvolutionLookup.ceil(taps * chunk / 8, 2);
    int blocks = rowBlocks <= 4 ? 1 : rowBlocks <= 20 ? 2 : 4;
    int warps = Math.min(MOST_WARPS, ConvolutionLookup.ceil(rowBlocks, blocks));
    int pixelsPerStep = elementBytes == 2 ? 16 : 8;
    int pixelWarps = Math.min(pixels / pixelsPerStep, warps <= 2 ? 4 : warps <= 4 ? 2 : 1);
    int slabRows = lookup.slabRows(pixels);
    int unitBytes = chunk * elementBytes;
    int stage = pixels * (8 + channels * elementBytes) + slabRows * unitBytes;
    int sums = (blocks + 1) * channels / 8 * 4;
    int exchange = pixelWarps > 1 ? warps * WARP * sums * Float.BYTES : 0;
    return new WeightGradientTile(
        unitBytes / 16,
        channels,
        pixels,
        blocks,
        warps,
        pixelWarps,
        slabRows,
        stages,
        Math.max(unitBytes + stages * stage, exchange));
  }

  private static int widest(int row, int limit) {
    int width = Math.min(row, limit);
    return row % width == 0 ? width : 32;
  }

  private int chunk(int elementBytes) {
    return units * 16 / elementBytes;
  }

  /** How many blocks share the pixels: by the shapes alone, so that sums come out the same. */
  int parts(ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, long partLength) {
    int tiles = tilesOfChannels(inRow, outRow, elementBytes) * tilesOfTaps(lookup, elementBytes);
    long limit = Math.max(1, LARGEST_SCRATCH / (partLength * Float.BYTES));
    int wanted = ConvolutionLookup.ceil(BLOCKS_WANTED, tiles);
    int stagesInAll = ConvolutionLookup.ceil(lookup.pixels(), pixels);
    return (int) Math.max(1, Math.min(limit, Math.min(wanted, stagesInAll)));
  }

  private int tilesOfChannels(int inRow, int outRow, int elementBytes) {
    return inRow / chunk(elementBytes) * (outRow / channels);
  }

  private int tilesOfTaps(ConvolutionLookup lookup, int elementBytes) {
    int rowBlocks = ConvolutionLookup.ceil(lookup.taps() * chunk(elementBytes) / 8, 2);
    return ConvolutionLookup.ceil(rowBlocks, blocks * warps);
  }

  Launch launch(ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int parts) {
    return new Launch(
        parts,
        tilesOfChannels(inRow, outRow, elementBytes),
        tilesOfTaps(lookup, elementBytes),
        warps * pixelWarps * WARP,
        sharedBytes);
  }

  List<String> defines() {
    return List.of(
        "GRADIENT_UNITS=" + units,
        "GRADIENT_CHANNELS=" + channels,
        "GRADIENT_PIXELS=" + pixels,
        "GRADIENT_BLOCKS=" + blocks,
        "GRADIENT_WARPS=" + warps,
        "GRADIENT_WARPS_PIXELS=" + pixelWarps);
  }
}
