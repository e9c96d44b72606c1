// Root mean square normalisation over the channels of each position: a warp for each row.
//
// Maps are rows of rowLength elements; gains float [C].
#include "common.cuh"

// What PyTorch's normalize divides by at least; LEAST_NORM in RmsNorm.java.
constexpr float LEAST_NORM = 1e-12f;

struct Rows {
  long long first;
  long long step;
  int lane;

  __device__ __forceinline__ Rows() {
    int warps = blockDim.x / WARP;
    first = (long long)blockIdx.x * warps + threadIdx.x / WARP;
    step = (long long)gridDim.x * warps;
    lane = threadIdx.x % WARP;
  }
};

// The length of a row; all lanes get it. Padding is 0.
static __device__ __forceinline__ float row_norm(const element* row, int packs, int lane) {
  float u[PACK];
  float sum = 0;
  for (int p = lane; p < packs; p += WARP) {
    load_floats(u, row + p * PACK);
#pragma unroll
    for (int j = 0; j < PACK; j++) sum = fmaf(u[j], u[j], sum);
  }
  return sqrtf(warp_sum(sum));
}

// y = x gain sqrt(C) / |x|; y may be x.
extern "C" __global__ void __launch_bounds__(256) rms_norm(
    const element* x, const float* __restrict__ gain, element* y, long long rows, int channels,
    int rowLength) {
  Rows own;
  int packs = rowLength / PACK;
  for (long long row = own.first; row < rows; row += own.step) {
    const element* from = x + row * rowLength;
    float scale = sqrtf((float)channels) / fmaxf(row_norm(from, packs, own.lane), LEAST_NORM);
    float u[PACK];
    for (int p = own.lane; p < packs; p += WARP) {
      load_floats(u, from + p * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        int c = p * PACK + j;
        u[j] = c < channels ? u[j] * scale * gain[c] : 0.0f;
      }
      store_floats(y + row * rowLength + p * PACK, u);
    }
  }
}

// dx = scale (gain dy - x sum(gain dy x) / |x|^2); dx may be dy.
extern "C" __global__ void __launch_bounds__(256) rms_norm_gradient(
    const element* x, const float* __restrict__ gain, const element* dy, element* dx,
    long long rows, int channels, int rowLength) {
  Rows own;
  int packs = rowLength / PACK;
  for (long long row = own.first; row < rows; row += own.step) {
    const element* ofX = x + row * rowLength;
    const element* ofDy = dy + row * rowLength;
    float norm = row_norm(ofX, packs, own.lane);
    float scale = sqrtf((float)channels) / fmaxf(norm, LEAST_NORM);
    float u[PACK], v[PACK];
    float product = 0;
    for (int p = own.lane; p < packs; p += WARP) {
      load_floats(u, ofX + p * PACK);
      load_floats(v, ofDy + p * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        int c = p * PACK + j;
        if (c < channels) product = fmaf(gain[c] * v[j], u[j], product);
      }
    }
    product = warp_sum(product);
    float factor = norm < LEAST_NORM ? 0.0f : product / norm / norm;
    for (int p = own.lane; p < packs; p += WARP) {
      load_floats(u, ofX + p * PACK);
      load_floats(v, ofDy + p * PACK);
#pragma unroll
      for (int j = 0; j < PACK; j++) {
        int c = p * PACK + j;
        v[j] = c < channels ? scale * (gain[c] * v[j] - u[j] * factor) : 0.0f;
      }
      store_floats(dx + row * rowLength + p * PACK, v);
    }
  }
}

// scales[row] = sqrt(C) / |x|
extern "C" __global__ void __launch_bounds__(256) rms_norm_scales(
    const element* __restrict__ x, float* scales, long long rows, int channels, int rowLength) {
  Rows own;
  for (long long row = own.first; row < rows; row += own.step) {
    float norm = row_norm(x + row * rowLength, rowLength / PACK, own.lane);
    if (own.lane == 0) scales[row] = sqrtf((float)channels) / fmaxf(norm, LEAST_NORM);
  }
}

// parts [chunks,C]: what rowsOfChunk rows each add to the gradient of the gains. One block for each
// chunk.
extern "C" __global__ void __launch_bounds__(256) rms_norm_gain_parts(
    const element* __restrict__ x, const element* __restrict__ dy,
    const float* __restrict__ scales, float* parts, long long rows, int channels, int rowLength,
    int rowsOfChunk) {
  long long first = (long long)blockIdx.x * rowsOfChunk;
  long long end = first + rowsOfChunk < rows ? first + rowsOfChunk : rows;
  for (int c = threadIdx.x; c < channels; c += blockDim.x) {
    float sum = 0;
    for (long long row = first; row < end; row++) {
      float product = to_float(x[row * rowLength + c]) * to_float(dy[row * rowLength + c]);
      sum = fmaf(product, scales[row], sum);
    }
    parts[(size_t)blockIdx.x * channels + c] = sum;
  }
}

// dgain [C] += the sum of the parts, in their order.
extern "C" __global__ void __launch_bounds__(256) rms_norm_gain_gradient(
    const float* __restrict__ parts, float* dgain, int chunks, int channels) {
  int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= channels) return;
  double sum = 0;
  for (int i = 0; i < chunks; i++) sum += parts[(size_t)i * channels + c];
  dgain[c] += (float)sum;
}
