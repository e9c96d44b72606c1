// Convolution of every channel with a kernel of its own, [N,H,W,C] with weights [kH,kW,C] in float.
//
// depthwise_convolution: square kernels of DEPTHWISE_KERNEL and stride 1. A block copies the inputs of a
// tile of the output, 32 channels wide, to shared memory; a thread makes DEPTHWISE_STRIP neighbours of
// two channels in registers. The gradient by data is the same with the kernel turned round.
// depthwise_weight_gradient: a block goes through its share of all tiles; a thread has one row of the kernel
// of two channels. The parts of all blocks are added by convolution_add_parts of convolution.cu.
// depthwise_convolution_any and depthwise_weight_gradient_any: any kernel and stride, without shared memory.
#include "common.cuh"

#ifndef DEPTHWISE_KERNEL
#define DEPTHWISE_KERNEL 7
#define DEPTHWISE_STRIP 7
#endif

constexpr int KERNEL = DEPTHWISE_KERNEL, STRIP = DEPTHWISE_STRIP, WINDOW = STRIP + KERNEL - 1;

struct __align__(2 * sizeof(element)) Two {
  element first, second;
};

static __device__ inline float2 to_float2(Two two) {
  return make_float2(to_float(two.first), to_float(two.second));
}

// Where a tile lies: blockIdx counts tiles of rows within images.
struct DepthwiseTile {
  int image, firstRow, firstColumn;

  __device__ DepthwiseTile(int index, int tilesY, int tilesX, int tileHeight, int tileWidth)
      : image(index / tilesX / tilesY),
        firstRow(index / tilesX % tilesY * tileHeight),
        firstColumn(index % tilesX * tileWidth) {}
};

// Copies rows x columns pixels of `channels` channels to shared memory, zeros outside of the image.
static __device__ inline void copy_tile(element* to, const element* map, int image, int firstRow, int firstColumn,
                                        int rows, int columns, int channels, int firstChannel, int height, int width,
                                        int rowLength) {
  const int packs = channels / PACK;
  for (int i = threadIdx.x; i < rows * columns * packs; i += blockDim.x) {
    int pack = i % packs, pixel = i / packs;
    int y = firstRow + pixel / columns, x = firstColumn + pixel % columns;
    bool exists = y >= 0 && x >= 0 && y < height && x < width;
    const element* from =
        map + (exists ? ((long long)(image * height + y) * width + x) * rowLength : 0) + firstChannel + pack * PACK;
    cp_async_16(to + i * PACK, from, exists);
  }
}

extern "C" __global__ void depthwise_convolution(const element* in, const float* weights, const float* bias,
                                                 element* out, int inHeight, int inWidth, int outHeight,
                                                 int outWidth, int rowLength, int channels, int padding, int turned,
                                                 int tileHeight, int tilesY, int tilesX, int strips,
                                                 int blockChannels) {
  SHARED_MEMORY(element, tile);
  const int columns = strips * STRIP + KERNEL - 1, rows = tileHeight + KERNEL - 1;
  float* kernel = (float*)(tile + rows * columns * blockChannels);  // [KERNEL][KERNEL][blockChannels]
  const DepthwiseTile at(blockIdx.x, tilesY, tilesX, tileHeight, strips * STRIP);
  const int firstChannel = blockIdx.y * blockChannels;
  copy_tile(tile, in, at.image, at.firstRow - padding, at.firstColumn - padding, rows, columns, blockChannels,
            firstChannel, inHeight, inWidth, rowLength);
  cp_async_commit();
  for (int i = threadIdx.x; i < KERNEL * KERNEL * blockChannels; i += blockDim.x) {
    int c = firstChannel + i % blockChannels, tap = i / blockChannels;
    tap = turned ? KERNEL * KERNEL - 1 - tap : tap;
    kernel[i] = c < channels ? weights[tap * channels + c] : 0.0f;
  }
  cp_async_wait<0>();
  __syncthreads();
  const int pairs = blockChannels / 2;
  for (int i = threadIdx.x; i < tileHeight * strips * pairs; i += blockDim.x) {
    const int pair = i % pairs, strip = i / pairs % strips, row = i / pairs / strips;
    const int oy = at.firstRow + row, ox = at.firstColumn + strip * STRIP, c = firstChannel + 2 * pair;
    if (oy >= outHeight || ox >= outWidth) {
      continue;
    }
    float2 sum[STRIP];
    const float2 start = make_float2(bias && c < channels ? bias[c] : 0.0f, bias && c + 1 < channels ? bias[c + 1] : 0.0f);
#pragma unroll
    for (int s = 0; s < STRIP; s++) {
      sum[s] = start;
    }
#pragma unroll 1
    for (int ky = 0; ky < KERNEL; ky++) {
      const element* from = tile + ((row + ky) * columns + strip * STRIP) * blockChannels + 2 * pair;
      float2 window[WINDOW];
#pragma unroll
      for (int x = 0; x < WINDOW; x++) {
        window[x] = to_float2(*(const Two*)(from + x * blockChannels));
      }
#pragma unroll
      for (int kx = 0; kx < KERNEL; kx++) {
        const float2 w = *(const float2*)(kernel + (ky * KERNEL + kx) * blockChannels + 2 * pair);
#pragma unroll
        for (int s = 0; s < STRIP; s++) {
          sum[s].x = fmaf(window[s + kx].x, w.x, sum[s].x);
          sum[s].y = fmaf(window[s + kx].y, w.y, sum[s].y);
        }
      }
    }
    element* to = out + ((long long)(at.image * outHeight + oy) * outWidth + ox) * rowLength + c;
#pragma unroll
    for (int s = 0; s < STRIP; s++) {
      if (ox + s < outWidth) {
        *(Two*)(to + (long long)s * rowLength) = {to_element(sum[s].x), to_element(sum[s].y)};
      }
    }
  }
}

// parts[blockIdx.x]: [KERNEL][KERNEL][channels] of the gradient of the weights, then [channels] of the bias.
// Threads: pairs of channels x rows of the kernel x groups of rows of the tile.
extern "C" __global__ void depthwise_weight_gradient(const element* in, const element* dy, float* parts, int images,
                                                     int inHeight, int inWidth, int outHeight, int outWidth,
                                                     int rowLength, int channels, int padding, int tileHeight,
                                                     int tilesY, int tilesX, int strips, int blockChannels) {
  SHARED_MEMORY(element, tile);
  const int columns = strips * STRIP + KERNEL - 1, rows = tileHeight + KERNEL - 1;
  element* slopes = tile + rows * columns * blockChannels;  // [tileHeight][strips * STRIP][blockChannels]
  const int firstChannel = blockIdx.y * blockChannels, pairs = blockChannels / 2;
  const int pair = threadIdx.x % pairs, ky = threadIdx.x / pairs % KERNEL, group = threadIdx.x / pairs / KERNEL;
  const int groups = blockDim.x / (pairs * KERNEL);
  const int tiles = images * tilesY * tilesX;
  const int begin = (int)((long long)tiles * blockIdx.x / gridDim.x);
  const int end = (int)((long long)tiles * (blockIdx.x + 1) / gridDim.x);
  float2 sum[KERNEL] = {}, slope = {0, 0};
  for (int index = begin; index < end; index++) {
    const DepthwiseTile at(index, tilesY, tilesX, tileHeight, strips * STRIP);
    __syncthreads();
    copy_tile(tile, in, at.image, at.firstRow - padding, at.firstColumn - padding, rows, columns, blockChannels,
              firstChannel, inHeight, inWidth, rowLength);
    copy_tile(slopes, dy, at.image, at.firstRow, at.firstColumn, tileHeight, strips * STRIP, blockChannels,
              firstChannel, outHeight, outWidth, rowLength);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    if (group < groups) {
      for (int i = group; i < tileHeight * strips; i += groups) {
        const int strip = i % strips, row = i / strips;
        const element* from = tile + ((row + ky) * columns + strip * STRIP) * blockChannels + 2 * pair;
        const element* d = slopes + (row * strips + strip) * STRIP * blockChannels + 2 * pair;
        float2 window[WINDOW];
#pragma unroll
        for (int x = 0; x < WINDOW; x++) {
          window[x] = to_float2(*(const Two*)(from + x * blockChannels));
        }
#pragma unroll
        for (int s = 0; s < STRIP; s++) {
          const float2 value = to_float2(*(const Two*)(d + s * blockChannels));
          slope.x += value.x;
          slope.y += value.y;
#pragma unroll
          for (int kx = 0; kx < KERNEL; kx++) {
            sum[kx].x = fmaf(window[s + kx].x, value.x, sum[kx].x);
            sum[kx].y = fmaf(window[s + kx].y, value.y, sum[kx].y);
          }
        }
      }
    }
  }
  __syncthreads();
  // [groups][KERNEL][KERNEL + 1][blockChannels], the last of a row of the kernel for the bias.
  float* sums = (float*)tile;
  if (group < groups) {
    float* to = sums + (group * KERNEL + ky) * (KERNEL + 1) * blockChannels + 2 * pair;
#pragma unroll
    for (int kx = 0; kx < KERNEL; kx++) {
      *(float2*)(to + kx * blockChannels) = sum[kx];
    }
    *(float2*)(to + KERNEL * blockChannels) = slope;
  }
  __syncthreads();
  float* part = parts + (long long)blockIdx.x * (KERNEL * KERNEL + 1) * channels;
  for (int i = threadIdx.x; i < (KERNEL * KERNEL + 1) * blockChannels; i += blockDim.x) {
    const int c = i % blockChannels, tap = i / blockChannels;
    // The bias is last; any row of the kernel has its sums.
    const int place = tap < KERNEL * KERNEL ? tap / KERNEL * (KERNEL + 1) + tap % KERNEL : KERNEL;
    float total = 0;
    for (int g = 0; g < groups; g++) {
      total += sums[(g * KERNEL * (KERNEL + 1) + place) * blockChannels + c];
    }
    if (firstChannel + c < channels) {
      part[tap * channels + firstChannel + c] = total;
    }
  }
}

// A thread makes a pack of an output pixel: input pixel = output * stride - padding + tap, or, transposed,
// (output + padding - tap) / stride where that divides.
extern "C" __global__ void depthwise_convolution_any(const element* in, const float* weights, const float* bias,
                                                     element* out, int images, int inHeight, int inWidth,
                                                     int outHeight, int outWidth, int rowLength, int channels,
                                                     int kernelHeight, int kernelWidth, int stride, int padding,
                                                     int transposed) {
  const int packs = rowLength / PACK;
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= (long long)images * outHeight * outWidth * packs) {
    return;
  }
  const int c = (int)(i % packs) * PACK;
  const int pixel = (int)(i / packs), ox = pixel % outWidth, oy = pixel / outWidth % outHeight;
  const int n = pixel / outWidth / outHeight;
  float sum[PACK];
#pragma unroll
  for (int v = 0; v < PACK; v++) {
    sum[v] = bias && c + v < channels ? bias[c + v] : 0.0f;
  }
  for (int tap = 0; tap < kernelHeight * kernelWidth; tap++) {
    int ky = tap / kernelWidth, kx = tap % kernelWidth;
    int y = transposed ? oy + padding - ky : oy * stride - padding + ky;
    int x = transposed ? ox + padding - kx : ox * stride - padding + kx;
    if (y < 0 || x < 0 || (transposed && (y % stride != 0 || x % stride != 0))) {
      continue;
    }
    y = transposed ? y / stride : y;
    x = transposed ? x / stride : x;
    if (y >= inHeight || x >= inWidth) {
      continue;
    }
    float values[PACK];
    load_floats(values, in + ((long long)(n * inHeight + y) * inWidth + x) * rowLength + c);
#pragma unroll
    for (int v = 0; v < PACK; v++) {
      sum[v] = fmaf(values[v], c + v < channels ? weights[tap * channels + c + v] : 0.0f, sum[v]);
    }
  }
  store_floats(out + (long long)pixel * rowLength + c, sum);
}

// A thread has one tap of one channel, or the bias (tap = taps), and goes through the pixels of its part.
extern "C" __global__ void depthwise_weight_gradient_any(const element* in, const element* dy, float* parts,
                                                         int images, int inHeight, int inWidth, int outHeight,
                                                         int outWidth, int rowLength, int channels, int kernelHeight,
                                                         int kernelWidth, int stride, int padding) {
  const int taps = kernelHeight * kernelWidth, pixels = images * outHeight * outWidth;
  const int i = blockIdx.y * blockDim.x + threadIdx.x;
  if (i >= (taps + 1) * channels) {
    return;
  }
  const int c = i % channels, tap = i / channels, ky = tap / kernelWidth, kx = tap % kernelWidth;
  const int begin = (int)((long long)pixels * blockIdx.x / gridDim.x);
  const int end = (int)((long long)pixels * (blockIdx.x + 1) / gridDim.x);
  float sum = 0;
  for (int p = begin; p < end; p++) {
    float value = to_float(dy[(long long)p * rowLength + c]);
    if (tap < taps) {
      int y = p / outWidth % outHeight * stride - padding + ky, x = p % outWidth * stride - padding + kx;
      bool exists = y >= 0 && x >= 0 && y < inHeight && x < inWidth;
      int n = p / outWidth / outHeight;
      value *= exists ? to_float(in[((long long)(n * inHeight + y) * inWidth + x) * rowLength + c]) : 0.0f;
    }
    sum += value;
  }
  parts[(long long)blockIdx.x * (taps + 1) * channels + i] = sum;
}
