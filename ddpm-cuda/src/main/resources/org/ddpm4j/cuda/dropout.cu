// Dropout by a mask that is made where it is needed, forwards and backwards, and never stored.
//
// Keys [N,9] are those of the images in pieces of 16 bits, the lowest first: four of the seed, two
// of the image's number, two of the step, one of the purpose (BatchKey on a CPU). Place i of an
// image, in [H,W,C], has word i % 4 of Philox' block of the seed and the counter (i / 4, image,
// step, purpose + layer 2^16), and is kept where the word's upper 31 bits reach the threshold.
#include "common.cuh"
#include "philox.cuh"

constexpr int KEY_PIECES = 9;

static __device__ __forceinline__ unsigned word_of(const float* pieces) {
  return (unsigned)pieces[0] | (unsigned)pieces[1] << 16;
}

// Rows of `channels` elements, `positions` of them an image; one thread for four columns of a row.
// y may be x. Padding becomes 0.
extern "C" __global__ void __launch_bounds__(256) dropout(
    const void* x, int xIsFloat, int xRow, const float* __restrict__ keys, void* y, int yIsFloat,
    int yRow, long long rows, int positions, int channels, int layer, int threshold, float scale) {
  int packs = (yRow + 3) / 4;
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * packs; i += step) {
    long long row = i / packs;
    int first = (int)(i - row * packs) * 4;
    long long image = row / positions;
    const float* key = keys + image * KEY_PIECES;
    long long place = (row - image * positions) * channels + first;
    uint4 words = make_uint4(0, 0, 0, 0);
    for (int k = 0; k < 4 && first + k < yRow; k++, place++) {
      float value = 0;
      if (first + k < channels) {
        if (k == 0 || place % 4 == 0) {
          words = philox(
              word_of(key), word_of(key + 2),
              make_uint4(
                  (unsigned)(place / 4), word_of(key + 4), word_of(key + 6),
                  (unsigned)key[8] | (unsigned)layer << 16));
        }
        int which = (int)(place % 4);
        unsigned word = which == 0 ? words.x : which == 1 ? words.y : which == 2 ? words.z : words.w;
        if ((int)(word >> 1) >= threshold) {
          value = load_any(x, xIsFloat, row * xRow + first + k) * scale;
        }
      }
      store_any(y, yIsFloat, row * yRow + first + k, value);
    }
  }
}
