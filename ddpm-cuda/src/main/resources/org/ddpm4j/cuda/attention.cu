// Scaled dot-product attention between the positions of each image (Vaswani et al. 2017, eq. 1), and
// its gradient: y = softmax(scale q k^T) v for each image and head, the softmax over the keys.
//
// Queries, keys and values are `width` columns of rows of maps, one row for each of an image's P
// positions; they lie side by side in one map or in a map each, so that kernels get three pointers.
// Each kernel works on one image and head at a time and never stores the P x P weights. Of its
// own 64 rows (queries or keys), each warp has 16; the rows of the others pass by in tiles, after
// Dao et al. 2022. A gradient takes two kernels:
//   of queries: with w = softmax(scale q k^T) and s = dy v^T: dq = scale (w (s - sum over keys of w s)) k
//               It writes, for each query, the maximum of q k^T, the inverse of the sum of exponentials
//               and the sum of w s to scratch memory, for the other kernel;
//   of keys:    dv = w^T dy, or dk = scale (w (s - ...))^T q, in blocks of their own.
// All of them compute the scores again; all sums have an order that depends on the shapes alone.
//
// With -DWIDTH=32, 64, 128 or 256 (the least that is not below the width, a multiple of PACK) this file
// holds kernels that use matrix units. Without WIDTH it holds kernels of plain loops for any width.
#include "tiles.cuh"

#if defined(WIDTH)

constexpr int D = WIDTH;
constexpr int WARPS = 4;
constexpr int OWN = 16 * WARPS;  // rows of a block
constexpr int TILE = D <= 64 ? 64 : D * sizeof(element) > 512 ? 16 : 32;  // rows that pass by together

/** Which rows a block has. */
struct Block {
  int image;
  int head;
  int first;  // of its own rows

  __device__ __forceinline__ Block(int positions, int heads) {
    int blocks = (positions + OWN - 1) / OWN;
    int imageAndHead = blockIdx.x / blocks;
    image = imageAndHead / heads;
    head = imageAndHead % heads;
    first = blockIdx.x % blocks * OWN;
  }

  /** The rows of this image and head. */
  __device__ __forceinline__ ConstRows rows(
      const element* map, int positions, int width, int rowLength) const {
    return {map + (long long)image * positions * rowLength + head * width, rowLength};
  }

  __device__ __forceinline__ Rows rows(
      element* map, int positions, int width, int rowLength) const {
    return {map + (long long)image * positions * rowLength + head * width, rowLength};
  }

  /** Zeros in the columns of all rows of this image that nobody else writes. */
  __device__ __forceinline__ void clear(
      element* map, int positions, int features, int rowLength) const {
    if (head == 0 && first == 0) {
      clear_padding(
          map + (long long)image * positions * rowLength, positions, features, rowLength);
    }
  }
};

/** Begins to load the block's own rows. */
static __device__ __forceinline__ void fetch_own(
    element* own, ConstRows from, const Block& block, int positions, int width) {
  fetch<D>(own, from, block.first, OWN, positions, width, threadIdx.x, blockDim.x);
}

/** Begins to load rows that pass by. */
static __device__ __forceinline__ void fetch_passing(
    element* tile, ConstRows from, int first, int positions, int width) {
  fetch<D>(tile, from, first, TILE, positions, width, threadIdx.x, blockDim.x);
}

/** Lets all rows pass by: work(first row, stage), while the next ones are loaded. */
template <typename Fetch, typename Work>
static __device__ __forceinline__ void pass_by(int positions, int stages, Fetch fetch, Work work) {
  int tiles = (positions + TILE - 1) / TILE;
  for (int i = 0; i < stages - 1; i++) {
    if (i < tiles) fetch(i * TILE, i);
    cp_async_commit();
  }
  for (int i = 0; i < tiles; i++) {
    int next = i + stages - 1;
    if (next < tiles) fetch(next * TILE, next % stages);
    cp_async_commit();
    wait_for_copies(stages - 1);
    __syncthreads();
    work(i * TILE, i % stages);
    __syncthreads();
  }
}

/** scores = own tile^T, of the 16 own rows of a warp. */
static __device__ __forceinline__ void multiply_rows(
    float scores[TILE / 8][4], const element* own, const element* tile) {
#pragma unroll
  for (int i = 0; i < TILE / 2; i++) scores[i / 4][i % 4] = 0;
#pragma unroll
  for (int c = 0; c < D; c += 16) {
    Left left;
    load_left<D>(left, own, 0, c);
#pragma unroll
    for (int j = 0; j < TILE / 16; j++) {
      Right right[2];
      load_right_transposed<D>(right, tile, 16 * j, c);
      multiply_add(scores[2 * j], left, right[0]);
      multiply_add(scores[2 * j + 1], left, right[1]);
    }
  }
}

/** sum += weights tile. */
static __device__ __forceinline__ void add_weighted_rows(
    float sum[D / 8][4], const float weights[TILE / 8][4], const element* tile) {
#pragma unroll
  for (int j = 0; j < TILE / 16; j++) {
    Left left;
#pragma unroll
    for (int pair = 0; pair < 4; pair++) {
      const float* w = weights[2 * j + (pair >> 1)] + 2 * (pair & 1);
      set_pair(left.pair[pair], w[0], w[1]);
    }
#pragma unroll
    for (int c = 0; c < D / 16; c++) {
      Right right[2];
      load_right<D>(right, tile, 16 * j, 16 * c);
      multiply_add(sum[2 * c], left, right[0]);
      multiply_add(sum[2 * c + 1], left, right[1]);
    }
  }
}

static __device__ __forceinline__ void clear(float sum[D / 8][4]) {
#pragma unroll
  for (int i = 0; i < D / 2; i++) sum[i / 4][i % 4] = 0;
}

/** Stores 16 rows, which take the place of the warp's own rows of a tile first. */
static __device__ __forceinline__ void store_own(
    Rows to, element* own, const float sum[D / 8][4], int first, int positions, int width) {
  __syncwarp();
#pragma unroll
  for (int j = 0; j < D / 8; j++) store_sum<D>(own, 0, 8 * j, sum[j]);
  __syncwarp();
  store<D>(to, own, first, 16, positions, width, lane_index(), WARP);
}

/** The softmax of two rows, g and g + 8, as far as they passed by. */
struct Softmax {
  float maximum[2] = {minus_infinity(), minus_infinity()};
  float total[2] = {0, 0};  // of what this thread had

  /** Turns scores into their exponentials; factor is what earlier ones are to be multiplied by. */
  __device__ __forceinline__ void add(
      float scores[TILE / 8][4], int columns, float scale, float factor[2]) {
    int t = lane_index() & 3;
    float most[2] = {maximum[0], maximum[1]};
#pragma unroll
    for (int i = 0; i < TILE / 2; i++) {
      if (8 * (i / 4) + 2 * t + i % 2 >= columns) scores[i / 4][i % 4] = minus_infinity();
      most[i / 2 % 2] = fmaxf(most[i / 2 % 2], scores[i / 4][i % 4]);
    }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      most[half] = quad_max(most[half]);
      factor[half] = exponential(scale * (maximum[half] - most[half]));
      maximum[half] = most[half];
      total[half] *= factor[half];
    }
#pragma unroll
    for (int i = 0; i < TILE / 2; i++) {
      float x = exponential(scale * (scores[i / 4][i % 4] - most[i / 2 % 2]));
      scores[i / 4][i % 4] = x;
      total[i / 2 % 2] += x;
    }
  }
};

extern "C" __global__ void __launch_bounds__(WARP * WARPS) attention_forward(
    const element* queries, const element* keys, const element* values, element* y, int positions,
    int heads, int width, int rowLength, int rowLengthOfY, float scale, int stages) {
  SHARED_MEMORY(element, shared);
  Block block(positions, heads);
  ConstRows k = block.rows(keys, positions, width, rowLength);
  ConstRows v = block.rows(values, positions, width, rowLength);
  element* passing = shared + OWN * D;
  int warp = threadIdx.x / WARP;
  element* own = shared + warp * 16 * D;
  int first = block.first + 16 * warp;
  fetch_own(
      shared, block.rows(queries, positions, width, rowLength), block, positions, width);
  Softmax softmax;
  float sum[D / 8][4];
  clear(sum);
  pass_by(
      positions, stages,
      [&](int row, int stage) {
        element* tile = passing + stage * 2 * TILE * D;
        fetch_passing(tile, k, row, positions, width);
        fetch_passing(tile + TILE * D, v, row, positions, width);
      },
      [&](int row, int stage) {
        if (first >= positions) return;
        const element* tile = passing + stage * 2 * TILE * D;
        float weights[TILE / 8][4];
        multiply_rows(weights, own, tile);
        float factor[2];
        softmax.add(weights, positions - row, scale, factor);
        if (__any_sync(ALL_LANES, factor[0] != 1 || factor[1] != 1)) {
#pragma unroll
          for (int i = 0; i < D / 2; i++) sum[i / 4][i % 4] *= factor[i / 2 % 2];
        }
        add_weighted_rows(sum, weights, tile + TILE * D);
      });
  float inverse[2] = {1 / quad_sum(softmax.total[0]), 1 / quad_sum(softmax.total[1])};
#pragma unroll
  for (int i = 0; i < D / 2; i++) sum[i / 4][i % 4] *= inverse[i / 2 % 2];
  Rows result = block.rows(y, positions, width, rowLengthOfY);
  store_own(result, own, sum, first, positions, width);
  block.clear(y, positions, heads * width, rowLengthOfY);
}

/**
 * What the gradient of keys needs to know of queries: of each image and head, three rows of `length`
 * numbers, a multiple of 64: maxima of scores, inverse sums, mean slopes.
 */
struct Statistics {
  float* rows;
  int length;

  __device__ __forceinline__ Statistics(
      float* scratch, const Block& block, int heads, int positions)
      : length((positions + OWN - 1) / OWN * OWN) {
    rows = scratch + (long long)(block.image * heads + block.head) * 3 * length;
  }
};

/** dq may be null: then only the statistics are wanted. */
extern "C" __global__ void __launch_bounds__(WARP * WARPS) attention_backward_of_queries(
    const element* queries, const element* keys, const element* values, const element* dy,
    element* dq, float* scratch, int positions, int heads, int width, int rowLength,
    int rowLengthOfY, int featuresOfGradient, float scale, int stages) {
  SHARED_MEMORY(element, shared);
  Block block(positions, heads);
  ConstRows k = block.rows(keys, positions, width, rowLength);
  ConstRows v = block.rows(values, positions, width, rowLength);
  element* passing = shared + 2 * OWN * D;
  int warp = threadIdx.x / WARP;
  element* ownQueries = shared + warp * 16 * D;
  element* ownSlopes = ownQueries + OWN * D;
  int first = block.first + 16 * warp;
  fetch_own(
      shared, block.rows(queries, positions, width, rowLength), block, positions, width);
  fetch_own(
      shared + OWN * D, block.rows(dy, positions, width, rowLengthOfY), block, positions, width);
  auto fetch = [&](int row, int stage) {
    element* tile = passing + stage * 2 * TILE * D;
    fetch_passing(tile, k, row, positions, width);
    fetch_passing(tile + TILE * D, v, row, positions, width);
  };

  Softmax softmax;
  float mean[2] = {0, 0};
  pass_by(positions, stages, fetch, [&](int row, int stage) {
    if (first >= positions) return;
    const element* tile = passing + stage * 2 * TILE * D;
    float weights[TILE / 8][4];
    multiply_rows(weights, ownQueries, tile);
    float factor[2];
    softmax.add(weights, positions - row, scale, factor);
    float slopes[TILE / 8][4];
    multiply_rows(slopes, ownSlopes, tile + TILE * D);
    mean[0] *= factor[0];
    mean[1] *= factor[1];
#pragma unroll
    for (int i = 0; i < TILE / 2; i++) {
      mean[i / 2 % 2] += weights[i / 4][i % 4] * slopes[i / 4][i % 4];
    }
  });
  Statistics statistics(scratch, block, heads, positions);
  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int row = first + (lane_index() >> 2) + 8 * half;
    inverse[half] = 1 / quad_sum(softmax.total[half]);
    mean[half] = quad_sum(mean[half]) * inverse[half];
    if ((lane_index() & 3) == 0) {
      bool exists = row < positions;
      statistics.rows[row] = exists ? softmax.maximum[half] : 0.0f;
      statistics.rows[statistics.length + row] = exists ? inverse[half] : 0.0f;
      statistics.rows[2 * statistics.length + row] = exists ? mean[half] : 0.0f;
    }
  }
  if (dq == nullptr) return;

  float sum[D / 8][4];
  clear(sum);
  pass_by(positions, stages, fetch, [&](int row, int stage) {
    if (first >= positions) return;
    const element* tile = passing + stage * 2 * TILE * D;
    float weights[TILE / 8][4];
    multiply_rows(weights, ownQueries, tile);
    float slopes[TILE / 8][4];
    multiply_rows(slopes, ownSlopes, tile + TILE * D);
#pragma unroll
    for (int i = 0; i < TILE / 2; i++) {
      int half = i / 2 % 2;
      // Keys that do not exist are zero: whatever their weight is, they add nothing.
      float weight =
          exponential(fminf(scale * (weights[i / 4][i % 4] - softmax.maximum[half]), 0.0f));
      slopes[i / 4][i % 4] =
          weight * inverse[half] * scale * (slopes[i / 4][i % 4] - mean[half]);
    }
    add_weighted_rows(sum, slopes, tile);
  });
  Rows gradient = block.rows(dq, positions, width, rowLength);
  store_own(gradient, ownQueries, sum, first, positions, width);
  block.clear(dq, positions, featuresOfGradient, rowLength);
}

/** Blocks with y = 0 compute dv, those with y = 1 compute dk; either may be null. */
extern "C" __global__ void __launch_bounds__(WARP * WARPS) attention_backward_of_keys(
    const element* queries, const element* keys, const element* values, const element* dy,
    element* dk, element* dv, float* scratch, int positions, int heads, int width, int rowLength,
    int rowLengthOfY, int featuresOfGradient, float scale, int stages) {
  SHARED_MEMORY(element, shared);
  bool ofKeys = blockIdx.y == 1;
  element* result = ofKeys ? dk : dv;
  if (result == nullptr) return;
  Block block(positions, heads);
  ConstRows q = block.rows(queries, positions, width, rowLength);
  ConstRows slopesOfY = block.rows(dy, positions, width, rowLengthOfY);
  Statistics statistics(scratch, block, heads, positions);
  element* passing = shared + 2 * OWN * D;
  float* passingStatistics = reinterpret_cast<float*>(passing + stages * 2 * TILE * D);
  int warp = threadIdx.x / WARP;
  element* ownKeys = shared + warp * 16 * D;
  element* ownValues = ownKeys + OWN * D;
  int first = block.first + 16 * warp;
  fetch_own(shared, block.rows(keys, positions, width, rowLength), block, positions, width);
  if (ofKeys) {
    fetch_own(
        shared + OWN * D, block.rows(values, positions, width, rowLength), block, positions, width);
  }
  float sum[D / 8][4];
  clear(sum);
  pass_by(
      positions, stages,
      [&](int row, int stage) {
        element* tile = passing + stage * 2 * TILE * D;
        fetch_passing(tile, q, row, positions, width);
        fetch_passing(tile + TILE * D, slopesOfY, row, positions, width);
        int i = threadIdx.x;
        if (i < 3 * TILE / 4) {
          int part = i / (TILE / 4);
          int column = i % (TILE / 4) * 4;
          cp_async_16(
              passingStatistics + (stage * 3 + part) * TILE + column,
              statistics.rows + part * statistics.length + row + column, true);
        }
      },
      [&](int row, int stage) {
        if (first >= positions) return;
        const element* tile = passing + stage * 2 * TILE * D;
        const float* maximum = passingStatistics + stage * 3 * TILE;
        const float* inverse = maximum + TILE;
        const float* mean = inverse + TILE;
        int t = lane_index() & 3;
        float weights[TILE / 8][4];
        multiply_rows(weights, ownKeys, tile);
#pragma unroll
        for (int i = 0; i < TILE / 2; i++) {
          int column = 8 * (i / 4) + 2 * t + i % 2;
          float score = weights[i / 4][i % 4];
          weights[i / 4][i % 4] =
              exponential(fminf(scale * (score - maximum[column]), 0.0f)) * inverse[column];
        }
        if (!ofKeys) {
          add_weighted_rows(sum, weights, tile + TILE * D);
          return;
        }
        float slopes[TILE / 8][4];
        multiply_rows(slopes, ownValues, tile + TILE * D);
#pragma unroll
        for (int i = 0; i < TILE / 2; i++) {
          int column = 8 * (i / 4) + 2 * t + i % 2;
          slopes[i / 4][i % 4] =
              weights[i / 4][i % 4] * scale * (slopes[i / 4][i % 4] - mean[column]);
        }
        add_weighted_rows(sum, slopes, tile);
      });
  Rows gradient = block.rows(result, positions, width, rowLength);
  store_own(gradient, ownKeys, sum, first, positions, width);
  block.clear(result, positions, featuresOfGradient, rowLength);
}

#else

// Plain loops, for any width: a block for each image, head and row.

/** Which row a block has. */
struct Row {
  int image;
  int head;
  int position;

  __device__ Row(int positions, int heads) {
    position = blockIdx.x % positions;
    head = blockIdx.x / positions % heads;
    image = blockIdx.x / positions / heads;
  }

  /** Where this image and head begin in a map. */
  __device__ long long start(int positions, int width, int rowLength) const {
    return (long long)image * positions * rowLength + head * width;
  }
};

/** The sum of the products of two rows, one of shared memory. */
static __device__ float product(const float* own, const element* row, int width) {
  float sum = 0;
  for (int c = 0; c < width; c++) sum += own[c] * to_float(row[c]);
  return sum;
}

static __device__ void load_row(float* row, const element* from, int width) {
  for (int c = threadIdx.x; c < width; c += blockDim.x) row[c] = to_float(from[c]);
}

/** Stores the sum of all rows of a head, each with its weight, and zeros as padding. */
static __device__ void store_weighted_sum(
    element* to, const float* weights, const element* rows, int positions, int width,
    int rowLength) {
  for (int c = threadIdx.x; c < width; c += blockDim.x) {
    float sum = 0;
    for (int p = 0; p < positions; p++) {
      sum += weights[p] * to_float(rows[(long long)p * rowLength + c]);
    }
    to[c] = to_element(sum);
  }
}

static __device__ void clear_row(element* row, const Row& own, int features, int rowLength) {
  if (own.head == 0) clear_padding(row, 1, features, rowLength);
}

/** weights[p] = exp(score - maximum); returns the maximum and the inverse of the sum. */
static __device__ float2 exponentials_of_scores(
    float* weights, const float* query, const element* keys, int positions, int width,
    int rowLength, float scale) {
  float most = minus_infinity();
  for (int p = threadIdx.x; p < positions; p += blockDim.x) {
    weights[p] = scale * product(query, keys + (long long)p * rowLength, width);
    most = fmaxf(most, weights[p]);
  }
  most = block_max(most);
  float total = 0;
  for (int p = threadIdx.x; p < positions; p += blockDim.x) {
    weights[p] = expf(weights[p] - most);
    total += weights[p];
  }
  return make_float2(most, 1 / block_sum(total));
}

extern "C" __global__ void __launch_bounds__(256) attention_forward_of_any(
    const element* queries, const element* keys, const element* values, element* y, int positions,
    int heads, int width, int rowLength, int rowLengthOfY, float scale) {
  SHARED_MEMORY(float, shared);
  Row own(positions, heads);
  float* query = shared;
  float* weights = query + width;
  long long start = own.start(positions, width, rowLength);
  load_row(query, queries + start + (long long)own.position * rowLength, width);
  __syncthreads();
  float2 softmax = exponentials_of_scores(
      weights, query, keys + start, positions, width, rowLength, scale);
  for (int p = threadIdx.x; p < positions; p += blockDim.x) weights[p] *= softmax.y;
  __syncthreads();
  element* row = y + (long long)(own.image * positions + own.position) * rowLengthOfY;
  store_weighted_sum(
      row + own.head * width, weights, values + start, positions, width, rowLength);
  clear_row(row, own, heads * width, rowLengthOfY);
}

/** Scratch memory: three numbers of each image, head and query. dq may be null. */
extern "C" __global__ void __launch_bounds__(256) attention_backward_of_queries_of_any(
    const element* queries, const element* keys, const element* values, const element* dy,
    element* dq, float* scratch, int positions, int heads, int width, int rowLength,
    int rowLengthOfY, int featuresOfGradient, float scale) {
  SHARED_MEMORY(float, shared);
  Row own(positions, heads);
  float* query = shared;
  float* slopeRow = query + width;
  float* weights = slopeRow + width;
  long long start = own.start(positions, width, rowLength);
  long long rowOfQuery = start + (long long)own.position * rowLength;
  load_row(query, queries + rowOfQuery, width);
  load_row(
      slopeRow,
      dy + own.start(positions, width, rowLengthOfY) + (long long)own.position * rowLengthOfY,
      width);
  __syncthreads();
  float2 softmax = exponentials_of_scores(
      weights, query, keys + start, positions, width, rowLength, scale);
  float mean = 0;
  for (int p = threadIdx.x; p < positions; p += blockDim.x) {
    weights[p] *= softmax.y;
    mean += weights[p] * product(slopeRow, values + start + (long long)p * rowLength, width);
  }
  mean = block_sum(mean);
  if (threadIdx.x == 0) {
    float* statistics = scratch + 3LL * blockIdx.x;
    statistics[0] = softmax.x;
    statistics[1] = softmax.y;
    statistics[2] = mean;
  }
  if (dq == nullptr) return;
  for (int p = threadIdx.x; p < positions; p += blockDim.x) {
    float slope = product(slopeRow, values + start + (long long)p * rowLength, width);
    weights[p] *= scale * (slope - mean);
  }
  __syncthreads();
  store_weighted_sum(dq + rowOfQuery, weights, keys + start, positions, width, rowLength);
  clear_row(
      dq + (long long)(own.image * positions + own.position) * rowLength, own, featuresOfGradient,
      rowLength);
}

/** dk or dv may be null. */
extern "C" __global__ void __launch_bounds__(256) attention_backward_of_keys_of_any(
    const element* queries, const element* keys, const element* values, const element* dy,
    element* dk, element* dv, const float* scratch, int positions, int heads, int width,
    int rowLength, int rowLengthOfY, int featuresOfGradient, float scale) {
  SHARED_MEMORY(float, shared);
  Row own(positions, heads);
  float* key = shared;
  float* value = key + width;
  float* weights = value + width;
  float* slopes = weights + positions;
  long long start = own.start(positions, width, rowLength);
  long long startOfY = own.start(positions, width, rowLengthOfY);
  long long rowOfKey = start + (long long)own.position * rowLength;
  load_row(key, keys + rowOfKey, width);
  load_row(value, values + rowOfKey, width);
  __syncthreads();
  const float* statistics = scratch + 3LL * (blockIdx.x - own.position);
  for (int p = threadIdx.x; p < positions; p += blockDim.x) {
    float score = scale * product(key, queries + start + (long long)p * rowLength, width);
    float weight = expf(score - statistics[3 * p]) * statistics[3 * p + 1];
    weights[p] = weight;
    float slope = product(value, dy + startOfY + (long long)p * rowLengthOfY, width);
    slopes[p] = weight * scale * (slope - statistics[3 * p + 2]);
  }
  __syncthreads();
  long long row = (long long)(own.image * positions + own.position) * rowLength;
  if (dk != nullptr) {
    store_weighted_sum(dk + rowOfKey, slopes, queries + start, positions, width, rowLength);
    clear_row(dk + row, own, featuresOfGradient, rowLength);
  }
  if (dv != nullptr) {
    store_weighted_sum(dv + rowOfKey, weights, dy + startOfY, positions, width, rowLengthOfY);
    clear_row(dv + row, own, featuresOfGradient, rowLength);
  }
}

#endif
