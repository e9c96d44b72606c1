// What convolution_bench.cu and checks by hand need to launch the templates of convolution.cu: the host's
// arithmetic, as ConvolutionKernels has it in Java, with tiles given.
#pragma once
#include <algorithm>
#include <cstdio>
#include <vector>

struct Shape {
  int images, inHeight, inWidth, inChannels, outChannels, kernel, stride, padding, endPadding;
  bool transposed;

  int out(int size) const {
    return transposed ? (size - 1) * stride - 2 * padding + kernel
                      : (size + padding + endPadding - kernel) / stride + 1;
  }
  int outHeight() const { return out(inHeight); }
  int outWidth() const { return out(inWidth); }

  // What gathers the gradient by data: the same lookups the other way round.
  Shape reversed() const {
    Shape r = *this;
    r.inHeight = outHeight();
    r.inWidth = outWidth();
    std::swap(r.inChannels, r.outChannels);
    r.transposed = !transposed;
    return r;
  }
};

inline int row_length(int channels) {
  return channels <= 8 ? 8 : channels <= 16 ? 16 : (channels + 31) / 32 * 32;
}

inline int up(int a, int b) { return (a + b - 1) / b; }

struct HostAxis {
  int remainder, taps, offset;
  HostAxis(int phase, int kernel, int stride, int padding) {
    remainder = (phase + padding) % stride;
    taps = remainder < kernel ? up(kernel - remainder, stride) : 0;
    offset = (phase + padding - remainder) / stride - (taps - 1);
  }
};

// The most input pixels that `tile` consecutive output pixels need.
inline int slab_rows(int images, int inHeight, int inWidth, int outHeight, int outWidth, int kernelHeight,
                     int kernelWidth, int step, int offsetY, int offsetX, int tile) {
  auto clamp = [](int x, int low, int high) { return std::min(std::max(x, low), high); };
  auto edge = [&](int p, int beyondY, int beyondX, int afterwards) {
    int ox = p % outWidth, oy = p / outWidth % outHeight, n = p / outWidth / outHeight;
    int iy = oy * step + offsetY + beyondY, ix = ox * step + offsetX + beyondX;
    int x = iy < 0 || iy >= inHeight ? 0 : clamp(ix, 0, inWidth);
    (void)afterwards;
    return (n * inHeight + clamp(iy, 0, inHeight)) * inWidth + x;
  };
  long long pixels = (long long)images * outHeight * outWidth;
  int most = 1;
  for (long long p = 0; p < pixels; p += tile) {
    int last = (int)std::min(p + tile, pixels) - 1;
    most = std::max(most, edge(last, kernelHeight - 1, kernelWidth, 1) - edge((int)p, 0, 0, 0));
  }
  return most;
}

struct GatherPlan {
  int units, blockPixels, blockChannels, inRow, outRow, phases, taps, slabRows, slabs, stageTaps, stages;
  int gridX, gridY, shared;
  size_t packedElements;

  GatherPlan(const Shape& s, int elementBytes, int units, int blockPixels, int blockChannels, int stageTaps, int stages)
      : units(units), blockPixels(blockPixels), blockChannels(blockChannels), stages(stages) {
    inRow = row_length(s.inChannels);
    outRow = row_length(s.outChannels);
    int spread = s.transposed ? s.stride : 1;
    phases = spread * spread;
    taps = s.transposed ? up(s.kernel, s.stride) * up(s.kernel, s.stride) : s.kernel * s.kernel;
    if (units == 1) {
      taps = up(taps, 2) * 2;
      stageTaps = up(stageTaps, 2) * 2;
    }
    this->stageTaps = std::min(stageTaps, taps);
    slabRows = 1;
    gridX = 1;
    for (int phase = 0; phase < phases; phase++) {
      HostAxis y(phase / spread, s.kernel, spread, s.padding), x(phase % spread, s.kernel, spread, s.padding);
      int height = up(s.outHeight() - phase / spread, spread), width = up(s.outWidth() - phase % spread, spread);
      int rows = s.transposed ? slab_rows(s.images, s.inHeight, s.inWidth, height, width, y.taps, x.taps, 1, y.offset,
                                          x.offset, blockPixels)
                              : slab_rows(s.images, s.inHeight, s.inWidth, height, width, s.kernel, s.kernel, s.stride,
                                          -s.padding, -s.padding, blockPixels);
      slabRows = std::max(slabRows, rows);
      gridX = std::max(gridX, up(s.images * height * width, blockPixels));
    }
    gridY = up(outRow, blockChannels);
    int chunks = inRow * elementBytes / 16 / units, perChunk = up(taps, this->stageTaps);
    // The phase with the fewest taps is the most chunks ahead.
    int fewest = s.transposed ? std::max(1, s.kernel / s.stride) * std::max(1, s.kernel / s.stride) : taps;
    slabs = std::min(chunks, up(stages - 1, up(units == 1 ? up(fewest, 2) * 2 : fewest, this->stageTaps)) + 1);
    int stageBytes = this->stageTaps * blockChannels * units * 16;
    shared = units * 16 + slabs * slabRows * units * 16 + std::min(stages, chunks * perChunk) * stageBytes;
    shared = std::max(shared, blockPixels * (blockChannels + 8) * 4);
    packedElements = (size_t)phases * gridY * chunks * taps * blockChannels * units * 16 / elementBytes;
  }
};

struct GradientPlan {
  int inRow, outRow, slabRows, stages, gridY, gridZ, parts, partLength, shared;

  // s: of the plain gathering (a transposed convolution's reversed).
  GradientPlan(const Shape& s, int elementBytes, int units, int blockChannels, int stagePixels, int blocksM, int warpsM,
               int warpsK, int stages, int blocksWanted)
      : stages(stages) {
    inRow = row_length(s.inChannels);
    outRow = row_length(s.outChannels);
    slabRows = slab_rows(s.images, s.inHeight, s.inWidth, s.outHeight(), s.outWidth(), s.kernel, s.kernel, s.stride,
                         -s.padding, -s.padding, stagePixels);
    int chunk = units * 16 / elementBytes, taps = s.kernel * s.kernel;
    gridY = inRow / chunk * up(outRow, blockChannels);
    gridZ = up(up(taps * chunk / 8, 2), blocksM * warpsM);
    int stagesInAll = up(s.images * s.outHeight() * s.outWidth(), stagePixels);
    parts = std::max(1, std::min(stagesInAll, up(blocksWanted, gridY * gridZ)));
    partLength = taps * s.inChannels * s.outChannels + s.outChannels;
    int stageBytes = stagePixels * 8 + stagePixels * blockChannels * elementBytes + slabRows * units * 16;
    shared = units * 16 + stages * stageBytes;
    int columns = blockChannels / 8;
    shared = std::max(shared, warpsM * 32 * (blocksM * columns + columns) * 4 * 4 * (warpsK > 1));
  }
};
