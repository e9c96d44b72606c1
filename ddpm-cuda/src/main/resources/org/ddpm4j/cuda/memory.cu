// Learned positions before those of images, and their gradients.
//
// Maps [N,P,C] with rows of rowLength elements; a memory float [M,width], whose numbers are the last
// channels of a row.
#include "common.cuh"

// y [N,M+P,C]: the memory, zeros before it in its rows, and behind it x. Zeros alone where the
// memory is null.
extern "C" __global__ void __launch_bounds__(256) prepend_memory(
    const element* __restrict__ x, const float* __restrict__ memory, element* y, int images,
    int positions, int rows, int width, int channels, int rowLength) {
  int packs = rowLength / PACK;
  long long all = (long long)images * (rows + positions) * packs;
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < all; i += step) {
    long long row = i / packs;
    int p = (int)(i - row * packs);
    int image = (int)(row / (rows + positions));
    int place = (int)(row - (long long)image * (rows + positions));
    if (place >= rows) {
      long long from = (long long)image * positions + place - rows;
      store_pack(y + i * PACK, load_pack(x + (from * packs + p) * PACK));
      continue;
    }
    float v[PACK];
#pragma unroll
    for (int j = 0; j < PACK; j++) {
      int c = p * PACK + j;
      int k = c - (channels - width);
      bool isMemory = memory != nullptr && k >= 0 && c < channels;
      v[j] = isMemory ? memory[(size_t)place * width + k] : 0.0f;
    }
    store_floats(y + i * PACK, v);
  }
}

// y [N,P,C] of x [N,M+P,C]
extern "C" __global__ void __launch_bounds__(256) drop_memory(
    const element* __restrict__ x, element* y, int images, int positions, int rows,
    int rowLength) {
  int packs = rowLength / PACK;
  long long all = (long long)images * positions * packs;
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < all; i += step) {
    long long image = i / ((long long)positions * packs);
    store_pack(y + i * PACK, load_pack(x + (i + (image + 1) * rows * packs) * PACK));
  }
}

// dmemory [M,width] += the sum over the images of its places in dy [N,M+P,C], in their order.
extern "C" __global__ void __launch_bounds__(256) memory_gradient(
    const element* __restrict__ dy, float* dmemory, int images, int positions, int rows,
    int width, int channels, int rowLength) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * width) return;
  int row = i / width;
  int c = channels - width + i - row * width;
  float sum = 0;
  for (int n = 0; n < images; n++) {
    long long place = (long long)n * (rows + positions) + row;
    sum += to_float(dy[place * rowLength + c]);
  }
  dmemory[i] += sum;
}
