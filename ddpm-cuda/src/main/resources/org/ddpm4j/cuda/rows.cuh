// Sums over the rows of a feature map by one block: each thread stays at one pack of the channels
// and works on every so-manieth row, so that what it needs of a channel stays in its registers.
#pragma once
#include "common.cuh"

// Where a thread of a block works: at pack `pack` of `packs`, in rows line, line + lines, ...
struct Place {
  int packs;
  int pack;
  int line;
  int lines;
  bool works;

  // `packs` is at most the number of threads; packs from `packsHere` on have no work.
  __device__ __forceinline__ Place(int packs, int packsHere) : packs(packs) {
    pack = threadIdx.x % packs;
    line = threadIdx.x / packs;
    lines = blockDim.x / packs;
    works = line < lines && pack < packsHere;
  }

  // Whether lanes of a warp whose numbers differ by a multiple of `packs` work at the same pack.
  __device__ __forceinline__ bool folds() const {
    return packs < WARP && (packs & (packs - 1)) == 0;
  }
};

// Sums PACK / VALUES channels to one number, over the lanes of a warp where it folds, and puts it
// where sum_of_lines looks: number i of a thread in the ith part of the buffer.
template <int VALUES>
static __device__ __forceinline__ void put_sums(
    const float v[PACK], const Place& place, float* buffer) {
  int lane = threadIdx.x % WARP;
#pragma unroll
  for (int i = 0; i < VALUES; i++) {
    float sum = 0;
#pragma unroll
    for (int j = 0; j < PACK / VALUES; j++) sum += v[i * (PACK / VALUES) + j];
    if (!place.works) sum = 0;
    if (place.folds()) {
      for (int distance = WARP / 2; distance >= place.packs; distance /= 2) {
        sum += __shfl_xor_sync(ALL_LANES, sum, distance);
      }
      if (lane < place.packs) {
        buffer[i * blockDim.x + threadIdx.x / WARP * place.packs + lane] = sum;
      }
    } else if (place.works) {
      buffer[i * blockDim.x + threadIdx.x] = sum;
    }
  }
}

template <int VALUES>
static __device__ __forceinline__ void sum_of_lines(
    const Place& place, int channelsPerResult, int results, const float* buffer, float* result) {
  int warps = blockDim.x / WARP;
  int lane = threadIdx.x % WARP;
  int lines = place.folds() ? warps : place.lines;
  int entries = channelsPerResult * VALUES / PACK;
  for (int k = threadIdx.x / WARP; k < results; k += warps) {
    float sum = 0;
    for (int i = lane; i < entries * lines; i += WARP) {
      int line = i / entries;
      int entry = k * entries + i - line * entries;
      sum += buffer[entry % VALUES * blockDim.x + line * place.packs + entry / VALUES];
    }
    sum = warp_sum(sum);
    if (lane == 0) result[k] = sum;
  }
}

// result[k] = sum over the block of the channels k * channelsPerResult to (k + 1) *
// channelsPerResult - 1, of which each thread has PACK ones in v; channels that are padding must be
// 0 there. All threads call it, and see the results. The buffer has place for sum_buffer_values()
// floats of each thread.
static __device__ __forceinline__ void sum_over_rows(
    const float v[PACK], const Place& place, int channelsPerResult, int results, float* buffer,
    float* result) {
  __syncthreads();  // an earlier sum may still be read
  if (results == 1) {
    float sum = 0;
#pragma unroll
    for (int j = 0; j < PACK; j++) sum += v[j];
    sum = block_sum(place.works ? sum : 0.0f);
    if (threadIdx.x == 0) result[0] = sum;
  } else if (channelsPerResult % PACK == 0) {
    put_sums<1>(v, place, buffer);
    __syncthreads();
    sum_of_lines<1>(place, channelsPerResult, results, buffer, result);
  } else if (channelsPerResult * 2 == PACK) {
    put_sums<2>(v, place, buffer);
    __syncthreads();
    sum_of_lines<2>(place, channelsPerResult, results, buffer, result);
  } else {
    put_sums<PACK>(v, place, buffer);
    __syncthreads();
    sum_of_lines<PACK>(place, channelsPerResult, results, buffer, result);
  }
  __syncthreads();
}
