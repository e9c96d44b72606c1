// Weights of convolutions between the network's layout, float [kH,kW,iC,oC], and cuDNN's, element
// [oC padded][kH,kW][iC padded], whose padding is zero.
#include "common.cuh"

// By row blockIdx.y of a table. w: float [taps,inner,outer]; packed: element [outerPadded,taps,innerPadded].
extern "C" __global__ void pack_weights(const long long* table) {
  const long long* row = table + blockIdx.y * PACKING_ROW;
  const float* w = (const float*)row[0];
  element* packed = (element*)row[1];
  const int taps = (int)row[2], inner = (int)row[3], outer = (int)row[4];
  const int innerPadded = (int)row[5], outerPadded = (int)row[6];
  int total = outerPadded * taps * innerPadded;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
    int in = i % innerPadded;
    int tap = i / innerPadded % taps;
    int out = i / innerPadded / taps;
    bool inside = in < inner && out < outer;
    packed[i] = to_element(inside ? w[(tap * inner + in) * outer + out] : 0.0f);
  }
}

// Adds a gradient in cuDNN's layout to the network's. One thread an element of w.
extern "C" __global__ void add_packed_gradient(const element* packed, float* w, int taps, int inner, int outer,
                                               int innerPadded) {
  int total = taps * inner * outer;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
    int out = i % outer;
    int in = i / outer % inner;
    int tap = i / outer / inner;
    w[i] += to_float(packed[(out * taps + tap) * innerPadded + in]);
  }
}

// By row blockIdx.y of a table. bias: float [channels]; padded: element [paddedChannels], with zeros behind.
extern "C" __global__ void pad_bias(const long long* table) {
  const long long* row = table + blockIdx.y * PACKING_ROW;
  const float* bias = (const float*)row[0];
  element* padded = (element*)row[1];
  const int channels = (int)row[2], paddedChannels = (int)row[3];
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < paddedChannels; i += gridDim.x * blockDim.x) {
    padded[i] = to_element(i < channels ? bias[i] : 0.0f);
  }
}

// y += bias (+ residual, if not null); y and residual: rows of rowLength elements, one thread a pack of 16 bytes.
extern "C" __global__ void add_bias(element* y, const element* bias, const element* residual, long long packs,
                                    int rowLength) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= packs) return;
  float values[PACK], shift[PACK];
  load_floats(values, y + i * PACK);
  load_floats(shift, bias + i * PACK % rowLength);
#pragma unroll
  for (int k = 0; k < PACK; k++) values[k] += shift[k];
  if (residual != 0) {
    load_floats(shift, residual + i * PACK);
#pragma unroll
    for (int k = 0; k < PACK; k++) values[k] += shift[k];
  }
  store_floats(y + i * PACK, values);
}
