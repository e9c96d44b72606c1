// Attention at a cost linear in the number of positions (Shen et al. 2018), and its gradient.
//
// Input: a map of rows [queries | keys | values], each heads x width, one row for each of an image's P
// positions. For each image and head:
//   q = softmax of the queries over the width, k = softmax of the keys over the positions,
//   context[d][e] = scale * sum over p of k[p][d] v[p][e],  y[p][e] = sum over d of q[p][d] context[d][e]
// and backward, from dy:
//   dcontext[d][e] = scale * sum over p of q[p][d] dy[p][e]        (scaled as the context is)
//   dv = k dcontext,  dq = dy context^T,  dk = v dcontext^T, the latter two through their softmax.
//   The softmax of the keys needs, for each d, the sum over p of k dk, which is the sum over e of
//   dcontext[d][e] context[d][e] / scale: no pass over the positions.
//
// One block for each image and head. With -DWIDTH=32 or 64 (the least that is not below the width, a
// multiple of PACK) this file holds kernels that work by matrix units on tiles of 16 positions; each
// warp has every so-manieth tile to itself, and no two warps wait for each other but to add up what
// they have of the context. Without WIDTH it holds kernels of plain loops for any width.
#include "tiles.cuh"

#if defined(WIDTH)

constexpr int D = WIDTH;
constexpr int TILE = 16;                // positions of a tile
constexpr int BLOCKS = D / 16;          // of 16 features
constexpr int TILE_ELEMENTS = TILE * D;

/** A context, or what one warp has of it: rows d, columns e, in blocks of 16 x 8. */
struct Context {
  float sum[BLOCKS][2 * BLOCKS][4];
};

/**
 * The tiles of a warp, and where they lie in shared memory: `stages` places of `parts` tiles of 16
 * rows of `tileWidth` elements.
 */
struct Tiles {
  int first;  // number of its first tile
  int step;   // from a tile to the next
  int count;
  int stages;
  int parts;
  int tileWidth;
  bool stay;  // all tiles fit, so that they need to be loaded only once
  element* memory;

  __device__ __forceinline__ Tiles(
      element* shared, int positions, int stages, int parts, int tileWidth)
      : first(threadIdx.x / WARP),
        step(blockDim.x / WARP),
        stages(stages),
        parts(parts),
        tileWidth(tileWidth) {
    int tiles = (positions + TILE - 1) / TILE;
    count = first < tiles ? (tiles - first + step - 1) / step : 0;
    stay = stages * step >= tiles;
    memory = shared + first * stages * parts * TILE * tileWidth;
  }

  __device__ __forceinline__ element* tile(int i, int part) const {
    return memory + (i % stages * parts + part) * TILE * tileWidth;
  }

  __device__ __forceinline__ int position(int i) const { return (first + i * step) * TILE; }

  /** Begins to load as many tiles as there is place for. */
  template <typename Fetch>
  __device__ __forceinline__ void begin(Fetch fetch) const {
    int ahead = stay ? count : stages - 1;
    for (int i = 0; i < ahead; i++) {
      if (i < count) fetch(i);
      cp_async_commit();
    }
  }

  /** Works on each tile when it is there, while the next ones are loaded. */
  template <typename Fetch, typename Work>
  __device__ __forceinline__ void go_on(Fetch fetch, Work work) const {
    for (int i = 0; i < count; i++) {
      int next = i + stages - 1;
      if (next < count) fetch(next);
      cp_async_commit();
      wait_for_copies(stages - 1);
      __syncwarp();
      work(i);
      __syncwarp();
    }
  }

  /** The same where all tiles stay; `later` groups of copies were begun after these. */
  template <typename Work>
  __device__ __forceinline__ void go_on_with_all(int later, Work work) const {
    for (int i = 0; i < count; i++) {
      wait_for_copies(later + count - 1 - i);
      __syncwarp();
      work(i);
    }
  }
};

/** Loads one tile by one warp. */
static __device__ __forceinline__ void fetch_tile(
    element* tile, ConstRows from, int position, int positions, int width) {
  fetch<D>(tile, from, position, TILE, positions, width, lane_index(), WARP);
}

static __device__ __forceinline__ void store_tile(
    Rows to, const element* tile, int position, int positions, int width) {
  store<D>(to, tile, position, TILE, positions, width, lane_index(), WARP);
}

/** The softmax over the positions as far as a thread knows it: rows 16 i + g and the same + 8. */
struct KeyStatistics {
  float maximum[BLOCKS][2];
  float total[BLOCKS][2];
};

/**
 * Turns the keys of the first `rows` positions of a tile, transposed, into their exponentials, those
 * of other positions into zero, and brings what is known of earlier tiles to the same scale.
 */
static __device__ __forceinline__ void exponentials_of_keys(
    Left k[BLOCKS], Context& context, KeyStatistics& statistics, int rows) {
  int t = lane_index() & 3;
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float x[4];
#pragma unroll
      for (int j = 0; j < 4; j++) {
        int position = 2 * t + (j & 1) + 8 * (j >> 1);
        x[j] = position < rows ? pair_value(k[i].pair[half + (j & 2)], j & 1) : minus_infinity();
      }
      float here = quad_max(fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3])));
      float maximum = fmaxf(statistics.maximum[i][half], here);
      float factor = exponential(statistics.maximum[i][half] - maximum);
      statistics.maximum[i][half] = maximum;
#pragma unroll
      for (int j = 0; j < 4; j++) x[j] = exponential(x[j] - maximum);
      statistics.total[i][half] =
          statistics.total[i][half] * factor + ((x[0] + x[1]) + (x[2] + x[3]));
      set_pair(k[i].pair[half], x[0], x[1]);
      set_pair(k[i].pair[half + 2], x[2], x[3]);
#pragma unroll
      for (int j = 0; j < 2 * BLOCKS; j++) {
        context.sum[i][j][2 * half] *= factor;
        context.sum[i][j][2 * half + 1] *= factor;
      }
    }
  }
}

/** context += left right, of which the right side has the 16 columns from 16 j. */
static __device__ __forceinline__ void add_products(
    Context& context, const Left left[BLOCKS], const Right right[2], int j) {
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
    multiply_add(context.sum[i][2 * j], left[i], right[0]);
    multiply_add(context.sum[i][2 * j + 1], left[i], right[1]);
  }
}

/** context += exp(keys - maximum)^T values, of the first `rows` positions of a tile. */
static __device__ __forceinline__ void add_keys(
    Context& context, KeyStatistics& statistics, const element* keys, const element* values,
    int rows) {
  Left k[BLOCKS];
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) load_left_transposed<D>(k[i], keys, 0, 16 * i);
  exponentials_of_keys(k, context, statistics, rows);
#pragma unroll
  for (int j = 0; j < BLOCKS; j++) {
    Right v[2];
    load_right<D>(v, values, 0, 16 * j);
    add_products(context, k, v, j);
  }
}

/** context += softmax(queries)^T slopes, of a tile; positions that do not exist have no slopes. */
static __device__ __forceinline__ void add_queries(
    Context& context, const element* queries, const element* slopes, int width) {
  int g = lane_index() >> 2;
  Left q[BLOCKS];
  float x[BLOCKS][4][2];
  float maximum[2][2] = {{minus_infinity(), minus_infinity()}, {minus_infinity(), minus_infinity()}};
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
    load_left_transposed<D>(q[i], queries, 0, 16 * i);
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int pair = j >> 1;
      bool exists = 16 * i + g + 8 * (pair & 1) < width;
      float value = exists ? pair_value(q[i].pair[pair], j & 1) : minus_infinity();
      x[i][pair][j & 1] = value;
      maximum[pair >> 1][j & 1] = fmaxf(maximum[pair >> 1][j & 1], value);
    }
  }
  float total[2][2] = {{0, 0}, {0, 0}};
#pragma unroll
  for (int j = 0; j < 4; j++) maximum[j >> 1][j & 1] = column_max(maximum[j >> 1][j & 1]);
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int pair = j >> 1;
      float value = exponential(x[i][pair][j & 1] - maximum[pair >> 1][j & 1]);
      x[i][pair][j & 1] = value;
      total[pair >> 1][j & 1] += value;
    }
  }
#pragma unroll
  for (int j = 0; j < 4; j++) total[j >> 1][j & 1] = 1 / column_sum(total[j >> 1][j & 1]);
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int pair = 0; pair < 4; pair++) {
      set_pair(
          q[i].pair[pair], x[i][pair][0] * total[pair >> 1][0],
          x[i][pair][1] * total[pair >> 1][1]);
    }
  }
#pragma unroll
  for (int j = 0; j < BLOCKS; j++) {
    Right dy[2];
    load_right<D>(dy, slopes, 0, 16 * j);
    add_products(context, q, dy, j);
  }
}

/** Turns the queries of a tile, of which q[i] has features from 16 i, into their softmax. */
static __device__ __forceinline__ void softmax_of_queries(Left q[BLOCKS], int width) {
  int t = lane_index() & 3;
  float maximum[2] = {minus_infinity(), minus_infinity()};
  float total[2] = {0, 0};
  float x[BLOCKS][4][2];
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int pair = j >> 1;
      bool exists = 16 * i + 2 * t + (j & 1) + 8 * (pair >> 1) < width;
      float value = exists ? pair_value(q[i].pair[pair], j & 1) : minus_infinity();
      x[i][pair][j & 1] = value;
      maximum[pair & 1] = fmaxf(maximum[pair & 1], value);
    }
  }
  maximum[0] = quad_max(maximum[0]);
  maximum[1] = quad_max(maximum[1]);
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int j = 0; j < 8; j++) {
      int pair = j >> 1;
      float value = exponential(x[i][pair][j & 1] - maximum[pair & 1]);
      x[i][pair][j & 1] = value;
      total[pair & 1] += value;
    }
  }
  total[0] = 1 / quad_sum(total[0]);
  total[1] = 1 / quad_sum(total[1]);
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int pair = 0; pair < 4; pair++) {
      set_pair(
          q[i].pair[pair], x[i][pair][0] * total[pair & 1], x[i][pair][1] * total[pair & 1]);
    }
  }
}

static __device__ __forceinline__ void load_queries(Left q[BLOCKS], const element* queries) {
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) load_left<D>(q[i], queries, 0, 16 * i);
}

/**
 * Adds up what the warps have, in an order that depends on their number alone; the first warp gets
 * the whole. There is room for `rooms` contexts.
 */
static __device__ __forceinline__ void add_warps(Context& context, float* room, int rooms) {
  int warp = threadIdx.x / WARP;
  int lane = lane_index();
  for (int active = blockDim.x / WARP; active > 1;) {
    int givers = min(rooms, active / 2);
    int giver = warp - (active - givers);
    __syncthreads();
    if (giver >= 0 && giver < givers) {
#pragma unroll
      for (int i = 0; i < D * D / WARP; i++) {
        room[giver * D * D + i * WARP + lane] =
            context.sum[i / (8 * BLOCKS)][i / 4 % (2 * BLOCKS)][i % 4];
      }
    }
    __syncthreads();
    if (warp < givers) {
#pragma unroll
      for (int i = 0; i < D * D / WARP; i++) {
        context.sum[i / (8 * BLOCKS)][i / 4 % (2 * BLOCKS)][i % 4] +=
            room[warp * D * D + i * WARP + lane];
      }
    }
    active -= givers;
  }
}

/**
 * From the parts of all warps, the maxima of the keys and the inverse of the sums of their
 * exponentials, both by features, and, in the first warp, the context without its scale.
 */
static __device__ __forceinline__ void finish_context(
    Context& context, KeyStatistics& statistics, float* maximum, float* inverse, float* room,
    int rooms) {
  int warp = threadIdx.x / WARP;
  int warps = blockDim.x / WARP;
  int g = lane_index() >> 2;
  float* maxima = room;
  float* totals = room + warps * D;
#pragma unroll
  for (int i = 0; i < 2 * BLOCKS; i++) {
    float total = quad_sum(statistics.total[i >> 1][i & 1]);
    if ((lane_index() & 3) == 0) {
      maxima[warp * D + 8 * i + g] = statistics.maximum[i >> 1][i & 1];
      totals[warp * D + 8 * i + g] = total;
    }
  }
  __syncthreads();
  for (int d = threadIdx.x; d < D; d += blockDim.x) {
    float most = minus_infinity();
    for (int w = 0; w < warps; w++) most = fmaxf(most, maxima[w * D + d]);
    float total = 0;
    for (int w = 0; w < warps; w++) {
      total += totals[w * D + d] * exponential(maxima[w * D + d] - most);
    }
    maximum[d] = most;
    inverse[d] = 1 / total;
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int d = 16 * i + g + 8 * half;
      float factor = exponential(statistics.maximum[i][half] - maximum[d]) * inverse[d];
#pragma unroll
      for (int j = 0; j < 2 * BLOCKS; j++) {
        context.sum[i][j][2 * half] *= factor;
        context.sum[i][j][2 * half + 1] *= factor;
      }
    }
  }
  add_warps(context, room, rooms);
}

static __device__ __forceinline__ void clear(Context& context) {
#pragma unroll
  for (int i = 0; i < D * D / WARP; i++) {
    context.sum[i / (8 * BLOCKS)][i / 4 % (2 * BLOCKS)][i % 4] = 0;
  }
}

static __device__ __forceinline__ void clear(KeyStatistics& statistics) {
#pragma unroll
  for (int i = 0; i < 2 * BLOCKS; i++) {
    statistics.maximum[i >> 1][i & 1] = minus_infinity();
    statistics.total[i >> 1][i & 1] = 0;
  }
}

/** Makes a tile of the context that this warp has, times a factor. */
static __device__ __forceinline__ void store_context(
    element* tile, const Context& context, float factor) {
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
#pragma unroll
    for (int j = 0; j < 2 * BLOCKS; j++) {
      float scaled[4];
#pragma unroll
      for (int c = 0; c < 4; c++) scaled[c] = context.sum[i][j][c] * factor;
      store_sum<D>(tile, 16 * i, 8 * j, scaled);
    }
  }
}

/** sum = left matrix; of the left side, left[i] has the columns from 16 i. */
static __device__ __forceinline__ void multiply(
    float sum[2 * BLOCKS][4], const Left left[BLOCKS], const element* matrix) {
#pragma unroll
  for (int j = 0; j < BLOCKS; j++) {
#pragma unroll
    for (int c = 0; c < 8; c++) sum[2 * j + (c >> 2)][c & 3] = 0;
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
      Right right[2];
      load_right<D>(right, matrix, 16 * i, 16 * j);
      multiply_add(sum[2 * j], left[i], right[0]);
      multiply_add(sum[2 * j + 1], left[i], right[1]);
    }
  }
}

/** sum = left matrix^T. */
static __device__ __forceinline__ void multiply_transposed(
    float sum[2 * BLOCKS][4], const Left left[BLOCKS], const element* matrix) {
#pragma unroll
  for (int j = 0; j < BLOCKS; j++) {
#pragma unroll
    for (int c = 0; c < 8; c++) sum[2 * j + (c >> 2)][c & 3] = 0;
#pragma unroll
    for (int i = 0; i < BLOCKS; i++) {
      Right right[2];
      load_right_transposed<D>(right, matrix, 16 * j, 16 * i);
      multiply_add(sum[2 * j], left[i], right[0]);
      multiply_add(sum[2 * j + 1], left[i], right[1]);
    }
  }
}

static __device__ __forceinline__ void store_sums(element* tile, const float sum[2 * BLOCKS][4]) {
#pragma unroll
  for (int j = 0; j < 2 * BLOCKS; j++) store_sum<D>(tile, 0, 8 * j, sum[j]);
}

/** Two tiles a stage: keys and values, later queries, whose place the result takes. */
extern "C" __global__ void __launch_bounds__(256) linear_attention_forward(
    const element* qkv, element* y, int positions, int heads, int width, int rowLength,
    int rowLengthOfY, float scale, int stages, int rooms) {
  SHARED_MEMORY(element, shared);
  int warps = blockDim.x / WARP;
  element* contextTile = shared + (long long)warps * stages * 2 * TILE_ELEMENTS;
  float* room = reinterpret_cast<float*>(contextTile + D * D);
  float* maximum = room + rooms * D * D;
  float* inverse = maximum + D;

  int image = blockIdx.x / heads;
  int head = blockIdx.x % heads;
  int features = heads * width;
  const element* start = qkv + (long long)image * positions * rowLength + head * width;
  ConstRows queries = {start, rowLength};
  ConstRows keys = {start + features, rowLength};
  ConstRows values = {start + 2 * features, rowLength};
  element* startOfY = y + (long long)image * positions * rowLengthOfY;
  Rows results = {startOfY + head * width, rowLengthOfY};

  Tiles tiles(shared, positions, stages, 2, D);
  tiles.stay = false;
  auto fetch_keys = [&](int i) {
    fetch_tile(tiles.tile(i, 0), keys, tiles.position(i), positions, width);
    fetch_tile(tiles.tile(i, 1), values, tiles.position(i), positions, width);
  };
  auto fetch_queries = [&](int i) {
    fetch_tile(tiles.tile(i, 0), queries, tiles.position(i), positions, width);
  };
  Context context;
  KeyStatistics statistics;
  clear(context);
  clear(statistics);
  tiles.begin(fetch_keys);
  tiles.go_on(fetch_keys, [&](int i) {
    add_keys(
        context, statistics, tiles.tile(i, 0), tiles.tile(i, 1), positions - tiles.position(i));
  });
  tiles.begin(fetch_queries);
  finish_context(context, statistics, maximum, inverse, room, rooms);
  if (threadIdx.x < WARP) store_context(contextTile, context, scale);
  __syncthreads();

  tiles.go_on(fetch_queries, [&](int i) {
    Left q[BLOCKS];
    load_queries(q, tiles.tile(i, 0));
    softmax_of_queries(q, width);
    float result[2 * BLOCKS][4];
    multiply(result, q, contextTile);
    __syncwarp();
    store_sums(tiles.tile(i, 0), result);
    __syncwarp();
    store_tile(results, tiles.tile(i, 0), tiles.position(i), positions, width);
  });
  if (head == 0) clear_padding(startOfY, positions, features, rowLengthOfY);
}

/**
 * For each feature, the mean slope of the softmax of the keys: the sum over e of the slopes of the
 * scaled context, as they are in its tile, and the context without scale. By the first warp.
 */
static __device__ __forceinline__ void mean_slopes(
    float* means, const float* context, const Context& slopes, float scale) {
#pragma unroll
  for (int i = 0; i < 2 * BLOCKS; i++) {
    float sum = 0;
#pragma unroll
    for (int j = 0; j < 4 * BLOCKS; j++) {
      int block = (i >> 1) * 2 * BLOCKS + (j >> 1);
      int c = 2 * (i & 1) + (j & 1);
      float slope = to_float(to_element(slopes.sum[i >> 1][j >> 1][c] * scale));
      sum += context[(4 * block + c) * WARP + lane_index()] * slope;
    }
    sum = quad_sum(sum);
    if ((lane_index() & 3) == 0) means[8 * i + (lane_index() >> 2)] = sum;
  }
}

/** The gradient of the values, in the place of the tile of keys, whose softmax k becomes. */
static __device__ __forceinline__ void gradient_of_values(
    Left k[BLOCKS], element* keys, const float* maximum, const float* inverse,
    const element* contextSlopes) {
  int t = lane_index() & 3;
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) {
    load_left<D>(k[i], keys, 0, 16 * i);
#pragma unroll
    for (int pair = 0; pair < 4; pair++) {
      int d = 16 * i + 2 * t + 8 * (pair >> 1);
      float x = exponential(pair_value(k[i].pair[pair], 0) - maximum[d]) * inverse[d];
      float y = exponential(pair_value(k[i].pair[pair], 1) - maximum[d + 1]) * inverse[d + 1];
      set_pair(k[i].pair[pair], x, y);
    }
  }
  float result[2 * BLOCKS][4];
  multiply(result, k, contextSlopes);
  __syncwarp();
  store_sums(keys, result);
}

/** The gradient of the keys, in the place of the tile of values. */
static __device__ __forceinline__ void gradient_of_keys(
    const Left k[BLOCKS], element* values, const float* means, const element* contextSlopes) {
  int t = lane_index() & 3;
  Left v[BLOCKS];
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) load_left<D>(v[i], values, 0, 16 * i);
  float result[2 * BLOCKS][4];
  multiply_transposed(result, v, contextSlopes);
#pragma unroll
  for (int j = 0; j < 2 * BLOCKS; j++) {
#pragma unroll
    for (int c = 0; c < 4; c++) {
      float share = pair_value(k[j >> 1].pair[2 * (j & 1) + (c >> 1)], c & 1);
      result[j][c] = share * (result[j][c] - means[8 * j + 2 * t + (c & 1)]);
    }
  }
  __syncwarp();
  store_sums(values, result);
}

/** The gradient of the queries, in the place of their tile. */
static __device__ __forceinline__ void gradient_of_queries(
    element* queries, const element* slopes, const element* contextTile, int width) {
  Left dy[BLOCKS];
#pragma unroll
  for (int i = 0; i < BLOCKS; i++) load_left<D>(dy[i], slopes, 0, 16 * i);
  float result[2 * BLOCKS][4];
  multiply_transposed(result, dy, contextTile);
  Left q[BLOCKS];
  load_queries(q, queries);
  softmax_of_queries(q, width);
  float mean[2] = {0, 0};
#pragma unroll
  for (int j = 0; j < 2 * BLOCKS; j++) {
#pragma unroll
    for (int c = 0; c < 4; c++) {
      float share = pair_value(q[j >> 1].pair[2 * (j & 1) + (c >> 1)], c & 1);
      mean[c >> 1] += share * result[j][c];
    }
  }
  mean[0] = quad_sum(mean[0]);
  mean[1] = quad_sum(mean[1]);
#pragma unroll
  for (int j = 0; j < 2 * BLOCKS; j++) {
#pragma unroll
    for (int c = 0; c < 4; c++) {
      float share = pair_value(q[j >> 1].pair[2 * (j & 1) + (c >> 1)], c & 1);
      result[j][c] = share * (result[j][c] - mean[c >> 1]);
    }
  }
  __syncwarp();
  store_sums(queries, result);
}

/**
 * Four tiles a stage: queries, keys, values and slopes of y. If there are as many stages as a warp has
 * tiles, each is read once; if not, three times, twice of which from the second-level cache where
 * that is large enough.
 */
extern "C" __global__ void __launch_bounds__(WIDTH * sizeof(element) == 64 ? 416 : 256) linear_attention_backward(
    const element* qkv, const element* dy, element* dqkv, int positions, int heads, int width,
    int rowLength, int rowLengthOfY, float scale, int stages, int rooms) {
  SHARED_MEMORY(element, shared);
  int warps = blockDim.x / WARP;
  element* contextTile = shared + (long long)warps * stages * 4 * TILE_ELEMENTS;
  element* slopeTile = contextTile + D * D;
  float* room = reinterpret_cast<float*>(slopeTile + D * D);
  float* maximum = room + rooms * D * D;
  float* inverse = maximum + D;
  float* means = inverse + D;

  int image = blockIdx.x / heads;
  int head = blockIdx.x % heads;
  int features = heads * width;
  long long start = (long long)image * positions * rowLength + head * width;
  ConstRows queries = {qkv + start, rowLength};
  ConstRows keys = {qkv + start + features, rowLength};
  ConstRows values = {qkv + start + 2 * features, rowLength};
  ConstRows slopes = {
      dy + (long long)image * positions * rowLengthOfY + head * width, rowLengthOfY};

  Tiles tiles(shared, positions, stages, 4, D);
  auto fetch_keys = [&](int i) {
    fetch_tile(tiles.tile(i, 1), keys, tiles.position(i), positions, width);
    fetch_tile(tiles.tile(i, 2), values, tiles.position(i), positions, width);
  };
  auto fetch_queries = [&](int i) {
    fetch_tile(tiles.tile(i, 0), queries, tiles.position(i), positions, width);
    fetch_tile(tiles.tile(i, 3), slopes, tiles.position(i), positions, width);
  };
  auto fetch_all = [&](int i) {
    fetch_keys(i);
    fetch_queries(i);
  };

  Context context;
  KeyStatistics statistics;
  clear(context);
  clear(statistics);
  auto with_keys = [&](int i) {
    add_keys(
        context, statistics, tiles.tile(i, 1), tiles.tile(i, 2), positions - tiles.position(i));
  };
  tiles.begin(fetch_keys);
  if (tiles.stay) {
    tiles.begin(fetch_queries);
    tiles.go_on_with_all(tiles.count, with_keys);
  } else {
    tiles.go_on(fetch_keys, with_keys);
    tiles.begin(fetch_queries);
  }
  finish_context(context, statistics, maximum, inverse, room, rooms);

  // The context waits in the first room.
  __syncthreads();
  if (threadIdx.x < WARP) {
#pragma unroll
    for (int i = 0; i < D * D / WARP; i++) {
      room[i * WARP + threadIdx.x] = context.sum[i / (8 * BLOCKS)][i / 4 % (2 * BLOCKS)][i % 4];
    }
  }
  clear(context);
  auto with_queries = [&](int i) {
    add_queries(context, tiles.tile(i, 0), tiles.tile(i, 3), width);
  };
  if (tiles.stay) {
    tiles.go_on_with_all(0, with_queries);
  } else {
    tiles.go_on(fetch_queries, with_queries);
    tiles.begin(fetch_all);
  }
  add_warps(context, room + D * D, rooms - 1);
  if (threadIdx.x < WARP) {
    mean_slopes(means, room, context, scale);
    store_context(slopeTile, context, scale);
#pragma unroll
    for (int i = 0; i < D * D / WARP; i++) {
      context.sum[i / (8 * BLOCKS)][i / 4 % (2 * BLOCKS)][i % 4] = room[i * WARP + threadIdx.x];
    }
    store_context(contextTile, context, scale);
  }
  __syncthreads();

  element* startOfGradient = dqkv + (long long)image * positions * rowLength;
  element* gradient = startOfGradient + head * width;
  auto gradients = [&](int i) {
    element* q = tiles.tile(i, 0);
    element* k = tiles.tile(i, 1);
    element* v = tiles.tile(i, 2);
    int position = tiles.position(i);
    Left softmaxOfKeys[BLOCKS];
    gradient_of_values(softmaxOfKeys, k, maximum, inverse, slopeTile);
    gradient_of_keys(softmaxOfKeys, v, means, slopeTile);
    gradient_of_queries(q, tiles.tile(i, 3), contextTile, width);
    __syncwarp();
    store_tile({gradient, rowLength}, q, position, positions, width);
    store_tile({gradient + features, rowLength}, v, position, positions, width);
    store_tile({gradient + 2 * features, rowLength}, k, position, positions, width);
  };
  if (tiles.stay) {
    tiles.go_on_with_all(0, gradients);
  } else {
    tiles.go_on(fetch_all, gradients);
  }
  if (head == 0) clear_padding(startOfGradient, positions, 3 * features, rowLength);
}

#else

// Plain loops, for any width. The scratch memory of a block, [2][width][width], holds the context and
// its slopes, both scaled; the shared memory has a few rows of positions.

constexpr int CHUNK = 8;  // positions at a time: one for each warp of 256 threads

/** One head of one image. */
struct Head {
  ConstRows queries;
  ConstRows keys;
  ConstRows values;
  int positions;
  int width;
};

static __device__ Head head_of(
    const element* qkv, int positions, int heads, int width, int rowLength) {
  const element* start =
      qkv + (long long)(blockIdx.x / heads) * positions * rowLength + blockIdx.x % heads * width;
  int features = heads * width;
  return {
      {start, rowLength},
      {start + features, rowLength},
      {start + 2 * features, rowLength},
      positions,
      width};
}

static __device__ float at(ConstRows rows, int p, int c) {
  return to_float(rows.first[(long long)p * rows.stride + c]);
}

/** The maximum of each feature's keys and the inverse of the sum of their exponentials. */
static __device__ void statistics_of_keys(const Head& head, float* maximum, float* inverse) {
  int warp = threadIdx.x / WARP;
  for (int d = warp; d < head.width; d += blockDim.x / WARP) {
    float most = minus_infinity();
    for (int p = lane_index(); p < head.positions; p += WARP) {
      most = fmaxf(most, at(head.keys, p, d));
    }
    most = warp_max(most);
    float total = 0;
    for (int p = lane_index(); p < head.positions; p += WARP) {
      total += expf(at(head.keys, p, d) - most);
    }
    total = warp_sum(total);
    if (lane_index() == 0) {
      maximum[d] = most;
      inverse[d] = 1 / total;
    }
  }
  __syncthreads();
}

/** Rows of shared memory become rows of a map; those that do not exist become zero. */
static __device__ void load_rows(float* rows, ConstRows from, int first, const Head& head) {
  for (int i = threadIdx.x; i < CHUNK * head.width; i += blockDim.x) {
    int p = first + i / head.width;
    rows[i] = p < head.positions ? at(from, p, i % head.width) : 0.0f;
  }
}

/** The softmax of some keys over all positions. */
static __device__ void load_softmax_of_keys(
    float* rows, const Head& head, const float* maximum, const float* inverse, int first) {
  for (int i = threadIdx.x; i < CHUNK * head.width; i += blockDim.x) {
    int p = first + i / head.width;
    int d = i % head.width;
    rows[i] =
        p < head.positions ? expf(at(head.keys, p, d) - maximum[d]) * inverse[d] : 0.0f;
  }
}

/** The softmax of some queries over the features, by a warp each. */
static __device__ void load_softmax_of_queries(float* rows, const Head& head, int first) {
  int warp = threadIdx.x / WARP;
  int p = first + warp;
  if (warp >= CHUNK) return;
  float* row = rows + warp * head.width;
  float most = minus_infinity();
  for (int d = lane_index(); d < head.width; d += WARP) {
    row[d] = p < head.positions ? at(head.queries, p, d) : 0.0f;
    most = fmaxf(most, row[d]);
  }
  most = warp_max(most);
  float total = 0;
  for (int d = lane_index(); d < head.width; d += WARP) {
    row[d] = expf(row[d] - most);
    total += row[d];
  }
  total = 1 / warp_sum(total);
  for (int d = lane_index(); d < head.width; d += WARP) row[d] *= total;
}

/** matrix += scale left^T right, of rows of shared memory. */
static __device__ void add_products(
    float* matrix, const float* left, const float* right, int width, float scale) {
  for (int i = threadIdx.x; i < width * width; i += blockDim.x) {
    float sum = 0;
    for (int p = 0; p < CHUNK; p++) {
      sum += left[p * width + i / width] * right[p * width + i % width];
    }
    matrix[i] += scale * sum;
  }
}

static __device__ void context_of_keys(
    float* context, const Head& head, const float* maximum, const float* inverse, float* k,
    float* v, float scale) {
  for (int i = threadIdx.x; i < head.width * head.width; i += blockDim.x) context[i] = 0;
  for (int first = 0; first < head.positions; first += CHUNK) {
    __syncthreads();
    load_softmax_of_keys(k, head, maximum, inverse, first);
    load_rows(v, head.values, first, head);
    __syncthreads();
    add_products(context, k, v, head.width, scale);
  }
  __syncthreads();
}

/** The product of a row of shared memory and a column of a matrix, or of a row of it. */
static __device__ float product(const float* row, const float* matrix, int stride, int width) {
  float sum = 0;
  for (int d = 0; d < width; d++) sum += row[d] * matrix[d * stride];
  return sum;
}

extern "C" __global__ void __launch_bounds__(256) linear_attention_forward_of_any(
    const element* qkv, element* y, int positions, int heads, int width, int rowLength,
    int rowLengthOfY, float scale, float* scratch) {
  SHARED_MEMORY(float, shared);
  Head head = head_of(qkv, positions, heads, width, rowLength);
  float* maximum = shared;
  float* inverse = maximum + width;
  float* q = inverse + width;
  float* v = q + CHUNK * width;
  float* context = scratch + (long long)blockIdx.x * 2 * width * width;
  statistics_of_keys(head, maximum, inverse);
  context_of_keys(context, head, maximum, inverse, q, v, scale);
  element* startOfY = y + (long long)(blockIdx.x / heads) * positions * rowLengthOfY;
  element* result = startOfY + blockIdx.x % heads * width;
  for (int first = 0; first < positions; first += CHUNK) {
    __syncthreads();
    load_softmax_of_queries(q, head, first);
    __syncthreads();
    for (int i = threadIdx.x; i < CHUNK * width; i += blockDim.x) {
      int p = i / width;
      int e = i % width;
      if (first + p < positions) {
        result[(long long)(first + p) * rowLengthOfY + e] =
            to_element(product(q + p * width, context + e, width, width));
      }
    }
  }
  if (blockIdx.x % heads == 0) clear_padding(startOfY, positions, heads * width, rowLengthOfY);
}

extern "C" __global__ void __launch_bounds__(256) linear_attention_backward_of_any(
    const element* qkv, const element* dy, element* dqkv, int positions, int heads, int width,
    int rowLength, int rowLengthOfY, float scale, float* scratch) {
  SHARED_MEMORY(float, shared);
  Head head = head_of(qkv, positions, heads, width, rowLength);
  int features = heads * width;
  ConstRows slopes = {
      dy + (long long)(blockIdx.x / heads) * positions * rowLengthOfY
          + blockIdx.x % heads * width,
      rowLengthOfY};
  float* maximum = shared;
  float* inverse = maximum + width;
  float* means = inverse + width;
  float* q = means + width;
  float* k = q + CHUNK * width;
  float* v = k + CHUNK * width;
  float* dyRows = v + CHUNK * width;
  float* dq = dyRows + CHUNK * width;
  float* context = scratch + (long long)blockIdx.x * 2 * width * width;
  float* contextSlopes = context + width * width;
  statistics_of_keys(head, maximum, inverse);
  context_of_keys(context, head, maximum, inverse, k, v, scale);
  for (int i = threadIdx.x; i < width * width; i += blockDim.x) contextSlopes[i] = 0;
  for (int first = 0; first < positions; first += CHUNK) {
    __syncthreads();
    load_softmax_of_queries(q, head, first);
    load_rows(dyRows, slopes, first, head);
    __syncthreads();
    add_products(contextSlopes, q, dyRows, width, scale);
  }
  __syncthreads();
  for (int d = threadIdx.x; d < width; d += blockDim.x) {
    means[d] = product(contextSlopes + d * width, context + d * width, 1, width) / scale;
  }
  element* startOfGradient = dqkv + (long long)(blockIdx.x / heads) * positions * rowLength;
  element* gradient = startOfGradient + blockIdx.x % heads * width;
  for (int first = 0; first < positions; first += CHUNK) {
    __syncthreads();
    load_softmax_of_queries(q, head, first);
    load_softmax_of_keys(k, head, maximum, inverse, first);
    load_rows(v, head.values, first, head);
    load_rows(dyRows, slopes, first, head);
    __syncthreads();
    for (int i = threadIdx.x; i < CHUNK * width; i += blockDim.x) {
      dq[i] = product(dyRows + i / width * width, context + i % width * width, 1, width);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < CHUNK * width; i += blockDim.x) {
      int row = i / width * width;
      int d = i % width;
      int p = first + i / width;
      if (p >= positions) continue;
      element* to = gradient + (long long)p * rowLength + d;
      float mean = product(q + row, dq + row, 1, width);
      to[0] = to_element(q[i] * (dq[i] - mean));
      float ofKey = product(v + row, contextSlopes + d * width, 1, width);
      to[features] = to_element(k[i] * (ofKey - means[d]));
      to[2 * features] = to_element(product(k + row, contextSlopes + d, width, width));
    }
  }
  if (blockIdx.x % heads == 0) {
    clear_padding(startOfGradient, positions, 3 * features, rowLength);
  }
}

#endif
