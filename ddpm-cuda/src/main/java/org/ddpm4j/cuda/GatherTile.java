package org.ddpm4j.cuda;

import java.util.List;

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

  /** Fewer blocks than that leave processors of a large card idle. */
  private static final int ENOUGH_BLOCKS = 132;

  /** Weights of that size are copied at once: then nobody waits for another copy. */
  private static final int SMALL_WEIGHTS = 40 << 10;

  private static final int STAGE_BYTES = 16 << 10;
  private static final int STAGES = 3;
  private static final int WARP = 32;

  /** The sizes of a block's product. */
  private record Product(int pixels, int channels, int warpPixels, int warpChannels) {}

  /** Which tile suits a lookup; rows are those of padded maps, in elements. */
  static GatherTile of(
      ConvolutionLookup lookup, int inRow, int outRow, int elementBytes, int sharedMemory) {
    Product product = product(lookup, outRow);
    int rowBytes = inRow * elementBytes;
    for (int units = 8; units >= 1; units /= 2) {
      if (rowBytes % (units * 16) == 0) {
        for (int stages = STAGES; stages >= 2; stages--) {
          GatherTile tile = of(lookup, rowBytes, product, units, stages);
          if (tile.sharedBytes() <= sharedMemory) {
            return tile;
          }
        }
      }
    }
    throw new IllegalArgumentException(
        "Images of width %d are too large for a convolution on this card: %d bytes of shared memory."
            .formatted(lookup.inWidth(), sharedMemory));
  }

  private static Product product(ConvolutionLookup lookup, int outRow) {
    if (outRow < 32) {
      return new Product(128, outRow, 32, outRow);
    }
    if (outRow % 128 == 0 && blocks(lookup, outRow, 128, 128) >= 2 * ENOUGH_BLOCKS) {
      return new Product(128, 128, 64, 32);
    }
    if (outRow % 64 == 0 && blocks(lookup, outRow, 128, 64) >= 2 * ENOUGH_BLOCKS) {
      return new Product(128, 64, 64, 32);
    }
    if (outRow % 64 == 0 && blocks(lookup, outRow, 64, 64) >= ENOUGH_BLOCKS) {
      return new Product(64, 64, 32, 32);
    }
    return blocks(lookup, outRow, 128, 32) >= 2 * ENOUGH_BLOCKS
        ? new Product(128, 32, 32, 32)
        : new Product(64, 32, 16, 32);
  }

  private static int blocks(ConvolutionLookup lookup, int outRow, int pixels, int channels) {
    return ConvolutionLookup.ceil(lookup.pixels(), pixels) * lookup.phases() * (outRow / channels);
  }

  private static GatherTile of(
      ConvolutionLookup lookup, int rowBytes, Product product, int units, int stages) {
    int slabRows = lookup.slabRows(product.pixels());
    int taps = paddedTaps(lookup, units);
    int chunks = rowBytes / 16 / units;
    int tapBytes = product.channels() * units * 16;
    int stageTaps =
        taps * chunks * tapBytes <= SMALL_WEIGHTS
            ? taps
            : Math.min(taps, Math.max(1, STAGE_BYTES / tapBytes));
    if (units == 1) {
      stageTaps = (stageTaps + 1) / 2 * 2;
    }
    int perChunk = ConvolutionLookup.ceil(taps, stageTaps);
    int slabs = Math.min(chunks, ConvolutionLookup.ceil(stages - 1, perChunk) + 1);
    int pipeline =
        units * 16
            + slabs * slabRows * units * 16
            + Math.min(stages, chunks * perChunk) * stageTaps * tapBytes;
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
  private static int paddedTaps(ConvolutionLookup lookup, int units) {
    return units == 1 ? (lookup.taps() + 1) / 2 * 2 : lookup.taps();
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
    return (long) lookup.phases() * paddedTaps(lookup, units) * inRow * outRow * elementBytes;
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
