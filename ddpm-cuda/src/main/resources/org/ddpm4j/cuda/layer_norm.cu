// Layer normalisation of each position's channels, without scale and shift, and its gradient: a block
// for each position, however the maps lie.
#include "common.cuh"

struct Moments {
  float mean, inverse;
};

// Of the row: its mean and one over its deviation. All threads get them.
static __device__ inline Moments moments(
    const void* x, int isFloat, size_t start, int channels, float epsilon) {
  float sum = 0;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) sum += load_any(x, isFloat, start + c);
  float mean = block_sum(sum) / channels;
  __syncthreads();
  float squares = 0;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) {
    float d = load_any(x, isFloat, start + c) - mean;
    squares += d * d;
  }
  float variance = block_sum(squares) / channels;
  __syncthreads();
  return {mean, 1.0f / sqrtf(variance + epsilon)};
}

extern "C" __global__ void __launch_bounds__(128) layer_norm(
    const void* x, int xIsFloat, int xRow, void* y, int yIsFloat, int yRow, int channels,
    float epsilon) {
  size_t from = (size_t)blockIdx.x * xRow, to = (size_t)blockIdx.x * yRow;
  Moments m = moments(x, xIsFloat, from, channels, epsilon);
  for (int c = threadIdx.x; c < yRow; c += blockDim.x) {
    float value = c < channels ? (load_any(x, xIsFloat, from + c) - m.mean) * m.inverse : 0.0f;
    store_any(y, yIsFloat, to + c, value);
  }
}

// dx = (dy - mean(dy) - z mean(dy z)) / deviation with the normalised z.
extern "C" __global__ void __launch_bounds__(128) layer_norm_gradient(
    const void* x, int xIsFloat, int xRow, const void* dy, int dyIsFloat, int dyRow, void* dx,
    int dxIsFloat, int dxRow, int channels, float epsilon) {
  size_t from = (size_t)blockIdx.x * xRow, of = (size_t)blockIdx.x * dyRow;
  size_t to = (size_t)blockIdx.x * dxRow;
  Moments m = moments(x, xIsFloat, from, channels, epsilon);
  float sum = 0, products = 0;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) {
    float g = load_any(dy, dyIsFloat, of + c);
    sum += g;
    products += g * (load_any(x, xIsFloat, from + c) - m.mean) * m.inverse;
  }
  float mean = block_sum(sum) / channels;
  __syncthreads();
  float slope = block_sum(products) / channels;
  __syncthreads();
  for (int c = threadIdx.x; c < dxRow; c += blockDim.x) {
    float value = 0;
    if (c < channels) {
      float z = (load_any(x, xIsFloat, from + c) - m.mean) * m.inverse;
      value = (load_any(dy, dyIsFloat, of + c) - mean - z * slope) * m.inverse;
    }
    store_any(dx, dxIsFloat, to + c, value);
  }
}
