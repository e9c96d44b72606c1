package org.ddpm4j.cuda;

import java.util.List;
import java.util.Locale;

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

  /** The processors of a large card. */
  private static final int PROCESSORS = 132;

  private static final long LARGEST_SCRATCH = 64L << 20;
  private static final int MOST_WARPS = 9;

  /** The rows of a 3x3 kernel and 32 channels, in blocks of 16. */
  private static final int BLOCKS_OF_3X3 = 18;

  /** From so many products of 128 pixels, 32 channels and 32 channels on, registers count most. */
  private static final int HEAVY = 8192;

  /** Up to so many tiles of 64 channels, a few parts keep a card busy. */
  private static final int FEW_TILES = 8;

  /** With fewer warps, a processor needs all blocks that it can hold. */
  private static final int FEW_WARPS = 4;

  private static final int WARP = 32;

  /** The sizes of a block's product, and how its warps divide it. */
  private record Product(int chunk, int channels, int blocks, int warps, int pixelWarps) {

    int threads() {
      return warps * pixelWarps * WARP;
    }

    int together(int elementBytes) {
      return ResidentBlocks.of(threads(), blocks * channels / 2, elementBytes);
    }
  }

  /** Which tile suits a plain lookup; rows are those of padded maps, in elements. */
  static WeightGradientTile of(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int sharedMemory) {
    int most = 256 / elementBytes;
    Product product = fastest(lookup, inRow, outRow, elementBytes, most);
    for (int together = product.together(elementBytes); together >= 1; together--) {
      int limit = ResidentBlocks.sharedBytes(sharedMemory, together);
      for (int pixels = most; pixels >= (together > 1 ? most : 32); pixels /= 2) {
        for (int stages = 3; stages >= 2; stages--) {
          WeightGradientTile tile = of(lookup, product, elementBytes, pixels, stages);
          if (tile.sharedBytes() <= limit) {
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
   * that; smaller kernels than 3x3 and most of float have the general one.
   */
  private static Product fastest(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int stagePixels) {
    Product general = general(lookup, inRow, outRow, elementBytes, stagePixels);
    int rowBlocks = ConvolutionLookup.ceil(lookup.taps() * general.chunk() / 8, 2);
    if (elementBytes != 2 && rowBlocks >= BLOCKS_OF_3X3 && outRow % 64 == 0) {
      // Each gathered float is looked up for twice as many channels: 7 % of a wide network's step.
      return new Product(general.chunk(), 64, 3, 6, 1);
    }
    if (elementBytes != 2 || rowBlocks < BLOCKS_OF_3X3 || general.chunk() < 32 || outRow < 32) {
      return general;
    }
    int stages = ConvolutionLookup.ceil(lookup.pixels(), stagePixels);
    int tiles = inRow / 32 * (outRow / 32);
    // The widest networks: few warps of many rows read the dense map least (12 % less time).
    if (tiles * stages >= HEAVY) {
      return new Product(32, 32, 6, 3, 1);
    }
    // 64 channels at once read the gathered map half as often (5 to 10 % less time).
    int tilesOf64 = tiles / 2 * ConvolutionLookup.ceil(rowBlocks, 2 * MOST_WARPS);
    if (outRow % 64 == 0 && tilesOf64 <= FEW_TILES) {
      return new Product(32, 64, 2, MOST_WARPS, 1);
    }
    if (rowBlocks > BLOCKS_OF_3X3) {
      return general;
    }
    if (outRow % 64 == 0) {
      return new Product(32, 32, 3, 6, 1);
    }
    return inRow % 64 == 0
        ? new Product(64, 32, 4, MOST_WARPS, 1)
        : new Product(32, 32, 2, MOST_WARPS, 2);
  }

  private static Product general(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int stagePixels) {
    int taps = lookup.taps();
    int widest = taps == 1 && elementBytes == 2 ? 64 : 32;
    int chunk = widest(inRow, widest);
    int rowBlocks = ConvolutionLookup.ceil(taps * chunk / 8, 2);
    int blocks = rowBlocks <= 4 ? 1 : rowBlocks <= 20 ? 2 : 4;
    int warps = Math.min(MOST_WARPS, ConvolutionLookup.ceil(rowBlocks, blocks));
    int pixelsPerStep = elementBytes == 2 ? 16 : 8;
    int pixelWarps = Math.min(stagePixels / pixelsPerStep, warps <= 2 ? 4 : warps <= 4 ? 2 : 1);
    return new Product(chunk, widest(outRow, widest), blocks, warps, pixelWarps);
  }

  private static WeightGradientTile of(
      ConvolutionLookup lookup, Product product, int elementBytes, int pixels, int stages) {
    int slabRows = lookup.slabRows(pixels);
    int unitBytes = product.chunk() * elementBytes;
    int stage = pixels * (8 + product.channels() * elementBytes) + slabRows * unitBytes;
    int sums = (product.blocks() + 1) * product.channels() / 8 * 4;
    int exchange = product.pixelWarps() > 1 ? product.warps() * WARP * sums * Float.BYTES : 0;
    return new WeightGradientTile(
        unitBytes / 16,
        product.channels(),
        pixels,
        product.blocks(),
        product.warps(),
        product.pixelWarps(),
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

  /**
   * How many blocks share the pixels: by the shapes alone, so that sums come out the same. Each
   * part is written and read again, so that two blocks for each processor suffice if these have
   * enough warps; blocks beyond those that run at once would wait for all of these to end.
   */
  int parts(
      ConvolutionLookup lookup,
      int inRow,
      int outRow,
      int elementBytes,
      long partLength,
      int sharedMemory) {
    int tiles = tilesOfChannels(inRow, outRow, elementBytes) * tilesOfTaps(lookup, elementBytes);
    int together = together(elementBytes, sharedMemory);
    int enough = warps * pixelWarps < FEW_WARPS ? together : Math.min(together, 2);
    int wanted = ConvolutionLookup.ceil(PROCESSORS * enough, tiles);
    int atOnce = Math.max(1, PROCESSORS * together / tiles);
    int stagesInAll = ConvolutionLookup.ceil(lookup.pixels(), pixels);
    long limit = Math.max(1, LARGEST_SCRATCH / (partLength * Float.BYTES));
    return (int) Math.min(limit, Math.min(Math.min(wanted, atOnce), stagesInAll));
  }

  /** The blocks that a processor holds at once. */
  private int together(int elementBytes, int sharedMemory) {
    int sums = blocks * channels / 2;
    int together = ResidentBlocks.of(warps * pixelWarps * WARP, sums, elementBytes);
    while (together > 1 && sharedBytes > ResidentBlocks.sharedBytes(sharedMemory, together)) {
      together--;
    }
    return together;
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
