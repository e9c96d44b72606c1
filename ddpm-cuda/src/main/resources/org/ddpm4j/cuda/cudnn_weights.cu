// Weights of convolutions between the network's layout, float [kH,kW,iC,oC], and cuDNN's, element
// [oC padded][kH,kW][iC padded], whose padding is zero.
#include "common.cuh"

// Between the two lies a transposition for each tap, done in tiles by way of shared memory, so that
// the threads of a warp read and write neighbours on both sides.
constexpr int TILE_INNER = 2 * WARP;
constexpr int TILE_OUTER = WARP;

// One tap of TILE_INNER inner and TILE_OUTER outer channels.
struct Tile {
  int tap;
  int inner;  // the first
  int outer;

  __device__ __forceinline__ Tile(int number, int innerPadded, int outerPadded) {
    int tilesOfInner = (innerPadded + TILE_INNER - 1) / TILE_INNER;
    int tilesOfOuter = (outerPadded + TILE_OUTER - 1) / TILE_OUTER;
    outer = number % tilesOfOuter * TILE_OUTER;
    inner = number / tilesOfOuter % tilesOfInner * TILE_INNER;
    tap = number / tilesOfOuter / tilesOfInner;
  }
};

static __device__ __forceinline__ int tiles(int taps, int innerPadded, int outerPadded) {
  return taps * ((innerPadded + TILE_INNER - 1) / TILE_INNER) *
      ((outerPadded + TILE_OUTER - 1) / TILE_OUTER);
}

// Two elements side by side.
struct __align__(2 * sizeof(element)) Pair {
  element first;
  element second;
};

// By row blockIdx.y of a table. w: float [taps,inner,outer]; packed: element [outerPadded,taps,innerPadded].
extern "C" __global__ void __launch_bounds__(256) pack_weights(const long long* table) {
  __shared__ float tile[TILE_INNER][TILE_OUTER + 1];
  const long long* row = table + blockIdx.y * PACKING_ROW;
  const float* w = (const float*)row[0];
  element* packed = (element*)row[1];
  const int taps = (int)row[2], inner = (int)row[3], outer = (int)row[4];
  const int innerPadded = (int)row[5], outerPadded = (int)row[6];
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  const int all = tiles(taps, innerPadded, outerPadded);
  for (int number = blockIdx.x; number < all; number += gridDim.x) {
    const Tile at(number, innerPadded, outerPadded);
    __syncthreads();  // the tile before may still be read
#pragma unroll 4
    for (int i = warp; i < TILE_INNER; i += warps) {
      int in = at.inner + i, out = at.outer + lane;
      tile[i][lane] = in < inner && out < outer ? w[((size_t)at.tap * inner + in) * outer + out] : 0.0f;
    }
    __syncthreads();
    for (int o = warp; o < TILE_OUTER; o += warps) {
      int in = at.inner + 2 * lane, out = at.outer + o;
      if (in < innerPadded && out < outerPadded) {
        *reinterpret_cast<Pair*>(packed + ((size_t)out * taps + at.tap) * innerPadded + in) = {
            to_element(tile[2 * lane][o]), to_element(tile[2 * lane + 1][o])};
      }
    }
  }
}

// Adds a gradient in cuDNN's layout to the network's.
extern "C" __global__ void __launch_bounds__(256) add_packed_gradient(
    const element* packed, float* w, int taps, int inner, int outer, int innerPadded) {
  __shared__ float tile[TILE_INNER][TILE_OUTER + 1];
  const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
  const int all = tiles(taps, inner, outer);
  for (int number = blockIdx.x; number < all; number += gridDim.x) {
    const Tile at(number, inner, outer);
    __syncthreads();  // the tile before may still be read
    for (int o = warp; o < TILE_OUTER; o += warps) {
      int in = at.inner + 2 * lane, out = at.outer + o;
      if (in < inner && out < outer) {
        // The padding makes rows of an even number of elements.
        Pair pair = *reinterpret_cast<const Pair*>(
            packed + ((size_t)out * taps + at.tap) * innerPadded + in);
        tile[2 * lane][o] = to_float(pair.first);
        tile[2 * lane + 1][o] = to_float(pair.second);
      }
    }
    __syncthreads();
#pragma unroll 4
    for (int i = warp; i < TILE_INNER; i += warps) {
      int in = at.inner + i, out = at.outer + lane;
      if (in < inner && out < outer) w[((size_t)at.tap * inner + in) * outer + out] += tile[i][lane];
    }
  }
}

// By row blockIdx.y of a table. bias: float [channels]; padded: element [paddedChannels], with zeros behind.
extern "C" __global__ void pad_bias(const long long* table) {
  const long long* row = table + blockIdx.y * PACKING_ROW;
  const float* bias = (const float*)row[0];
  element* padded = (element*)row[1];
  const int channels = (int)row[2], paddedChannels = (int)row[3];
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < paddedChannels; i += gridDim.x * blockDim.x) {
    padded[i] = to_element(i < channels ? bias[i] : 0.0f);
  }
}

// y += bias (+ residual, if not null); y and residual: rows of rowLength elements, one thread a pack of 16 bytes.
extern "C" __global__ void add_bias(element* y, const element* bias, const element* residual, long long packs,
                                    int rowLength) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= packs) return;
  float values[PACK], shift[PACK];
  load_floats(values, y + i * PACK);
  load_floats(shift, bias + i * PACK % rowLength);
#pragma unroll
  for (int k = 0; k < PACK; k++) values[k] += shift[k];
  if (residual != 0) {
    load_floats(shift, residual + i * PACK);
#pragma unroll
    for (int k = 0; k < PACK; k++) values[k] += shift[k];
  }
  store_floats(y + i * PACK, values);
}
