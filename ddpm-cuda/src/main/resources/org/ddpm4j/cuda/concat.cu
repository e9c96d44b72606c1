// Concatenation of maps along the channels, and its gradient, which takes them apart.
//
// One thread for each 16 bytes of what is written. Where the seam lies at a multiple of half as many
// bytes, as between 28 and 28 channels of bfloat16, it copies two halves, each from one side.
#include "common.cuh"

constexpr int HALF = PACK / 2;

static __device__ __forceinline__ uint2 load_half(const element* from) {
  return *reinterpret_cast<const uint2*>(from);
}

// Channels c to c + PACK - 1 of a row, of which those from `length` on are 0; c may lie anywhere.
static __device__ __forceinline__ Pack gather(const element* row, int c, int length) {
  if (c % PACK == 0 && c + PACK <= length) return load_pack(row + c);
  Pack pack = zero_pack();
  if (c % HALF == 0) {
    if (c >= 0 && c + HALF <= length) {
      uint2 half = load_half(row + c);
      pack.words.x = half.x;
      pack.words.y = half.y;
      c += HALF;
      if (c + HALF <= length) {
        half = load_half(row + c);
        pack.words.z = half.x;
        pack.words.w = half.y;
        return pack;
      }
      c -= HALF;
    }
  }
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    if (c + j >= 0 && c + j < length) pack.v[j] = row[c + j];
  }
  return pack;
}

// y = [a | b]: rows of rowA, rowB and rowY elements.
extern "C" __global__ void __launch_bounds__(256) concat_channels(
    const element* __restrict__ a, const element* __restrict__ b, element* __restrict__ y,
    long long rows, int channelsA, int rowA, int channelsB, int rowB, int rowY) {
  int packs = rowY / PACK;
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * packs; i += step) {
    long long row = i / packs;
    int c = (int)(i - row * packs) * PACK;
    const element* ofA = a + row * rowA;
    const element* ofB = b + row * rowB;
    Pack pack;
    if (c + PACK <= channelsA) {
      pack = load_pack(ofA + c);
    } else if (c >= channelsA) {
      pack = gather(ofB, c - channelsA, channelsB);
    } else {
      // The seam lies within.
      pack = gather(ofA, c, channelsA);
      if (channelsA % HALF == 0 && HALF <= channelsB) {
        uint2 half = load_half(ofB);
        pack.words.z = half.x;
        pack.words.w = half.y;
      } else {
#pragma unroll
        for (int j = 0; j < PACK; j++) {
          int k = c + j - channelsA;
          if (k >= 0 && k < channelsB) pack.v[j] = ofB[k];
        }
      }
    }
    store_pack(y + row * rowY + c, pack);
  }
}

// a = the first channels of x, b = the rest; either may be null.
extern "C" __global__ void __launch_bounds__(256) split_channels(
    const element* __restrict__ x, element* __restrict__ a, element* __restrict__ b,
    long long rows, int channelsA, int rowA, int channelsB, int rowB, int rowX) {
  int packsA = a == nullptr ? 0 : rowA / PACK;
  int packs = packsA + (b == nullptr ? 0 : rowB / PACK);
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * packs; i += step) {
    long long row = i / packs;
    int k = (int)(i - row * packs);
    const element* from = x + row * rowX;
    if (k < packsA) {
      store_pack(a + row * rowA + k * PACK, gather(from, k * PACK, channelsA));
    } else {
      int c = (k - packsA) * PACK;
      store_pack(b + row * rowB + c, gather(from, channelsA + c, channelsA + channelsB));
    }
  }
}

// y [N,A+B] = [a | b], dense.
extern "C" __global__ void __launch_bounds__(256) concat_vectors(
    const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ y, int n,
    int widthA, int widthB) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  int width = widthA + widthB;
  if (k >= n * width) return;
  int row = k / width;
  int c = k - row * width;
  y[k] = c < widthA ? a[(size_t)row * widthA + c] : b[(size_t)row * widthB + c - widthA];
}

// a = the first columns of x [N,A+B], b = the rest; either may be null.
extern "C" __global__ void __launch_bounds__(256) split_vectors(
    const float* __restrict__ x, float* __restrict__ a, float* __restrict__ b, int n, int widthA,
    int widthB) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  int width = widthA + widthB;
  if (k >= n * width) return;
  int row = k / width;
  int c = k - row * width;
  if (c < widthA) {
    if (a != nullptr) a[(size_t)row * widthA + c] = x[k];
  } else if (b != nullptr) {
    b[(size_t)row * widthB + c - widthA] = x[k];
  }
}
