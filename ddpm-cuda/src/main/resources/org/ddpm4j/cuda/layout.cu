// Feature maps moved about: to and from images [N,C,H,W] of dense float, joined and cut along the
// channels, and over squares of two by two positions. In [N,H,W,C] a row is one position.
#include "any_format.cuh"

// ---------------------------------------------------------------------------- order of axes

constexpr int TILE = 32;
constexpr int TILE_THREADS = 256;
constexpr int PACKS_OF_TILE = TILE / PACK;

// A tile of 32 positions and 32 channels of one image.
struct Tile {
  long long image;
  int firstPosition;
  int firstChannel;

  __device__ __forceinline__ Tile(int positions) {
    int tiles = (positions + TILE - 1) / TILE;
    image = blockIdx.x / tiles;
    firstPosition = blockIdx.x % tiles * TILE;
    firstChannel = blockIdx.y * TILE;
  }
};

// images [N,C,P] to maps [N,P,rowLength]: grid (N * tiles of P, tiles of rowLength).
extern "C" __global__ void channels_last(
    const float* images, element* maps, int positions, int channels, int rowLength) {
  __shared__ float values[TILE][TILE + 1];
  Tile tile(positions);
  int lane = threadIdx.x % TILE;
  for (int i = threadIdx.x / TILE; i < TILE; i += TILE_THREADS / TILE) {
    int channel = tile.firstChannel + i;
    int position = tile.firstPosition + lane;
    bool valid = channel < channels && position < positions;
    values[i][lane] =
        valid ? images[(tile.image * channels + channel) * positions + position] : 0.0f;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < TILE * PACKS_OF_TILE; i += TILE_THREADS) {
    int line = i / PACKS_OF_TILE;
    int first = i % PACKS_OF_TILE * PACK;
    int position = tile.firstPosition + line;
    if (position < positions && tile.firstChannel + first < rowLength) {
      float pack[PACK];
#pragma unroll
      for (int j = 0; j < PACK; j++) pack[j] = values[first + j][line];
      long long row = tile.image * positions + position;
      store_floats(maps + row * rowLength + tile.firstChannel + first, pack);
    }
  }
}

// maps [N,P,rowLength] to images [N,C,P]: the same grid.
extern "C" __global__ void channels_first(
    const element* maps, float* images, int positions, int channels, int rowLength) {
  __shared__ float values[TILE][TILE + 1];
  Tile tile(positions);
  for (int i = threadIdx.x; i < TILE * PACKS_OF_TILE; i += TILE_THREADS) {
    int line = i / PACKS_OF_TILE;
    int first = i % PACKS_OF_TILE * PACK;
    int position = tile.firstPosition + line;
    if (position < positions && tile.firstChannel + first < rowLength) {
      float pack[PACK];
      long long row = tile.image * positions + position;
      load_floats(pack, maps + row * rowLength + tile.firstChannel + first);
#pragma unroll
      for (int j = 0; j < PACK; j++) values[first + j][line] = pack[j];
    }
  }
  __syncthreads();
  int lane = threadIdx.x % TILE;
  for (int i = threadIdx.x / TILE; i < TILE; i += TILE_THREADS / TILE) {
    int channel = tile.firstChannel + i;
    int position = tile.firstPosition + lane;
    if (channel < channels && position < positions) {
      images[(tile.image * channels + channel) * positions + position] = values[i][lane];
    }
  }
}

// The same for up to 8 channels, whose rows have 8 elements: one thread for each position.
constexpr int FEW = 8;

extern "C" __global__ void channels_last_few(
    const float* images, element* maps, long long rows, int positions, int channels) {
  long long row = thread_of_grid();
  if (row >= rows) return;
  long long image = row / positions;
  const float* from = images + image * channels * positions + (row - image * positions);
  float values[FEW];
#pragma unroll
  for (int c = 0; c < FEW; c++) values[c] = c < channels ? from[(long long)c * positions] : 0.0f;
#pragma unroll
  for (int c = 0; c < FEW; c += PACK) store_floats(maps + row * FEW + c, values + c);
}

extern "C" __global__ void channels_first_few(
    const element* maps, float* images, long long rows, int positions, int channels) {
  long long row = thread_of_grid();
  if (row >= rows) return;
  long long image = row / positions;
  float* to = images + image * channels * positions + (row - image * positions);
  float values[FEW];
#pragma unroll
  for (int c = 0; c < FEW; c += PACK) load_floats(values + c, maps + row * FEW + c);
#pragma unroll
  for (int c = 0; c < FEW; c++) {
    if (c < channels) to[(long long)c * positions] = values[c];
  }
}

// The same from and to any formats, one thread for each number of the output and for its padding:
// to [N,H,W,C] if toLast, else to [N,C,H,W].
extern "C" __global__ void permute_any(
    const void* from, int isBfloat16OfFrom, int rowLengthOfFrom, void* to, int isBfloat16OfTo,
    int rowLengthOfTo, int toLast, int images, int channels, int height, int width) {
  long long i = thread_of_grid();
  long long row = i / rowLengthOfTo;
  int column = (int)(i - row * rowLengthOfTo);
  int middle = toLast ? width : height;  // the output's third axis
  int second = toLast ? height : channels;
  int last = toLast ? channels : width;
  int k = (int)(row % middle);
  int j = (int)(row / middle % second);
  long long image = row / middle / second;
  if (image >= images) return;
  float value = 0;
  if (column < last) {
    long long source =
        toLast ? (image * channels + column) * height + j : (image * height + k) * width + column;
    value = load_any(from, isBfloat16OfFrom, source * rowLengthOfFrom + (toLast ? k : j));
  }
  store_any(to, isBfloat16OfTo, i, value);
}

// ---------------------------------------------------------------------------- joining and cutting

// 16 bytes in pieces that may lie at multiples of their own length.
template <int PIECES>
struct __align__(16 / PIECES) Piece {
  element v[PACK / PIECES];
};

template <int PIECES>
union __align__(16) Pieces {
  Pack pack;
  Piece<PIECES> piece[PIECES];
};

template <int PIECES>
static __device__ __forceinline__ Piece<PIECES> load_piece(const element* from) {
  return *reinterpret_cast<const Piece<PIECES>*>(from);
}

// Beyond b's channels a piece holds b's padding.
template <int PIECES>
static __device__ __forceinline__ Pack joined(
    const element* a, int channelsOfA, const element* b, int channelsOfB, int channel) {
  Pieces<PIECES> result;
  result.pack = zero_pack();
#pragma unroll
  for (int i = 0; i < PIECES; i++) {
    int c = channel + i * (PACK / PIECES);
    if (c < channelsOfA) {
      result.piece[i] = load_piece<PIECES>(a + c);
    } else if (c - channelsOfA < channelsOfB) {
      result.piece[i] = load_piece<PIECES>(b + (c - channelsOfA));
    }
  }
  return result.pack;
}

// Joins rows: one thread for each pack of y. The longest pieces whose length divides a's channels.
extern "C" __global__ void concat_channels(
    const element* a, const element* b, element* y, long long rows, int channelsOfA,
    int channelsOfB, int rowLengthOfA, int rowLengthOfB, int rowLengthOfY) {
  int packs = rowLengthOfY / PACK;
  long long i = thread_of_grid();
  long long row = i / packs;
  int channel = (int)(i - row * packs) * PACK;
  if (row >= rows) return;
  a += row * rowLengthOfA;
  b += row * rowLengthOfB;
  Pack pack;
  if (channelsOfA % PACK == 0) {
    pack = joined<1>(a, channelsOfA, b, channelsOfB, channel);
  } else if (channelsOfA % (PACK / 2) == 0) {
    pack = joined<2>(a, channelsOfA, b, channelsOfB, channel);
  } else {
    pack = joined<PACK>(a, channelsOfA, b, channelsOfB, channel);
  }
  store_pack(y + i * PACK, pack);
}

// PACK channels of x from `channel` on, those from `channels` on zero, which x has behind its own.
template <int PIECES>
static __device__ __forceinline__ Pack cut(const element* x, int channels, int channel) {
  Pieces<PIECES> result;
  result.pack = zero_pack();
#pragma unroll
  for (int i = 0; i < PIECES; i++) {
    int c = channel + i * (PACK / PIECES);
    if (c < channels) result.piece[i] = load_piece<PIECES>(x + c);
  }
  return result.pack;
}

// Cuts rows: one thread for each pack of a, of which there are rows * rowLengthOfA / PACK, and then
// for each of b. Of an output that nobody wants the row length is 0.
extern "C" __global__ void split_channels(
    const element* x, element* a, element* b, long long rows, int channelsOfA, int channelsOfB,
    int rowLengthOfX, int rowLengthOfA, int rowLengthOfB) {
  long long i = thread_of_grid();
  long long packsOfA = rows * (rowLengthOfA / PACK);
  bool isA = i < packsOfA;
  if (!isA) i -= packsOfA;
  int packs = (isA ? rowLengthOfA : rowLengthOfB) / PACK;
  if (packs == 0) return;
  long long row = i / packs;
  int channel = (int)(i - row * packs) * PACK;
  if (row >= rows) return;
  x += row * rowLengthOfX + (isA ? 0 : channelsOfA);
  int channels = isA ? channelsOfA : channelsOfB;
  Pack pack;
  if (channelsOfA % PACK == 0) {
    pack = cut<1>(x, channels, channel);
  } else if (channelsOfA % (PACK / 2) == 0) {
    pack = cut<2>(x, channels, channel);
  } else {
    pack = cut<PACK>(x, channels, channel);
  }
  store_pack((isA ? a : b) + i * PACK, pack);
}

// ---------------------------------------------------------------------------- squares of positions

// One thread for each pack of each square: where it lies in a map of squares, and where the first
// of its four positions lies in the larger map of `height` times `width` positions.
struct Square {
  bool works;
  long long small;
  long long large;
  int down;   // to the next line of the larger map
  int right;  // to the next position
  bool hasRight;
  bool hasDown;

  // `partsToo`: whether an odd last line or column makes squares too, of which parts are missing.
  __device__ __forceinline__ Square(
      int images, int height, int width, int rowLength, bool partsToo) {
    int packs = rowLength / PACK;
    int h = (height + partsToo) / 2;
    int w = (width + partsToo) / 2;
    long long i = thread_of_grid();
    long long row = i / packs;
    int channel = (int)(i - row * packs) * PACK;
    int x = (int)(row % w);
    int y = (int)(row / w % h);
    long long image = row / w / h;
    works = image < images;
    small = ((image * (height / 2) + y) * (width / 2) + x) * rowLength + channel;
    large = ((image * height + 2 * y) * width + 2 * x) * rowLength + channel;
    down = width * rowLength;
    right = rowLength;
    hasRight = 2 * x + 1 < width;
    hasDown = 2 * y + 1 < height;
  }

  __device__ __forceinline__ long long at(int corner) const {
    return large + corner / 2 * down + corner % 2 * right;
  }
};

// y = factor * sum over squares of x [N,height,width,C]
extern "C" __global__ void sums_of_squares(
    const element* x, element* y, int images, int height, int width, int rowLength, float factor) {
  Square square(images, height, width, rowLength, false);
  if (!square.works) return;
  float values[4][PACK];
#pragma unroll
  for (int k = 0; k < 4; k++) load_floats(values[k], x + square.at(k));
#pragma unroll
  for (int i = 0; i < PACK; i++) {
    values[0][i] = factor * ((values[0][i] + values[2][i]) + (values[1][i] + values[3][i]));
  }
  store_floats(y + square.small, values[0]);
}

// each position of the squares of y [N,height,width,C] = factor * x
extern "C" __global__ void repeat_in_squares(
    const element* x, element* y, int images, int height, int width, int rowLength, float factor) {
  Square square(images, height, width, rowLength, false);
  if (!square.works) return;
  float values[PACK];
  load_floats(values, x + square.small);
#pragma unroll
  for (int i = 0; i < PACK; i++) values[i] *= factor;
#pragma unroll
  for (int k = 0; k < 4; k++) store_floats(y + square.at(k), values);
}

extern "C" __global__ void max_pool(
    const element* x, element* y, int images, int height, int width, int rowLength) {
  Square square(images, height, width, rowLength, false);
  if (!square.works) return;
  float values[4][PACK];
#pragma unroll
  for (int k = 0; k < 4; k++) load_floats(values[k], x + square.at(k));
#pragma unroll
  for (int i = 0; i < PACK; i++) {
#pragma unroll
    for (int k = 1; k < 4; k++) {
      if (values[k][i] > values[0][i]) values[0][i] = values[k][i];
    }
  }
  store_floats(y + square.small, values[0]);
}

// The gradient goes to the first of the largest; positions outside of squares get zeros.
extern "C" __global__ void max_pool_gradient(
    const element* x, const element* dy, element* dx, int images, int height, int width,
    int rowLength) {
  Square square(images, height, width, rowLength, true);
  if (!square.works) return;
  bool whole = square.hasRight && square.hasDown;
  float values[4][PACK] = {};
  float gradient[PACK] = {};
  if (whole) {
#pragma unroll
    for (int k = 0; k < 4; k++) load_floats(values[k], x + square.at(k));
    load_floats(gradient, dy + square.small);
  }
#pragma unroll
  for (int i = 0; i < PACK; i++) {
    int first = 0;
    float largest = values[0][i];
#pragma unroll
    for (int k = 1; k < 4; k++) {
      if (values[k][i] > largest) {
        largest = values[k][i];
        first = k;
      }
    }
#pragma unroll
    for (int k = 0; k < 4; k++) values[k][i] = k == first ? gradient[i] : 0.0f;
  }
#pragma unroll
  for (int k = 0; k < 4; k++) {
    bool exists = (k % 2 == 0 || square.hasRight) && (k / 2 == 0 || square.hasDown);
    if (exists) store_floats(dx + square.at(k), values[k]);
  }
}
