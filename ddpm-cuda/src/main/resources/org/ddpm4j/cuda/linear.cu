// Fully connected layers: y = x w + bias for dense float x [N,in], w [in,out], and their gradients.
//
// Exact float32 whatever the precision of other products, since they are small: what they cost is
// waiting for memory. A block therefore has up to four chunks of 128 of the sums' index k under way
// to shared memory before it computes the first. Its eight warps take 16 k each of every chunk and
// are added up in order, so that a row's result does not depend on the others.
//
//   forward         y  = x w               8 x 32 outputs a block, k = in
//   input gradient  dx = dy transposed(w)  8 x 32, k = out; + residual, if it is not null
//   weight gradient dw += transposed(x) dy 32 x 32, k = N; db += the sums of the columns of dy
#include "common.cuh"

constexpr int LINEAR_THREADS = 256, LINEAR_WARPS = LINEAR_THREADS / WARP;
constexpr int LINEAR_COLUMNS = 32;
constexpr int K_CHUNK = 128, K_OF_WARP = K_CHUNK / LINEAR_WARPS;

// A dense matrix; whether its rows begin at multiples of 16 bytes.
struct Matrix {
  const float* values;
  int rows, columns;
  bool isAligned;
};

static __device__ inline Matrix matrix(const float* values, int rows, int columns) {
  return {values, rows, columns, columns % 4 == 0 && ((unsigned long long)values & 15) == 0};
}

// Copies a part of a matrix to shared memory, with zeros beyond the matrix' ends.
template <int ROWS, int COLUMNS, int STRIDE>
static __device__ inline void load_part(float* part, const Matrix& from, int firstRow, int firstColumn) {
  constexpr int FOURS = COLUMNS / 4;
  static_assert(ROWS * FOURS % LINEAR_THREADS == 0, "every thread copies as much");
#pragma unroll
  for (int i = 0; i < ROWS * FOURS / LINEAR_THREADS; i++) {
    int index = threadIdx.x + i * LINEAR_THREADS;
    int row = index / FOURS, column = index % FOURS * 4;
    float* to = part + row * STRIDE + column;
    row += firstRow;
    column += firstColumn;
    const float* at = from.values + (long long)row * from.columns + column;
    if (from.isAligned) {
      bool exists = row < from.rows && column < from.columns;
      cp_async_16(to, exists ? at : from.values, exists);
    } else {
      float four[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        four[j] = row < from.rows && column + j < from.columns ? at[j] : 0.0f;
      }
      *(float4*)to = make_float4(four[0], four[1], four[2], four[3]);
    }
  }
}

// ROWS x 32 of a product left * right. K_MAJOR operands lie as [k][row or column], others as
// [row or column][k], with what keeps eight of those rows in different banks.
template <int ROWS, bool LEFT_K_MAJOR, bool RIGHT_K_MAJOR, int STAGES>
struct SmallProduct {
  static constexpr int OF_LANE = ROWS / 4;  // rows
  static constexpr int K_ROW = K_CHUNK + 4;
  static constexpr int LEFT = LEFT_K_MAJOR ? K_CHUNK * ROWS : ROWS * K_ROW;
  static constexpr int RIGHT = RIGHT_K_MAJOR ? K_CHUNK * LINEAR_COLUMNS : LINEAR_COLUMNS * K_ROW;
  static constexpr int STAGE = LEFT + RIGHT;
  static constexpr int RESULTS = ROWS * LINEAR_COLUMNS / LINEAR_THREADS;

  // Rows of a lane, and its columns, of the block's.
  static __device__ int row(int lane, int i) { return (lane >> 3) * OF_LANE + i; }
  static __device__ int column(int lane, int j) { return RIGHT_K_MAJOR ? (lane & 7) * 4 + j : (lane & 7) + 8 * j; }

  static __device__ void load(float* stage, const Matrix& left, const Matrix& right, int firstRow, int firstColumn,
                              int k) {
    if (LEFT_K_MAJOR) {
      load_part<K_CHUNK, ROWS, ROWS>(stage, left, k, firstRow);
    } else {
      load_part<ROWS, K_CHUNK, K_ROW>(stage, left, firstRow, k);
    }
    if (RIGHT_K_MAJOR) {
      load_part<K_CHUNK, LINEAR_COLUMNS, LINEAR_COLUMNS>(stage + LEFT, right, k, firstColumn);
    } else {
      load_part<LINEAR_COLUMNS, K_CHUNK, K_ROW>(stage + LEFT, right, firstColumn, k);
    }
  }

  // values[i][j]: of row or column i for the (k + j)th k.
  template <int COUNT, bool K_MAJOR, int LENGTH>
  static __device__ void read(float values[COUNT][4], const float* part, int first, int step, int k) {
#pragma unroll
    for (int i = 0; i < (K_MAJOR ? COUNT / 4 : COUNT); i++) {
#pragma unroll
      for (int j = 0; j < (K_MAJOR ? 4 : 1); j++) {
        float4 four = *(const float4*)(K_MAJOR ? part + (k + j) * LENGTH + first + 4 * i
                                               : part + (first + i * step) * K_ROW + k);
        const float loaded[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (int e = 0; e < 4; e++) {
          (K_MAJOR ? values[K_MAJOR ? 4 * i + e : 0][j] : values[i][e]) = loaded[e];
        }
      }
    }
  }

  float sum[OF_LANE][4];
  float columnSum[4];  // of the right operand

  __device__ void add(const float* stage, int lane, int warp) {
#pragma unroll
    for (int k = 0; k < K_OF_WARP; k += 4) {
      float left[OF_LANE][4], right[4][4];
      read<OF_LANE, LEFT_K_MAJOR, ROWS>(left, stage, row(lane, 0), 1, warp * K_OF_WARP + k);
      read<4, RIGHT_K_MAJOR, LINEAR_COLUMNS>(right, stage + LEFT, column(lane, 0), 8, warp * K_OF_WARP + k);
#pragma unroll
      for (int e = 0; e < 4; e++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
          columnSum[j] += right[j][e];
#pragma unroll
          for (int i = 0; i < OF_LANE; i++) {
            sum[i][j] = fmaf(left[i][e], right[j][e], sum[i][j]);
          }
        }
      }
    }
  }

  // results[i] is output threadIdx.x + i * 256 of the block; ofColumn, for the first 32 threads, the
  // sum of a column of the right operand.
  __device__ void multiply(float* shared, const Matrix& left, const Matrix& right, int firstRow, int firstColumn,
                           int kLength, float results[RESULTS], float* ofColumn) {
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int chunks = (kLength + K_CHUNK - 1) / K_CHUNK;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      columnSum[j] = 0;
#pragma unroll
      for (int i = 0; i < OF_LANE; i++) sum[i][j] = 0;
    }
    for (int chunk = 0; chunk < STAGES; chunk++) {
      if (chunk < chunks) {
        load(shared + chunk * STAGE, left, right, firstRow, firstColumn, chunk * K_CHUNK);
      }
      cp_async_commit();
    }
    for (int chunk = 0; chunk < chunks; chunk++) {
      float* stage = shared + chunk % STAGES * STAGE;
      cp_async_wait<STAGES - 1>();
      __syncthreads();
      add(stage, lane, warp);
      __syncthreads();
      if (chunk + STAGES < chunks) {
        load(stage, left, right, firstRow, firstColumn, (chunk + STAGES) * K_CHUNK);
      }
      cp_async_commit();
    }
    add_warps(shared, lane, warp, results, ofColumn);
  }

  // In the order of the warps; one more row for the sums of columns.
  __device__ void add_warps(float* shared, int lane, int warp, float results[RESULTS], float* ofColumn) const {
    constexpr int OUTPUTS = ROWS * LINEAR_COLUMNS, ALL = OUTPUTS + LINEAR_COLUMNS;
    static_assert(LINEAR_WARPS * ALL <= STAGE * STAGES, "the sums fit where the operands were");
#pragma unroll
    for (int j = 0; j < 4; j++) {
#pragma unroll
      for (int i = 0; i < OF_LANE; i++) {
        shared[warp * ALL + row(lane, i) * LINEAR_COLUMNS + column(lane, j)] = sum[i][j];
      }
      if (lane < 8) {
        shared[warp * ALL + OUTPUTS + column(lane, j)] = columnSum[j];
      }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < RESULTS; i++) {
      results[i] = total(shared + threadIdx.x + i * LINEAR_THREADS, ALL);
    }
    *ofColumn = threadIdx.x < LINEAR_COLUMNS ? total(shared + OUTPUTS + threadIdx.x, ALL) : 0.0f;
  }

  static __device__ float total(const float* ofWarps, int stride) {
    float total = 0;
#pragma unroll
    for (int warp = 0; warp < LINEAR_WARPS; warp++) total += ofWarps[warp * stride];
    return total;
  }
};

typedef SmallProduct<8, false, true, 4> Forward;
typedef SmallProduct<8, false, false, 4> InputGradient;
typedef SmallProduct<32, true, true, 2> WeightGradient;

extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) linear_forward(
    const float* x, const float* w, const float* bias, float* y, int n, int in, int out) {
  SHARED_MEMORY(float, shared);
  const int firstRow = blockIdx.y * 8, firstColumn = blockIdx.x * LINEAR_COLUMNS;
  Forward product;
  float result[Forward::RESULTS], ofColumn;
  product.multiply(shared, matrix(x, n, in), matrix(w, in, out), firstRow, firstColumn, in, result, &ofColumn);
  int row = firstRow + threadIdx.x / LINEAR_COLUMNS, column = firstColumn + threadIdx.x % LINEAR_COLUMNS;
  if (row < n && column < out) {
    y[(long long)row * out + column] = result[0] + (bias ? bias[column] : 0.0f);
  }
}

static __device__ inline void linear_input_gradient(
    float* shared, const float* w, const float* dy, const float* residual, float* dx, int n, int in, int out,
    int block) {
  const int across = (in + LINEAR_COLUMNS - 1) / LINEAR_COLUMNS;
  const int firstRow = block / across * 8, firstColumn = block % across * LINEAR_COLUMNS;
  InputGradient product;
  float result[InputGradient::RESULTS], ofColumn;
  product.multiply(shared, matrix(dy, n, out), matrix(w, in, out), firstRow, firstColumn, out, result, &ofColumn);
  int row = firstRow + threadIdx.x / LINEAR_COLUMNS, column = firstColumn + threadIdx.x % LINEAR_COLUMNS;
  if (row < n && column < in) {
    long long at = (long long)row * in + column;
    dx[at] = residual ? result[0] + residual[at] : result[0];
  }
}

static __device__ inline void linear_weight_gradient(
    float* shared, const float* x, const float* dy, float* dw, float* db, int n, int in, int out, int block) {
  const int across = (out + LINEAR_COLUMNS - 1) / LINEAR_COLUMNS;
  const int firstRow = block / across * 32, firstColumn = block % across * LINEAR_COLUMNS;
  WeightGradient product;
  float result[WeightGradient::RESULTS], ofColumn;
  product.multiply(shared, matrix(x, n, in), matrix(dy, n, out), firstRow, firstColumn, n, result, &ofColumn);
  const int column = firstColumn + threadIdx.x % LINEAR_COLUMNS;
#pragma unroll
  for (int i = 0; i < WeightGradient::RESULTS; i++) {
    int row = firstRow + threadIdx.x / LINEAR_COLUMNS + i * (LINEAR_THREADS / LINEAR_COLUMNS);
    if (dw && row < in && column < out) {
      dw[(long long)row * out + column] += result[i];
    }
  }
  if (db && firstRow == 0 && threadIdx.x < LINEAR_COLUMNS && column < out) {
    db[column] += ofColumn;
  }
}

// The first inputBlocks blocks make dx, which may be the residual, the others the gradients of the parameters.
extern "C" __global__ void __launch_bounds__(LINEAR_THREADS) linear_gradient(
    const float* x, const float* w, const float* dy, const float* residual, float* dx, float* dw, float* db, int n,
    int in, int out, int inputBlocks) {
  SHARED_MEMORY(float, shared);
  if ((int)blockIdx.x < inputBlocks) {
    linear_input_gradient(shared, w, dy, residual, dx, n, in, out, blockIdx.x);
  } else {
    linear_weight_gradient(shared, x, dy, dw, db, n, in, out, blockIdx.x - inputBlocks);
  }
}
