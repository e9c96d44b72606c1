// One number for each image and channel: added to a map, scaling and shifting it, or summed from it.
//
// Maps [N,P,C] with rows of rowLength elements; vectors float [N,C], scales and shifts [N,2C].
#include "rows.cuh"

// Values of an image for the channels of the thread's pack: 0 where they are padding.
static __device__ __forceinline__ void load_values(
    float v[PACK], const float* values, int firstChannel, int channels, const Place& place) {
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    int c = firstChannel + place.pack * PACK + j;
    v[j] = place.works && c < channels ? values[c] : 0.0f;
  }
}

// The rows of an image that a block works on, of `chunks` parts.
struct Chunk {
  int image;
  int first;
  int end;

  __device__ __forceinline__ Chunk(int positions, int rowsOfChunk) {
    int chunks = (positions + rowsOfChunk - 1) / rowsOfChunk;
    image = blockIdx.x / chunks;
    first = (blockIdx.x - image * chunks) * rowsOfChunk;
    end = min(positions, first + rowsOfChunk);
  }
};

// y = x + vector; y may be x.
extern "C" __global__ void __launch_bounds__(1024) add_per_channel(
    const element* x, const float* __restrict__ vector, element* y, int positions, int channels,
    int rowLength, int rowsOfChunk) {
  Chunk chunk(positions, rowsOfChunk);
  Place place(rowLength / PACK, rowLength / PACK);
  if (!place.works) return;
  float v[PACK], u[PACK];
  load_values(v, vector + (size_t)chunk.image * channels, 0, channels, place);
  size_t offset = (size_t)chunk.image * positions * rowLength + place.pack * PACK;
  for (int r = chunk.first + place.line; r < chunk.end; r += place.lines) {
    load_floats(u, x + offset + (size_t)r * rowLength);
#pragma unroll
    for (int j = 0; j < PACK; j++) u[j] += v[j];
    store_floats(y + offset + (size_t)r * rowLength, u);
  }
}

// y = x (1 + scale) + shift; y may be x.
extern "C" __global__ void __launch_bounds__(1024) scale_shift_per_channel(
    const element* x, const float* __restrict__ scalesAndShifts, element* y, int positions,
    int channels, int rowLength, int rowsOfChunk) {
  Chunk chunk(positions, rowsOfChunk);
  Place place(rowLength / PACK, rowLength / PACK);
  if (!place.works) return;
  float a[PACK], b[PACK], u[PACK];
  const float* own = scalesAndShifts + (size_t)chunk.image * 2 * channels;
  load_values(a, own, 0, channels, place);
  load_values(b, own + channels, 0, channels, place);
  size_t offset = (size_t)chunk.image * positions * rowLength + place.pack * PACK;
  for (int r = chunk.first + place.line; r < chunk.end; r += place.lines) {
    load_floats(u, x + offset + (size_t)r * rowLength);
#pragma unroll
    for (int j = 0; j < PACK; j++) u[j] = fmaf(u[j], 1.0f + a[j], b[j]);
    store_floats(y + offset + (size_t)r * rowLength, u);
  }
}

// The part of the channels of an image that a block sums up.
struct Part {
  int image;
  int channel;
  int channels;
  int packs;

  __device__ __forceinline__ Part(int allChannels, int rowLength, int partPacks) {
    int parts = (rowLength / PACK + partPacks - 1) / partPacks;
    image = blockIdx.x / parts;
    channel = (blockIdx.x - image * parts) * partPacks * PACK;
    channels = max(0, min(partPacks * PACK, allChannels - channel));
    packs = min(partPacks, (rowLength - channel) / PACK);
  }
};

// sums [N,C]. One block for partPacks packs of channels of an image. Shared memory: PACK floats for
// each thread, one for each channel of the part.
extern "C" __global__ void __launch_bounds__(1024) sum_per_channel(
    const element* __restrict__ x, float* sums, int positions, int channels, int rowLength,
    int partPacks) {
  SHARED_MEMORY(float, buffer);
  Part part(channels, rowLength, partPacks);
  Place place(partPacks, part.packs);
  float* sum = buffer + PACK * blockDim.x;
  float v[PACK], u[PACK];
#pragma unroll
  for (int j = 0; j < PACK; j++) v[j] = 0;
  if (place.works) {
    const element* from =
        x + (size_t)part.image * positions * rowLength + part.channel + place.pack * PACK;
#pragma unroll 4
    for (int r = place.line; r < positions; r += place.lines) {
      load_floats(u, from + (size_t)r * rowLength);
#pragma unroll
      for (int j = 0; j < PACK; j++) v[j] += u[j];
    }
  }
  sum_over_rows(v, place, 1, part.channels, buffer, sum);
  for (int c = threadIdx.x; c < part.channels; c += blockDim.x) {
    sums[(size_t)part.image * channels + part.channel + c] = sum[c];
  }
}

// dx = dy (1 + scale), and the sums of dy x and dy for each channel: gradients of scales and shifts,
// [N,2C]. Either may be null; dx may be dy. Blocks and shared memory as of sum_per_channel.
extern "C" __global__ void __launch_bounds__(1024) scale_shift_per_channel_gradient(
    const element* x, const float* __restrict__ scalesAndShifts, const element* dy, element* dx,
    float* dScalesAndShifts, int positions, int channels, int rowLength, int partPacks) {
  SHARED_MEMORY(float, buffer);
  Part part(channels, rowLength, partPacks);
  Place place(partPacks, part.packs);
  float* sum = buffer + PACK * blockDim.x;
  float a[PACK], sums[PACK], products[PACK], u[PACK], v[PACK];
  load_values(
      a, scalesAndShifts + (size_t)part.image * 2 * channels, part.channel, channels, place);
#pragma unroll
  for (int j = 0; j < PACK; j++) sums[j] = products[j] = 0;
  if (place.works) {
    size_t offset =
        (size_t)part.image * positions * rowLength + part.channel + place.pack * PACK;
    for (int r = place.line; r < positions; r += place.lines) {
      load_floats(u, x + offset + (size_t)r * rowLength);
      load_floats(v, dy + offset + (size_t)r * rowLength);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        sums[j] += v[j];
        products[j] = fmaf(u[j], v[j], products[j]);
        v[j] *= 1.0f + a[j];
      }
      if (dx != nullptr) store_floats(dx + offset + (size_t)r * rowLength, v);
    }
  }
  if (dScalesAndShifts == nullptr) return;
  float* to = dScalesAndShifts + (size_t)part.image * 2 * channels + part.channel;
  sum_over_rows(products, place, 1, part.channels, buffer, sum);
  for (int c = threadIdx.x; c < part.channels; c += blockDim.x) to[c] = sum[c];
  sum_over_rows(sums, place, 1, part.channels, buffer, sum);
  for (int c = threadIdx.x; c < part.channels; c += blockDim.x) to[channels + c] = sum[c];
}
