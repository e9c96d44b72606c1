// Means, sums and maxima over squares of two by two positions, and what spreads over squares.
//
// `fine` maps [N,height,width,C], `coarse` maps [N,height/2,width/2,C]; one thread for a pack of
// channels of one square. Odd sizes leave a rest that no square has.
#include "common.cuh"

// Where a thread's square begins, and what it has of it.
struct Square {
  bool exists;
  bool whole;
  size_t coarse;      // element of the coarse map
  size_t fine[4];     // elements of the fine map, row by row
  bool isThere[4];

  __device__ __forceinline__ Square(
      int images, int height, int width, int rowLength, bool withRest) {
    int rows = withRest ? (height + 1) / 2 : height / 2;
    int columns = withRest ? (width + 1) / 2 : width / 2;
    int packs = rowLength / PACK;
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    exists = i < (long long)images * rows * columns * packs;
    int pack = (int)(i % packs);
    long long rest = i / packs;
    int x = (int)(rest % columns);
    rest /= columns;
    int y = (int)(rest % rows);
    size_t n = rest / rows;
    whole = 2 * y + 1 < height && 2 * x + 1 < width;
    coarse = ((n * (height / 2) + y) * (width / 2) + x) * rowLength + pack * PACK;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int v = 2 * y + k / 2, u = 2 * x + k % 2;
      isThere[k] = v < height && u < width;
      fine[k] = ((n * height + v) * width + u) * rowLength + pack * PACK;
    }
  }
};

// coarse = factor times the sum over squares: 1/4 for means, 1 for the gradient of upsampling.
extern "C" __global__ void __launch_bounds__(256) sum_squares(
    const element* __restrict__ fine, element* __restrict__ coarse, int images, int height,
    int width, int rowLength, float factor) {
  Square square(images, height, width, rowLength, false);
  if (!square.exists) return;
  float v[4][PACK], sum[PACK];
#pragma unroll
  for (int k = 0; k < 4; k++) load_floats(v[k], fine + square.fine[k]);
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    sum[j] = factor * ((v[0][j] + v[1][j]) + (v[2][j] + v[3][j]));
  }
  store_floats(coarse + square.coarse, sum);
}

// fine = factor times the element of the square: 1 for upsampling, 1/4 for the gradient of means.
extern "C" __global__ void __launch_bounds__(256) spread_squares(
    const element* __restrict__ coarse, element* __restrict__ fine, int images, int height,
    int width, int rowLength, float factor) {
  Square square(images, height, width, rowLength, true);
  if (!square.exists) return;
  float v[PACK];
#pragma unroll
  for (int j = 0; j < PACK; j++) v[j] = 0;
  if (square.whole) load_floats(v, coarse + square.coarse);
#pragma unroll
  for (int j = 0; j < PACK; j++) v[j] *= factor;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (square.isThere[k]) store_floats(fine + square.fine[k], v);
  }
}

extern "C" __global__ void __launch_bounds__(256) max_pool(
    const element* __restrict__ fine, element* __restrict__ coarse, int images, int height,
    int width, int rowLength) {
  Square square(images, height, width, rowLength, false);
  if (!square.exists) return;
  float v[4][PACK], largest[PACK];
#pragma unroll
  for (int k = 0; k < 4; k++) load_floats(v[k], fine + square.fine[k]);
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    float m = v[0][j];
#pragma unroll
    for (int k = 1; k < 4; k++) m = v[k][j] > m || v[k][j] != v[k][j] ? v[k][j] : m;
    largest[j] = m;
  }
  store_floats(coarse + square.coarse, largest);
}

// The gradient goes to the first of the largest.
extern "C" __global__ void __launch_bounds__(256) max_pool_gradient(
    const element* __restrict__ fine, const element* __restrict__ gradient,
    element* __restrict__ result, int images, int height, int width, int rowLength) {
  Square square(images, height, width, rowLength, true);
  if (!square.exists) return;
  float v[4][PACK], g[PACK], to[PACK];
  int largest[PACK];
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    g[j] = 0;
    largest[j] = 0;
  }
  if (square.whole) {
    load_floats(g, gradient + square.coarse);
#pragma unroll
    for (int k = 0; k < 4; k++) load_floats(v[k], fine + square.fine[k]);
#pragma unroll
    for (int j = 0; j < PACK; j++) {
      float m = v[0][j];
#pragma unroll
      for (int k = 1; k < 4; k++) {
        if (v[k][j] > m) {
          m = v[k][j];
          largest[j] = k;
        }
      }
    }
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (!square.isThere[k]) continue;
#pragma unroll
    for (int j = 0; j < PACK; j++) to[j] = largest[j] == k ? g[j] : 0.0f;
    store_floats(result + square.fine[k], to);
  }
}
