// Weights of convolutions between the network's layout, float [kH,kW,iC,oC], and cuDNN's, element
// [oC padded][kH,kW][iC padded], whose padding is zero.
#include "common.cuh"

// w: float [taps,inner,outer]; packed: element [outerPadded,taps,innerPadded]. One thread an element of packed.
extern "C" __global__ void pack_weights(const float* w, element* packed, int taps, int inner, int outer,
                                        int innerPadded, int outerPadded) {
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

// bias: float [channels]; padded: float [paddedChannels], with zeros behind.
extern "C" __global__ void pad_bias(const float* bias, float* padded, int channels, int paddedChannels) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < paddedChannels) {
    padded[i] = i < channels ? bias[i] : 0.0f;
  }
}
