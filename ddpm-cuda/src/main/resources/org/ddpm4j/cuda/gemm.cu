// Products of matrices.
//
// product_xy: c = alpha * op(a) * op(b) (+ c) for every image and head of a batch. x, y: n if a lies
// as [m][k] and b as [k][n], t if a lies as [k][m] and b as [n][k]. Operands are feature maps or parts
// of them (any row stride) or dense float. A block of four warps makes 64 x 64 of c, each warp 32 x 32;
// 64 bytes of k at a time wait in shared memory, the next ones in registers.
#include "common.cuh"

#if !defined(PRODUCT_BF16) && !defined(PRODUCT_TF32) && !defined(PRODUCT_F32)
#define PRODUCT_F32
#endif

constexpr int TILE = 64;
constexpr int K_TILE = 64 / (int)sizeof(element);  // of k: 32 bfloat16 or 16 float
constexpr int PRODUCT_THREADS = 128;

// Rows of a tile in shared memory, with what keeps eight of them in different banks.
constexpr int K_MINOR_ROW = K_TILE + PACK;                                        // [m or n][k]
constexpr int K_MAJOR_ROW = TILE + (sizeof(element) == 2 ? PACK : 2 * PACK);  // [k][m or n]
constexpr int TILE_ELEMENTS =
    TILE * K_MINOR_ROW > K_TILE * K_MAJOR_ROW ? TILE * K_MINOR_ROW : K_TILE * K_MAJOR_ROW;

struct Operand {
  const void* address;
  long long rowStride;
  int isFloat, isAligned;
};

static __device__ inline long long matrix_offset(int images, int heads, long long imageStride, long long headStride) {
  int image = blockIdx.z / heads, head = blockIdx.z % heads;
  return image * imageStride + head * headStride;
}

// PACK elements of a row, zeros outside of rows x columns.
static __device__ inline Pack load_operand(const Operand& x, int row, int column, int rows, int columns) {
  Pack pack = zero_pack();
  if (row >= rows || column >= columns) {
    return pack;
  }
  long long at = row * x.rowStride + column;
  bool whole = x.isAligned && column + PACK <= columns;
  if (x.isFloat) {
    const float* from = (const float*)x.address + at;
    if (whole) {
#pragma unroll
      for (int i = 0; i < PACK; i += 4) {
        float4 four = *(const float4*)(from + i);
        pack.v[i] = to_element(four.x);
        pack.v[i + 1] = to_element(four.y);
        pack.v[i + 2] = to_element(four.z);
        pack.v[i + 3] = to_element(four.w);
      }
    } else {
#pragma unroll
      for (int i = 0; i < PACK; i++) {
        if (column + i < columns) {
          pack.v[i] = to_element(from[i]);
        }
      }
    }
  } else {
    const element* from = (const element*)x.address + at;
    if (whole) {
      return load_pack(from);
    }
#pragma unroll
    for (int i = 0; i < PACK; i++) {
      if (column + i < columns) {
        pack.v[i] = from[i];
      }
    }
  }
  return pack;
}

// The part of an operand that a block needs next: 64 of m or n times K_TILE of k.
template <bool K_MAJOR>
struct TilePart {
  static constexpr int PACKS_OF_ROW = (K_MAJOR ? TILE : K_TILE) / PACK;
  static constexpr int PER_THREAD = TILE * K_TILE / PACK / PRODUCT_THREADS;
  Pack packs[PER_THREAD];

  __device__ void load(const Operand& x, int first, int length, int k, int kLength) {
#pragma unroll
    for (int i = 0; i < PER_THREAD; i++) {
      int index = threadIdx.x + i * PRODUCT_THREADS;
      int row = index / PACKS_OF_ROW, column = index % PACKS_OF_ROW * PACK;
      packs[i] = K_MAJOR ? load_operand(x, k + row, first + column, kLength, length)
                         : load_operand(x, first + row, k + column, length, kLength);
    }
  }

  __device__ void store(element* tile) const {
#pragma unroll
    for (int i = 0; i < PER_THREAD; i++) {
      int index = threadIdx.x + i * PRODUCT_THREADS;
      int row = index / PACKS_OF_ROW, column = index % PACKS_OF_ROW * PACK;
      store_pack(tile + row * (K_MAJOR ? K_MAJOR_ROW : K_MINOR_ROW) + column, packs[i]);
    }
  }
};

template <bool K_MAJOR>
static __device__ inline const element* element_at(const element* tile, int row, int k) {
  return K_MAJOR ? tile + k * K_MAJOR_ROW + row : tile + row * K_MINOR_ROW + k;
}

[[maybe_unused]] static __device__ inline unsigned tf32_at(const element* at) { return to_tf32(to_float(*at)); }

// What a warp adds to its 32 x 32 sums for the K_TILE of k in shared memory.
template <bool A_K_MAJOR, bool B_K_MAJOR>
struct Sums {
#ifdef PRODUCT_F32
  float sum[4][8];
#else
  float sum[2][4][4];
#endif

  __device__ void add(const element* a, const element* b, int warpRow, int warpColumn, int lane) {
#ifdef PRODUCT_F32
#pragma unroll 4
    for (int k = 0; k < K_TILE; k++) {
      float left[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        left[i] = *element_at<A_K_MAJOR>(a, warpRow + (lane >> 2) + 8 * i, k);
      }
#pragma unroll
      for (int j = 0; j < 8; j++) {
        float right = *element_at<B_K_MAJOR>(b, warpColumn + (lane & 3) + 4 * j, k);
#pragma unroll
        for (int i = 0; i < 4; i++) {
          sum[i][j] = fmaf(left[i], right, sum[i][j]);
        }
      }
    }
#elif defined(PRODUCT_BF16)
#pragma unroll
    for (int k = 0; k < K_TILE; k += 16) {
      unsigned left[2][4], right[4][2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        if (A_K_MAJOR) {
          ldmatrix_x4_trans(left[i], element_at<true>(a, warpRow + i * 16 + ((lane >> 3) & 1) * 8,
                                                      k + (lane & 7) + (lane >> 4) * 8));
        } else {
          ldmatrix_x4(left[i], element_at<false>(a, warpRow + i * 16 + (lane & 15), k + (lane >> 4) * 8));
        }
      }
#pragma unroll
      for (int j = 0; j < 4; j += 2) {
        unsigned two[4];
        if (B_K_MAJOR) {
          ldmatrix_x4_trans(two, element_at<true>(b, warpColumn + j * 8 + (lane >> 4) * 8, k + (lane & 15)));
        } else {
          ldmatrix_x4(two, element_at<false>(b, warpColumn + j * 8 + (lane & 7) + (lane >> 4) * 8,
                                             k + ((lane >> 3) & 1) * 8));
        }
        right[j][0] = two[0];
        right[j][1] = two[1];
        right[j + 1][0] = two[2];
        right[j + 1][1] = two[3];
      }
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          mma_bf16_16816(sum[i][j], left[i], right[j]);
        }
      }
    }
#else
    const int group = lane >> 2, quad = lane & 3;
#pragma unroll
    for (int k = 0; k < K_TILE; k += 8) {
      unsigned left[2][4], right[4][2];
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
          left[i][r] = tf32_at(
              element_at<A_K_MAJOR>(a, warpRow + i * 16 + group + (r & 1) * 8, k + quad + (r >> 1) * 4));
        }
      }
#pragma unroll
      for (int j = 0; j < 4; j++) {
#pragma unroll
        for (int r = 0; r < 2; r++) {
          right[j][r] = tf32_at(element_at<B_K_MAJOR>(b, warpColumn + j * 8 + group, k + quad + r * 4));
        }
      }
#pragma unroll
      for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          mma_tf32_1688(sum[i][j], left[i], right[j]);
        }
      }
    }
#endif
  }

  // Into a float tile [64][68].
  __device__ void put(float* tile, int warpRow, int warpColumn, int lane) const {
#ifdef PRODUCT_F32
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
      for (int j = 0; j < 8; j++) {
        tile[(warpRow + (lane >> 2) + 8 * i) * (TILE + 4) + warpColumn + (lane & 3) + 4 * j] = sum[i][j];
      }
    }
#else
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
      for (int j = 0; j < 4; j++) {
        float* at = tile + (warpRow + i * 16 + (lane >> 2)) * (TILE + 4) + warpColumn + j * 8 + (lane & 3) * 2;
        *(float2*)at = make_float2(sum[i][j][0], sum[i][j][1]);
        *(float2*)(at + 8 * (TILE + 4)) = make_float2(sum[i][j][2], sum[i][j][3]);
      }
    }
#endif
  }
};

// One element or PACK of them to c.
template <typename T>
static __device__ inline void write_row(const float* values, T* c, int count, bool accumulate, bool aligned) {
  if (sizeof(T) == sizeof(element) && aligned && count == PACK && !accumulate) {
    store_floats((element*)c, values);
    return;
  }
  for (int i = 0; i < count; i++) {
    float value = values[i] + (accumulate ? to_float(c[i]) : 0.0f);
    if constexpr (sizeof(T) == 4) {
      c[i] = value;
    } else {
      c[i] = to_bfloat16(value);
    }
  }
}

template <bool A_K_MAJOR, bool B_K_MAJOR>
static __device__ inline void product(Operand a, Operand b, void* c, long long cRowStride, int cIsFloat, int cIsAligned,
                                      int m, int n, int k, int heads, int zeroColumns, float alpha, int accumulate) {
  __shared__ union __align__(16) {
    element operands[2][2][TILE_ELEMENTS];
    float result[TILE * (TILE + 4)];
  } memory;
  const int firstRow = blockIdx.x * TILE, firstColumn = blockIdx.y * TILE;
  const int columns = n + ((int)blockIdx.z % heads == heads - 1 ? zeroColumns : 0);
  if (firstColumn >= columns) {
    return;
  }
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int warpRow = warp / 2 * 32, warpColumn = warp % 2 * 32;
  Sums<A_K_MAJOR, B_K_MAJOR> sums = {};
  TilePart<A_K_MAJOR> nextA;
  TilePart<B_K_MAJOR> nextB;
  nextA.load(a, firstRow, m, 0, k);
  nextB.load(b, firstColumn, n, 0, k);
  for (int at = 0, turn = 0; at < k; at += K_TILE, turn ^= 1) {
    nextA.store(memory.operands[turn][0]);
    nextB.store(memory.operands[turn][1]);
    __syncthreads();
    if (at + K_TILE < k) {
      nextA.load(a, firstRow, m, at + K_TILE, k);
      nextB.load(b, firstColumn, n, at + K_TILE, k);
    }
    sums.add(memory.operands[turn][0], memory.operands[turn][1], warpRow, warpColumn, lane);
  }
  __syncthreads();
  sums.put(memory.result, warpRow, warpColumn, lane);
  __syncthreads();
  constexpr int PACKS = TILE / PACK;
  for (int i = threadIdx.x; i < TILE * PACKS; i += PRODUCT_THREADS) {
    int row = i / PACKS, column = i % PACKS * PACK;
    int count = columns - firstColumn - column;
    if (firstRow + row >= m || count <= 0) {
      continue;
    }
    float values[PACK];
#pragma unroll
    for (int v = 0; v < PACK; v++) {
      values[v] = firstColumn + column + v < n ? alpha * memory.result[row * (TILE + 4) + column + v] : 0.0f;
    }
    count = count < PACK ? count : PACK;
    long long at = (firstRow + row) * cRowStride + firstColumn + column;
    if (cIsFloat) {
      write_row(values, (float*)c + at, count, accumulate, cIsAligned);
    } else {
      write_row(values, (element*)c + at, count, accumulate, cIsAligned);
    }
  }
}

static __device__ inline const void* advanced(const void* address, long long elements, int isFloat) {
  return (const char*)address + elements * (isFloat ? 4 : (int)sizeof(element));
}

#define PRODUCT_PARAMETERS                                                                                         \
  const void *a, long long aRow, long long aImage, long long aHead, int aIsFloat, int aIsAligned, const void *b,   \
      long long bRow, long long bImage, long long bHead, int bIsFloat, int bIsAligned, void *c, long long cRow,    \
      long long cImage, long long cHead, int cIsFloat, int cIsAligned, int images, int heads, int m, int n, int k, \
      int zeroColumns, float alpha, int accumulate
#define PRODUCT_ARGUMENTS                                                                                           \
  {advanced(a, matrix_offset(images, heads, aImage, aHead), aIsFloat), aRow, aIsFloat, aIsAligned},                 \
      {advanced(b, matrix_offset(images, heads, bImage, bHead), bIsFloat), bRow, bIsFloat, bIsAligned},             \
      (void*)advanced(c, matrix_offset(images, heads, cImage, cHead), cIsFloat), cRow, cIsFloat, cIsAligned, m, n, \
      k, heads, zeroColumns, alpha, accumulate

extern "C" __global__ void __launch_bounds__(PRODUCT_THREADS) product_nn(PRODUCT_PARAMETERS) {
  product<false, true>(PRODUCT_ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(PRODUCT_THREADS) product_nt(PRODUCT_PARAMETERS) {
  product<false, false>(PRODUCT_ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(PRODUCT_THREADS) product_tn(PRODUCT_PARAMETERS) {
  product<true, true>(PRODUCT_ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(PRODUCT_THREADS) product_tt(PRODUCT_PARAMETERS) {
  product<true, false>(PRODUCT_ARGUMENTS);
}
