// Group normalisation (Wu and He 2018) followed by an activation function, and its gradient.
//
//   z = gamma (x - mean) / sqrt(variance + epsilon) + beta,  y = activation(z)
//
// with mean and variance over the positions of one image and the channels of one group. x, y are
// feature maps [N,P,C] with rows of rowLength elements, gamma and beta float [C]. Where `vector` is
// not null, x + vector[n][c] is normalised instead of x (vector: float [N,C]). Where `added` (float
// [N,C]) and `residual` (a map) are not null, y = activation(z) + added[n][c] + residual.
//
// A block works on one image and a slab: as many whole groups as make a row's part long enough for
// good memory accesses. The slab stays in shared memory, so that everything is read once; statistics
// take two passes over it, for the sake of their digits. Maps too large for that are cut in chunks
// of rows, whose statistics go through scratch memory and are combined by the next kernel.
//
// Backward, with x^ = (x - mean) rstd, dz = dy activation'(z), and M elements in a group:
//   dbeta = sum of dz, dgamma = sum of dz x^       (over positions; images by a kernel of its own)
//   dx = rstd (gamma dz - sum of gamma dz / M - x^ sum of gamma dz x^ / M) + residual, if not null
#include "rows.cuh"

// ---------------------------------------------------------------------------- slabs

// The part of an image that a block works on.
struct Slab {
  int image;
  int channel;   // its first
  int channels;  // without padding
  int packs;     // of a row, with padding
  int groups;
  int channelsPerGroup;
  int firstRow;  // of the chunk, in the image
  int rows;

  // blockIdx.x: slabs of images; blockIdx.y: chunks of rows.
  __device__ __forceinline__ Slab(
      int positions, int rowsOfChunk, int allChannels, int rowLength, int allGroups,
      int slabPacks) {
    int slabs = (rowLength / PACK + slabPacks - 1) / slabPacks;
    int slab = blockIdx.x % slabs;
    image = blockIdx.x / slabs;
    channel = slab * slabPacks * PACK;
    channels = max(0, min(slabPacks * PACK, allChannels - channel));
    packs = min(slabPacks, rowLength / PACK - slab * slabPacks);
    channelsPerGroup = allChannels / allGroups;
    groups = channels / channelsPerGroup;
    firstRow = blockIdx.y * rowsOfChunk;
    rows = min(rowsOfChunk, positions - firstRow);
  }

  __device__ __forceinline__ size_t offset(int positions, int rowLength) const {
    return ((size_t)image * positions + firstRow) * rowLength + channel;
  }

  __device__ __forceinline__ float elements(int positions) const {
    return (float)positions * channelsPerGroup;
  }
};

// Begins to copy what the thread works on to its own places in shared memory.
static __device__ __forceinline__ void fetch(
    element* shared, const element* map, const Place& place, int rows, int rowLength) {
  if (place.works) {
    for (int r = place.line; r < rows; r += place.lines) {
      cp_async_16(
          shared + (r * place.packs + place.pack) * PACK,
          map + (size_t)r * rowLength + place.pack * PACK, true);
    }
  }
  cp_async_commit();
}

// What belongs to the channels of the thread's pack: 0 where they are padding.
static __device__ __forceinline__ void load_channels(
    float v[PACK], const float* values, const Slab& slab, const Place& place) {
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    int c = place.pack * PACK + j;
    v[j] = values != nullptr && place.works && c < slab.channels ? values[slab.channel + c] : 0.0f;
  }
}

// What belongs to the groups of the channels of the thread's pack: 0 where they are padding.
static __device__ __forceinline__ void load_groups(
    float v[PACK], const float* ofGroups, const Slab& slab, const Place& place) {
  int c = place.pack * PACK;
  int group = c / slab.channelsPerGroup;
  int next = (group + 1) * slab.channelsPerGroup;
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    if (c + j == next) {
      group++;
      next += slab.channelsPerGroup;
    }
    v[j] = place.works && c + j < slab.channels ? ofGroups[group] : 0.0f;
  }
}

static __device__ __forceinline__ const element* from(const element* map, size_t offset) {
  return map == nullptr ? nullptr : map + offset;
}

// The thread's vector, which is added to x.
static __device__ __forceinline__ void load_vector(
    float v[PACK], const float* vector, const Slab& slab, const Place& place, int channels) {
  load_channels(
      v, vector == nullptr ? nullptr : vector + (size_t)slab.image * channels, slab, place);
}

static __device__ __forceinline__ void clear(float v[PACK]) {
#pragma unroll
  for (int j = 0; j < PACK; j++) v[j] = 0;
}

// Calls name<FUNCTION>(...), so that loops hold no decision.
#define WITH_FUNCTION(function, name, ...)          \
  switch (function) {                               \
    case SILU: name<SILU>(__VA_ARGS__); break;      \
    case GELU: name<GELU>(__VA_ARGS__); break;      \
    case RELU: name<RELU>(__VA_ARGS__); break;      \
    case MISH: name<MISH>(__VA_ARGS__); break;      \
    case GELU_TANH: name<GELU_TANH>(__VA_ARGS__); break; \
    default: name<IDENTITY>(__VA_ARGS__); break;    \
  }

// ---------------------------------------------------------------------------- statistics

// Mean and sum of squared deviations of each group of the slab, which lies in shared memory.
static __device__ __forceinline__ void moments(
    const element* shared, const float vector[PACK], const Slab& slab, const Place& place,
    float elements, float* buffer, float* mean, float* deviations) {
  float v[PACK], x[PACK], m[PACK];
  clear(v);
  if (place.works) {
    for (int r = place.line; r < slab.rows; r += place.lines) {
      load_floats(x, shared + (r * place.packs + place.pack) * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) v[j] += x[j] + vector[j];
    }
  }
  sum_over_rows(v, place, slab.channelsPerGroup, slab.groups, buffer, mean);
  for (int g = threadIdx.x; g < slab.groups; g += blockDim.x) mean[g] /= elements;
  __syncthreads();
  load_groups(m, mean, slab, place);
  clear(v);
  if (place.works) {
    for (int r = place.line; r < slab.rows; r += place.lines) {
      load_floats(x, shared + (r * place.packs + place.pack) * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        float d = x[j] + vector[j] - m[j];
        v[j] += d * d;
      }
    }
  }
  // Padding has the value and the mean 0, and so no deviation.
  sum_over_rows(v, place, slab.channelsPerGroup, slab.groups, buffer, deviations);
}

// deviations[g] becomes one by the standard deviation.
static __device__ __forceinline__ void invert(
    float* deviations, const Slab& slab, float elements, float epsilon) {
  for (int g = threadIdx.x; g < slab.groups; g += blockDim.x) {
    deviations[g] = 1.0f / sqrtf(deviations[g] / elements + epsilon);
  }
  __syncthreads();
}

// z = a (x - centre) + b: gives a, b, and makes the vector that is added to x the centre.
static __device__ __forceinline__ void normalisation(
    float a[PACK], float b[PACK], float vectorToCentre[PACK], const float* gamma,
    const float* beta, const float* mean, const float* rstd, const Slab& slab,
    const Place& place) {
  float m[PACK], s[PACK];
  load_channels(a, gamma, slab, place);
  load_channels(b, beta, slab, place);
  load_groups(m, mean, slab, place);
  load_groups(s, rstd, slab, place);
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    a[j] *= s[j];
    vectorToCentre[j] = m[j] - vectorToCentre[j];
  }
}

// ---------------------------------------------------------------------------- forward

// Adds the thread's part of a row of a map, if there is one.
static __device__ __forceinline__ void add_residual(float v[PACK], const element* residual) {
  if (residual == nullptr) return;
  float u[PACK];
  load_floats(u, residual);
#pragma unroll
  for (int j = 0; j < PACK; j++) v[j] += u[j];
}

// The slab's part of `added`, with zeros where channels are padding, to shared memory: all threads
// call it, and see it after a barrier. Registers are too few for it.
static __device__ __forceinline__ const float* keep_added(
    float* shared, const float* added, const Slab& slab, int slabPacks, int channels) {
  if (added == nullptr) return nullptr;
  for (int c = threadIdx.x; c < slabPacks * PACK; c += blockDim.x) {
    size_t at = (size_t)slab.image * channels + slab.channel + c;
    shared[c] = c < slab.channels ? added[at] : 0.0f;
  }
  return shared;
}

// From the slab's rows, in shared memory or not, to y. `added` lies in shared memory; both it and
// `residual` may be null.
template <int FUNCTION>
static __device__ __forceinline__ void write_normalised(
    const element* x, size_t rowOfX, element* y, size_t rowOfY, const float a[PACK],
    const float b[PACK], const float centre[PACK], const float* added, const element* residual,
    const Slab& slab, const Place& place) {
  if (!place.works) return;
  x += place.pack * PACK;
  y += place.pack * PACK;
  if (residual != nullptr) residual += place.pack * PACK;
  for (int r = place.line; r < slab.rows; r += place.lines) {
    float v[PACK];
    load_floats(v, x + r * rowOfX);
#pragma unroll
    for (int j = 0; j < PACK; j++) v[j] = activate(FUNCTION, fmaf(v[j] - centre[j], a[j], b[j]));
    if (added != nullptr) {
#pragma unroll
      for (int j = 0; j < PACK; j++) v[j] += added[place.pack * PACK + j];
    }
    add_residual(v, from(residual, r * rowOfY));
    store_floats(y + r * rowOfY, v);
  }
}

// One block for each slab of each image. Shared memory: the slab, the buffer of sum_over_rows, a
// float for each of its channels and two for each of its groups.
extern "C" __global__ void __launch_bounds__(1024) group_norm_forward(
    const element* x, const float* vector, const float* __restrict__ gamma,
    const float* __restrict__ beta, const float* __restrict__ added, const element* residual,
    element* y, int positions, int channels, int rowLength, int groups, int slabPacks,
    int bufferFloats, float epsilon, int function) {
  SHARED_MEMORY(element, tile);
  Slab slab(positions, positions, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  float* buffer = reinterpret_cast<float*>(tile + (size_t)positions * slabPacks * PACK);
  float* ending = buffer + bufferFloats;
  float* mean = ending + slabPacks * PACK;
  float* rstd = mean + slabPacks * PACK / slab.channelsPerGroup;
  size_t offset = slab.offset(positions, rowLength);
  const float* kept = keep_added(ending, added, slab, slabPacks, channels);
  fetch(tile, x + offset, place, slab.rows, rowLength);
  float v[PACK], a[PACK], b[PACK];
  load_vector(v, vector, slab, place, channels);
  cp_async_wait<0>();
  float elements = slab.elements(positions);
  moments(tile, v, slab, place, elements, buffer, mean, rstd);
  invert(rstd, slab, elements, epsilon);
  normalisation(a, b, v, gamma, beta, mean, rstd, slab, place);
  WITH_FUNCTION(
      function, write_normalised, tile, slabPacks * PACK, y + offset, rowLength, a, b, v,
      kept, from(residual, offset), slab, place);
}

// Mean and sum of squared deviations of each chunk: [N,groups,chunks,2].
extern "C" __global__ void __launch_bounds__(1024) group_norm_chunk_statistics(
    const element* __restrict__ x, const float* vector, float* statistics, int positions,
    int channels, int rowLength, int groups, int slabPacks, int bufferFloats, int rowsOfChunk) {
  SHARED_MEMORY(element, tile);
  Slab slab(positions, rowsOfChunk, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  float* buffer = reinterpret_cast<float*>(tile + (size_t)rowsOfChunk * slabPacks * PACK);
  float* mean = buffer + bufferFloats;
  float* deviations = mean + slabPacks * PACK / slab.channelsPerGroup;
  fetch(tile, x + slab.offset(positions, rowLength), place, slab.rows, rowLength);
  float v[PACK];
  load_vector(v, vector, slab, place, channels);
  cp_async_wait<0>();
  moments(tile, v, slab, place, slab.elements(slab.rows), buffer, mean, deviations);
  int firstGroup = slab.channel / slab.channelsPerGroup;
  for (int g = threadIdx.x; g < slab.groups; g += blockDim.x) {
    size_t at = ((size_t)slab.image * groups + firstGroup + g) * gridDim.y + blockIdx.y;
    statistics[2 * at] = mean[g];
    statistics[2 * at + 1] = deviations[g];
  }
}

// Mean and one by standard deviation of an image's groups from those of its chunks (Chan et al.
// 1979), by every block again.
static __device__ __forceinline__ void combine(
    const float* __restrict__ statistics, const Slab& slab, int positions, int rowsOfChunk,
    int groups, float epsilon, float* mean, float* rstd) {
  int firstGroup = slab.channel / slab.channelsPerGroup;
  int chunks = gridDim.y;
  for (int g = threadIdx.x; g < slab.groups; g += blockDim.x) {
    const float* own = statistics + ((size_t)slab.image * groups + firstGroup + g) * chunks * 2;
    double sum = 0;
    for (int k = 0; k < chunks; k++) {
      sum += (double)own[2 * k] * min(rowsOfChunk, positions - k * rowsOfChunk);
    }
    double m = sum / positions;
    double deviations = 0;
    for (int k = 0; k < chunks; k++) {
      double d = own[2 * k] - m;
      double rows = min(rowsOfChunk, positions - k * rowsOfChunk);
      deviations += own[2 * k + 1] + d * d * rows * slab.channelsPerGroup;
    }
    mean[g] = (float)m;
    rstd[g] =
        (float)(1 / sqrt(deviations / ((double)positions * slab.channelsPerGroup) + epsilon));
  }
  __syncthreads();
}

// What follows group_norm_chunk_statistics. Shared memory: a float for each channel of the slab and
// two for each group.
extern "C" __global__ void __launch_bounds__(512) group_norm_chunk_forward(
    const element* x, const float* vector, const float* __restrict__ gamma,
    const float* __restrict__ beta, const float* __restrict__ added, const element* residual,
    element* y, const float* __restrict__ statistics, int positions, int channels, int rowLength,
    int groups, int slabPacks, int rowsOfChunk, float epsilon, int function) {
  SHARED_MEMORY(float, ending);
  Slab slab(positions, rowsOfChunk, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  float* mean = ending + slabPacks * PACK;
  float* rstd = mean + slabPacks * PACK / slab.channelsPerGroup;
  const float* kept = keep_added(ending, added, slab, slabPacks, channels);
  combine(statistics, slab, positions, rowsOfChunk, groups, epsilon, mean, rstd);
  float v[PACK], a[PACK], b[PACK];
  load_vector(v, vector, slab, place, channels);
  normalisation(a, b, v, gamma, beta, mean, rstd, slab, place);
  size_t offset = slab.offset(positions, rowLength);
  WITH_FUNCTION(
      function, write_normalised, x + offset, rowLength, y + offset, rowLength, a, b, v,
      kept, from(residual, offset), slab, place);
}

// ---------------------------------------------------------------------------- backward

// The sums of dz and of dz (x - mean) over the rows for each channel of the thread; puts dz where
// `kept` is not null.
template <int FUNCTION>
static __device__ __forceinline__ void sum_gradients(
    const element* x, size_t rowOfX, const element* dy, size_t rowOfDy, element* kept,
    const float a[PACK], const float b[PACK], const float centre[PACK], float sums[PACK],
    float products[PACK], const Slab& slab, const Place& place) {
  clear(sums);
  clear(products);
  if (!place.works) return;
  int at = place.pack * PACK;
  for (int r = place.line; r < slab.rows; r += place.lines) {
    float v[PACK], d[PACK];
    load_floats(v, x + r * rowOfX + at);
    load_floats(d, dy + r * rowOfDy + at);
#pragma unroll
    for (int j = 0; j < PACK; j++) {
      float x0 = v[j] - centre[j];
      if (FUNCTION != IDENTITY) d[j] *= activation_slope(FUNCTION, fmaf(x0, a[j], b[j]));
      sums[j] += d[j];
      products[j] = fmaf(d[j], x0, products[j]);
    }
    if (kept != nullptr && FUNCTION != IDENTITY) store_floats(kept + r * rowOfDy + at, d);
  }
}

// sum[c] and product[c] of the slab become the sums of dz and dz x^ over the channels of the group,
// each with its gamma, by its elements: in sum[g] and product[g].
static __device__ __forceinline__ void sum_channels_of_groups(
    const float* __restrict__ gamma, const Slab& slab, float elements, float* sum, float* product,
    float* sumOfGroup, float* productOfGroup) {
  for (int g = threadIdx.x; g < slab.groups; g += blockDim.x) {
    float s = 0, p = 0;
    for (int c = g * slab.channelsPerGroup; c < (g + 1) * slab.channelsPerGroup; c++) {
      s = fmaf(gamma[slab.channel + c], sum[c], s);
      p = fmaf(gamma[slab.channel + c], product[c], p);
    }
    sumOfGroup[g] = s / elements;
    productOfGroup[g] = p / elements;
  }
  __syncthreads();
}

// dx = a dz + f (x - centre) + h: gives f and h; a is that of the normalisation.
static __device__ __forceinline__ void gradient_factors(
    float f[PACK], float h[PACK], const float* rstd, const float* sumOfGroup,
    const float* productOfGroup, const Slab& slab, const Place& place) {
  float s[PACK];
  load_groups(s, rstd, slab, place);
  load_groups(f, productOfGroup, slab, place);
  load_groups(h, sumOfGroup, slab, place);
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    f[j] *= -s[j] * s[j];
    h[j] *= -s[j];
  }
}

// From the sums of dz (x - mean) to those of dz x^.
static __device__ __forceinline__ void normalise_products(
    float products[PACK], const float* rstd, const Slab& slab, const Place& place) {
  float s[PACK];
  load_groups(s, rstd, slab, place);
#pragma unroll
  for (int j = 0; j < PACK; j++) products[j] *= s[j];
}

// One block for each slab of each image. Shared memory: the slabs of x and dy, the buffer of
// sum_over_rows, two floats for each channel of the slab and four for each group.
// `sums`: [N,2,channels], dbeta and dgamma of each image. dx may take the memory of dy. `dvector`
// [N,channels] gets the sums of dx, without the residual, over the positions, where it is not null.
extern "C" __global__ void __launch_bounds__(512) group_norm_backward(
    const element* x, const float* vector, const float* __restrict__ gamma,
    const float* __restrict__ beta, const element* dy, const element* residual, element* dx,
    float* sums, float* dvector, int positions, int channels, int rowLength, int groups,
    int slabPacks, int bufferFloats, float epsilon, int function) {
  SHARED_MEMORY(element, tile);
  Slab slab(positions, positions, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  size_t tileElements = (size_t)positions * slabPacks * PACK;
  int slabGroups = slabPacks * PACK / slab.channelsPerGroup;
  element* gradient = tile + tileElements;
  float* buffer = reinterpret_cast<float*>(gradient + tileElements);
  float* sum = buffer + bufferFloats;
  float* product = sum + slabPacks * PACK;
  float* mean = product + slabPacks * PACK;
  float* rstd = mean + slabGroups;
  float* sumOfGroup = rstd + slabGroups;
  float* productOfGroup = sumOfGroup + slabGroups;
  size_t offset = slab.offset(positions, rowLength);
  size_t row = slabPacks * PACK;
  float elements = slab.elements(positions);

  fetch(tile, x + offset, place, slab.rows, rowLength);
  fetch(gradient, dy + offset, place, slab.rows, rowLength);
  float v[PACK], a[PACK], b[PACK], c[PACK], d[PACK];
  load_vector(v, vector, slab, place, channels);
  cp_async_wait<1>();
  moments(tile, v, slab, place, elements, buffer, mean, rstd);
  invert(rstd, slab, elements, epsilon);
  cp_async_wait<0>();

  normalisation(a, b, v, gamma, beta, mean, rstd, slab, place);
  WITH_FUNCTION(
      function, sum_gradients, tile, row, gradient, row, gradient, a, b, v, c, d, slab, place);
  normalise_products(d, rstd, slab, place);
  sum_over_rows(c, place, 1, slab.channels, buffer, sum);
  sum_over_rows(d, place, 1, slab.channels, buffer, product);
  if (sums != nullptr) {
    float* own = sums + (size_t)slab.image * 2 * channels + slab.channel;
    for (int k = threadIdx.x; k < slab.channels; k += blockDim.x) {
      own[k] = sum[k];
      own[channels + k] = product[k];
    }
  }
  if (dx == nullptr && dvector == nullptr) return;

  sum_channels_of_groups(gamma, slab, elements, sum, product, sumOfGroup, productOfGroup);
  gradient_factors(c, d, rstd, sumOfGroup, productOfGroup, slab, place);
  clear(b);
  if (place.works) {
    for (int r = place.line; r < slab.rows; r += place.lines) {
      float u[PACK], g[PACK];
      load_floats(u, tile + r * row + place.pack * PACK);
      load_floats(g, gradient + r * row + place.pack * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        g[j] = fmaf(a[j], g[j], fmaf(c[j], u[j] - v[j], d[j]));
        b[j] += g[j];
      }
      if (dx != nullptr) {
        size_t at = offset + (size_t)r * rowLength + place.pack * PACK;
        add_residual(g, from(residual, at));
        store_floats(dx + at, g);
      }
    }
  }
  if (dvector != nullptr) {
    sum_over_rows(b, place, 1, slab.channels, buffer, sum);
    float* own = dvector + (size_t)slab.image * channels + slab.channel;
    for (int k = threadIdx.x; k < slab.channels; k += blockDim.x) own[k] = sum[k];
  }
}

// The sums of dz and dz x^ of each chunk: [N,chunks,2,channels]. Follows
// group_norm_chunk_statistics. Shared memory: the buffer of sum_over_rows, two floats for each
// channel of the slab and two for each group.
extern "C" __global__ void __launch_bounds__(512) group_norm_chunk_sums(
    const element* __restrict__ x, const float* vector, const float* __restrict__ gamma,
    const float* __restrict__ beta, const element* __restrict__ dy,
    const float* __restrict__ statistics, float* sums, int positions, int channels, int rowLength,
    int groups, int slabPacks, int bufferFloats, int rowsOfChunk, float epsilon, int function) {
  SHARED_MEMORY(float, buffer);
  Slab slab(positions, rowsOfChunk, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  float* sum = buffer + bufferFloats;
  float* product = sum + slabPacks * PACK;
  float* mean = product + slabPacks * PACK;
  float* rstd = mean + slabPacks * PACK / slab.channelsPerGroup;
  combine(statistics, slab, positions, rowsOfChunk, groups, epsilon, mean, rstd);
  float v[PACK], a[PACK], b[PACK], c[PACK], d[PACK];
  load_vector(v, vector, slab, place, channels);
  normalisation(a, b, v, gamma, beta, mean, rstd, slab, place);
  size_t offset = slab.offset(positions, rowLength);
  WITH_FUNCTION(
      function, sum_gradients, x + offset, rowLength, dy + offset, rowLength, nullptr, a, b, v, c,
      d, slab, place);
  normalise_products(d, rstd, slab, place);
  sum_over_rows(c, place, 1, slab.channels, buffer, sum);
  sum_over_rows(d, place, 1, slab.channels, buffer, product);
  float* own = sums + ((size_t)slab.image * gridDim.y + blockIdx.y) * 2 * channels + slab.channel;
  for (int k = threadIdx.x; k < slab.channels; k += blockDim.x) {
    own[k] = sum[k];
    own[channels + k] = product[k];
  }
}

template <int FUNCTION>
static __device__ __forceinline__ void write_gradient(
    const element* x, const element* dy, const element* residual, element* dx, size_t row,
    const float a[PACK], const float b[PACK], const float centre[PACK], const float f[PACK],
    const float h[PACK], const Slab& slab, const Place& place) {
  if (!place.works) return;
  for (int r = place.line; r < slab.rows; r += place.lines) {
    float v[PACK], g[PACK];
    size_t at = r * row + place.pack * PACK;
    load_floats(v, x + at);
    load_floats(g, dy + at);
#pragma unroll
    for (int j = 0; j < PACK; j++) {
      float x0 = v[j] - centre[j];
      if (FUNCTION != IDENTITY) g[j] *= activation_slope(FUNCTION, fmaf(x0, a[j], b[j]));
      g[j] = fmaf(a[j], g[j], fmaf(f[j], x0, h[j]));
    }
    add_residual(g, from(residual, at));
    store_floats(dx + at, g);
  }
}

// dx, after group_norm_chunk_sums. Shared memory: two floats for each channel of the slab and four
// for each group. dx may take the memory of dy.
extern "C" __global__ void __launch_bounds__(512) group_norm_chunk_backward(
    const element* x, const float* vector, const float* __restrict__ gamma,
    const float* __restrict__ beta, const element* dy, const element* residual, element* dx,
    const float* __restrict__ statistics, const float* __restrict__ sums, int positions,
    int channels, int rowLength, int groups, int slabPacks, int rowsOfChunk, float epsilon,
    int function) {
  SHARED_MEMORY(float, sum);
  Slab slab(positions, rowsOfChunk, channels, rowLength, groups, slabPacks);
  Place place(slabPacks, slab.packs);
  int slabGroups = slabPacks * PACK / slab.channelsPerGroup;
  float* product = sum + slabPacks * PACK;
  float* mean = product + slabPacks * PACK;
  float* rstd = mean + slabGroups;
  float* sumOfGroup = rstd + slabGroups;
  float* productOfGroup = sumOfGroup + slabGroups;
  combine(statistics, slab, positions, rowsOfChunk, groups, epsilon, mean, rstd);
  for (int k = threadIdx.x; k < slab.channels; k += blockDim.x) {
    const float* own = sums + (size_t)slab.image * gridDim.y * 2 * channels + slab.channel + k;
    double s = 0, p = 0;
    for (int chunk = 0; chunk < gridDim.y; chunk++) {
      s += own[(size_t)chunk * 2 * channels];
      p += own[((size_t)chunk * 2 + 1) * channels];
    }
    sum[k] = (float)s;
    product[k] = (float)p;
  }
  __syncthreads();
  sum_channels_of_groups(
      gamma, slab, slab.elements(positions), sum, product, sumOfGroup, productOfGroup);
  float v[PACK], a[PACK], b[PACK], c[PACK], d[PACK];
  load_vector(v, vector, slab, place, channels);
  normalisation(a, b, v, gamma, beta, mean, rstd, slab, place);
  gradient_factors(c, d, rstd, sumOfGroup, productOfGroup, slab, place);
  size_t offset = slab.offset(positions, rowLength);
  WITH_FUNCTION(
      function, write_gradient, x + offset, dy + offset, from(residual, offset), dx + offset,
      rowLength, a, b, v, c, d, slab, place);
}

// By row blockIdx.y of a table: adds the sums [rows,2,channels] over the rows to dbeta and dgamma, of
// which one may be null. 32 columns a block, in one order however many there are.
extern "C" __global__ void __launch_bounds__(512) group_norm_parameters(const long long* table) {
  __shared__ double partial[16][WARP];
  const long long* own = table + blockIdx.y * PACKING_ROW;
  const float* __restrict__ sums = (const float*)own[0];
  float* dgamma = (float*)own[1];
  float* dbeta = (float*)own[2];
  const int rows = (int)own[3], channels = (int)own[4];
  int lane = threadIdx.x % WARP;
  int line = threadIdx.x / WARP;
  int column = blockIdx.x * WARP + lane;
  double sum = 0;
  if (column < 2 * channels) {
#pragma unroll 4
    for (int r = line; r < rows; r += 16) sum += sums[(size_t)r * 2 * channels + column];
  }
  partial[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= 2 * channels) return;
  for (int k = 1; k < 16; k++) sum += partial[k][lane];
  float* to = column < channels ? dbeta : dgamma;
  int c = column < channels ? column : column - channels;
  if (to != nullptr) to[c] += (float)sum;
}
