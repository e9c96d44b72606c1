// Tiles of feature maps in shared memory, and their products by the matrix units.
//
// A tile has rows of D elements, D a power of two from 32 to 256, without gaps; the packs of 16 bytes
// of a row are permuted by the row's number ("swizzled"), so that eight threads that read the same
// pack of eight rows find it in different banks.
//
// Products take a Left operand of 16 x 16 and a Right one of 16 x 8, and add to a sum of 16 x 8. Of
// each, a thread holds pairs of neighbours of one row (of the left operand and the sum) or of one column
// (of the right operand). With g = lane / 4 and t = lane % 4:
//   Left  pair i: row g + 8 (i % 2), columns 2 t + 8 (i / 2) and the next
//   Right pair i: rows 2 t + 8 i and the next, column g
//   sum   [0], [1]: row g, columns 2 t and the next; [2], [3]: the same of row g + 8
// so that two sums side by side have the layout of a Left. This is what m16n8k16 of bfloat16 has; for
// float it takes two m16n8k8 of TF32 whose inner index is permuted: what they call inner index t is
// ours 2 t, and t + 4 is 2 t + 1.
#pragma once
#include "common.cuh"

#if defined(ELEMENT_BFLOAT16)
struct Left {
  unsigned pair[4];
};
struct Right {
  unsigned pair[2];
};
#else
struct __align__(8) Pair {
  float value[2];
};
struct Left {
  Pair pair[4];
};
struct Right {
  Pair pair[2];
};
#endif

/** Two elements side by side. */
struct __align__(2 * sizeof(element)) ElementPair {
  element value[2];
};

static __device__ __forceinline__ int lane_index() { return threadIdx.x % WARP; }

static __device__ __forceinline__ float minus_infinity() { return __int_as_float(0xff800000); }

/** The maximum over the four threads that hold a row of a sum, or of a Left. */
static __device__ __forceinline__ float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 1));
  return fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 2));
}

static __device__ __forceinline__ float quad_sum(float x) {
  x += __shfl_xor_sync(ALL_LANES, x, 1);
  return x + __shfl_xor_sync(ALL_LANES, x, 2);
}

/** The maximum over the eight threads that hold a column of a sum, or of a Left. */
static __device__ __forceinline__ float column_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 4));
  x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 8));
  return fmaxf(x, __shfl_xor_sync(ALL_LANES, x, 16));
}

static __device__ __forceinline__ float column_sum(float x) {
  x += __shfl_xor_sync(ALL_LANES, x, 4);
  x += __shfl_xor_sync(ALL_LANES, x, 8);
  return x + __shfl_xor_sync(ALL_LANES, x, 16);
}

/** Where an element of a tile lies. */
template <int D>
static __device__ __forceinline__ element* place(element* tile, int row, int column) {
  constexpr int packs = D / PACK;
  int swizzle = packs >= 8 ? row & 7 : (row >> 1) & (packs - 1);
  return tile + row * D + ((column / PACK) ^ swizzle) * PACK + column % PACK;
}

template <int D>
static __device__ __forceinline__ const element* place(const element* tile, int row, int column) {
  return place<D>(const_cast<element*>(tile), row, column);
}

#if defined(ELEMENT_BFLOAT16)

static __device__ __forceinline__ void set_pair(unsigned& pair, float x, float y) {
  pair = to_bfloat16x2(x, y);
}

static __device__ __forceinline__ float pair_value(const unsigned& pair, int i) {
  // A bfloat16 is the upper half of a float.
  return __uint_as_float(i == 0 ? pair << 16 : pair & 0xffff0000u);
}

/** Rows of the tile from `row` are the operand's rows. */
template <int D>
static __device__ __forceinline__ void load_left(Left& left, const element* tile, int row, int column) {
  int lane = lane_index();
  ldmatrix_x4(left.pair, place<D>(tile, row + (lane & 15), column + 8 * (lane >> 4)));
}

/** Rows of the tile from `row` are the operand's columns. */
template <int D>
static __device__ __forceinline__ void load_left_transposed(Left& left, const element* tile, int row, int column) {
  int lane = lane_index();
  ldmatrix_x4_trans(
      left.pair,
      place<D>(tile, row + (lane & 7) + 8 * (lane >> 4), column + 8 * ((lane >> 3) & 1)));
}

/** Two operands side by side; rows of the tile from `row` are their rows. */
template <int D>
static __device__ __forceinline__ void load_right(Right right[2], const element* tile, int row, int column) {
  int lane = lane_index();
  unsigned r[4];
  ldmatrix_x4_trans(r, place<D>(tile, row + (lane & 15), column + 8 * (lane >> 4)));
  right[0].pair[0] = r[0];
  right[0].pair[1] = r[1];
  right[1].pair[0] = r[2];
  right[1].pair[1] = r[3];
}

/** Two operands side by side; rows of the tile from `row` are their columns. */
template <int D>
static __device__ __forceinline__ void load_right_transposed(
    Right right[2], const element* tile, int row, int column) {
  int lane = lane_index();
  unsigned r[4];
  ldmatrix_x4(
      r, place<D>(tile, row + (lane & 7) + 8 * (lane >> 4), column + 8 * ((lane >> 3) & 1)));
  right[0].pair[0] = r[0];
  right[0].pair[1] = r[1];
  right[1].pair[0] = r[2];
  right[1].pair[1] = r[3];
}

static __device__ __forceinline__ void multiply_add(float sum[4], const Left& left, const Right& right) {
  mma_bf16_16816(sum, left.pair, right.pair);
}

#else

static __device__ __forceinline__ void set_pair(Pair& pair, float x, float y) {
  pair.value[0] = x;
  pair.value[1] = y;
}

static __device__ __forceinline__ float pair_value(const Pair& pair, int i) { return pair.value[i]; }

template <int D>
static __device__ __forceinline__ void load_left(Left& left, const element* tile, int row, int column) {
  int lane = lane_index();
#pragma unroll
  for (int i = 0; i < 4; i++) {
    left.pair[i] = *reinterpret_cast<const Pair*>(
        place<D>(tile, row + (lane >> 2) + 8 * (i & 1), column + 2 * (lane & 3) + 8 * (i >> 1)));
  }
}

template <int D>
static __device__ __forceinline__ void load_left_transposed(Left& left, const element* tile, int row, int column) {
  int lane = lane_index();
#pragma unroll
  for (int i = 0; i < 4; i++) {
    int r = row + 2 * (lane & 3) + 8 * (i >> 1);
    int c = column + (lane >> 2) + 8 * (i & 1);
    set_pair(left.pair[i], *place<D>(tile, r, c), *place<D>(tile, r + 1, c));
  }
}

template <int D>
static __device__ __forceinline__ void load_right(Right right[2], const element* tile, int row, int column) {
  int lane = lane_index();
#pragma unroll
  for (int i = 0; i < 4; i++) {
    int r = row + 2 * (lane & 3) + 8 * (i & 1);
    int c = column + (lane >> 2) + 8 * (i >> 1);
    set_pair(right[i >> 1].pair[i & 1], *place<D>(tile, r, c), *place<D>(tile, r + 1, c));
  }
}

template <int D>
static __device__ __forceinline__ void load_right_transposed(
    Right right[2], const element* tile, int row, int column) {
  int lane = lane_index();
#pragma unroll
  for (int i = 0; i < 4; i++) {
    right[i >> 1].pair[i & 1] = *reinterpret_cast<const Pair*>(
        place<D>(tile, row + (lane >> 2) + 8 * (i >> 1), column + 2 * (lane & 3) + 8 * (i & 1)));
  }
}

/** What rounding to TF32 left out, rounded itself. */
static __device__ __forceinline__ unsigned rest_of_tf32(float x) { return to_tf32(x - __uint_as_float(to_tf32(x))); }

/** With PRODUCT_TF32 in one product; otherwise in three, which keep 21 bits of each factor. */
static __device__ __forceinline__ void multiply_add(float sum[4], const Left& left, const Right& right) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const Pair& upper = left.pair[2 * h];
    const Pair& lower = left.pair[2 * h + 1];
    const Pair& r = right.pair[h];
    unsigned a[4] = {
        to_tf32(upper.value[0]), to_tf32(lower.value[0]),
        to_tf32(upper.value[1]), to_tf32(lower.value[1])};
    unsigned b[2] = {to_tf32(r.value[0]), to_tf32(r.value[1])};
#if !defined(PRODUCT_TF32)
    unsigned restOfA[4] = {
        rest_of_tf32(upper.value[0]), rest_of_tf32(lower.value[0]),
        rest_of_tf32(upper.value[1]), rest_of_tf32(lower.value[1])};
    unsigned restOfB[2] = {rest_of_tf32(r.value[0]), rest_of_tf32(r.value[1])};
    mma_tf32_1688(sum, restOfA, b);
    mma_tf32_1688(sum, a, restOfB);
#endif
    mma_tf32_1688(sum, a, b);
  }
}

#endif

/** Sets the columns from `column` of 16 rows of a tile to a sum of 16 x 8. */
template <int D>
static __device__ __forceinline__ void store_sum(element* tile, int row, int column, const float sum[4]) {
  int lane = lane_index();
#pragma unroll
  for (int half = 0; half < 2; half++) {
    ElementPair pair = {{to_element(sum[2 * half]), to_element(sum[2 * half + 1])}};
    *reinterpret_cast<ElementPair*>(
        place<D>(tile, row + (lane >> 2) + 8 * half, column + 2 * (lane & 3))) = pair;
  }
}

/**
 * What one head of one image has in a map: rows of `width` elements, `stride` apart. The width is a
 * multiple of PACK where tiles are used.
 */
struct Rows {
  element* first;
  int stride;
};

struct ConstRows {
  const element* first;
  int stride;
};

/** Begins to load rows from `row`; those from `end` and columns from `width` become zero. */
template <int D>
static __device__ __forceinline__ void fetch(
    element* tile, ConstRows from, int row, int rows, int end, int width, int thread, int threads) {
  constexpr int packs = D / PACK;
  for (int i = thread; i < rows * packs; i += threads) {
    int r = i / packs;
    int column = i % packs * PACK;
    bool valid = row + r < end && column < width;
    const element* source =
        valid ? from.first + (long long)(row + r) * from.stride + column : from.first;
    cp_async_16(place<D>(tile, r, column), source, valid);
  }
}

/** Stores rows of a tile, but not those from `end`, nor columns from `width`. */
template <int D>
static __device__ __forceinline__ void store(
    Rows to, const element* tile, int row, int rows, int end, int width, int thread, int threads) {
  constexpr int packs = D / PACK;
  for (int i = thread; i < rows * packs; i += threads) {
    int r = i / packs;
    int column = i % packs * PACK;
    if (row + r < end && column < width) {
      store_pack(
          to.first + (long long)(row + r) * to.stride + column,
          load_pack(place<D>(tile, r, column)));
    }
  }
}

/** Waits until at most so many of the last committed copies are under way. */
static __device__ __forceinline__ void wait_for_copies(int under_way) {
  switch (under_way) {
    case 0: cp_async_wait<0>(); break;
    case 1: cp_async_wait<1>(); break;
    case 2: cp_async_wait<2>(); break;
    case 3: cp_async_wait<3>(); break;
    case 4: cp_async_wait<4>(); break;
    case 5: cp_async_wait<5>(); break;
    case 6: cp_async_wait<6>(); break;
    default: cp_async_wait<7>(); break;
  }
}

/** Zeros in the columns from `features` of an image's rows, which are padding. */
static __device__ __forceinline__ void clear_padding(element* rows, int positions, int features, int rowLength) {
  int padding = rowLength - features;
  for (int i = threadIdx.x; i < positions * padding; i += blockDim.x) {
    rows[(long long)(i / padding) * rowLength + features + i % padding] = to_element(0.0f);
  }
}
