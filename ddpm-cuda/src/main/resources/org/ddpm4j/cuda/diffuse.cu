// Gaussian noise of a key, and images with such noise in them. There is no generator with a state:
// each number is a function of seed, purpose, number of the image, step and place in the image, the
// same as CounterRandom's on a CPU.
//
// Philox4x32-10 (Salmon et al. 2011) of the key (low and high word of the seed) and the counter
// (block, image, step, purpose) makes four words; words (x0,x1) make the elements 4 block and
// 4 block + 1 of the image in the order of [C,H,W], words (x2,x3) the next two, by Box and Muller's
// method in double.
//
// A network that conditions on itself is given an estimate of the images before the noisy ones. One
// that is distilled from others is told a sum of the noisy images and of what those answer.
//
// Where noise comes from lies in memory, so that a recorded graph can run again:
//   key: {seed, number of the first image, step, purpose}
//   offset: such a key, and the deviation of what is added to the noise of all pixels of a channel,
//   which is element c of the key's noise for channel c; nothing is drawn where that is 0
#include "common.cuh"
#include "philox.cuh"

struct Key {
  long long seed;
  long long firstImage;
  long long step;
  long long purpose;
};

struct Offset {
  Key key;
  double deviation;
};

// r cos phi and r sin phi with r = sqrt(-2 ln((a + 1) / 2^32)) and phi = 2 pi b / 2^32. The angle
// is reduced to an eighth turn in whole numbers, so that quarter turns give zeros and no rests.
static __device__ __forceinline__ float2 box_muller(unsigned a, unsigned b) {
  double radius = sqrt(-2 * log(((double)a + 1) * 0x1p-32));
  unsigned quarter = (b + (1u << 29)) >> 30;
  int rest = (int)(b - (quarter << 30));
  double angle = rest * (6.283185307179586 * 0x1p-32);
  double c = radius * cos(angle);
  double s = radius * sin(angle);
  switch (quarter) {
    case 0: return make_float2((float)c, (float)s);
    case 1: return make_float2((float)-s, (float)c);
    case 2: return make_float2((float)-c, (float)-s);
    default: return make_float2((float)s, (float)-c);
  }
}

// Elements 4 block to 4 block + 3 of an image of the batch.
static __device__ __forceinline__ float4 noise_of(const Key& key, int image, int block) {
  uint4 words = philox(
      (unsigned)key.seed, (unsigned)((unsigned long long)key.seed >> 32),
      make_uint4(
          block, (unsigned)(key.firstImage + image), (unsigned)key.step, (unsigned)key.purpose));
  float2 first = box_muller(words.x, words.y);
  float2 second = box_muller(words.z, words.w);
  return make_float4(first.x, first.y, second.x, second.y);
}

static __device__ __forceinline__ float element_of(float4 four, int i) {
  return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w;
}

static __device__ __forceinline__ void store_four(
    float* to, int first, int elements, const float v[4]) {
  if (elements % 4 == 0 && reinterpret_cast<size_t>(to) % 16 == 0) {
    *reinterpret_cast<float4*>(to + first) = make_float4(v[0], v[1], v[2], v[3]);
  } else {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (first + k < elements) to[first + k] = v[k];
    }
  }
}

// out [N,elements]. blockIdx.y: image; one thread for four elements.
extern "C" __global__ void __launch_bounds__(256) gaussian_noise(
    float* out, const Key* __restrict__ key, int elements) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  if (4ll * block >= elements) return;
  float4 noise = noise_of(*key, blockIdx.y, block);
  float v[4] = {noise.x, noise.y, noise.z, noise.w};
  store_four(out + (size_t)blockIdx.y * elements, 4 * block, elements, v);
}

// xt = c0 x0 + c1 noise and target = c2 x0 + c3 noise with the coefficients [N,4] of the images;
// target may be null. x0 is float [N,elements], or where it is null, scale pixels + shift with
// pixels [N,elements] of a byte each. Noise is drawn here and never stored. Where offset is not
// null, a channel of `positions` elements is moved by it. blockIdx.y: image.
extern "C" __global__ void __launch_bounds__(256) diffuse(
    const float* __restrict__ x0, const unsigned char* __restrict__ pixels, float scale,
    float shift, const float* __restrict__ coefficients, const Key* __restrict__ key,
    const Offset* __restrict__ offset, float* xt, float* target, int elements, int positions) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  int first = 4 * block;
  if (4ll * block >= elements) return;
  int image = blockIdx.y;
  size_t start = (size_t)image * elements;
  float x[4] = {0, 0, 0, 0};
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (first + k < elements) {
      size_t i = start + first + k;
      x[k] = x0 != nullptr ? x0[i] : fmaf(scale, (float)pixels[i], shift);
    }
  }
  float4 drawn = noise_of(*key, image, block);
  float noise[4] = {drawn.x, drawn.y, drawn.z, drawn.w};
  if (offset != nullptr && offset->deviation != 0) {
    float deviation = (float)offset->deviation;
    int drawnFor = -1;
    float4 moves = {0, 0, 0, 0};
#pragma unroll
    for (int k = 0; k < 4; k++) {
      int channel = (first + k) / positions;
      if (channel / 4 != drawnFor) {
        drawnFor = channel / 4;
        moves = noise_of(offset->key, image, drawnFor);
      }
      // As on the host, which has rounded both before it adds them.
      noise[k] = __fadd_rn(noise[k], __fmul_rn(deviation, element_of(moves, channel % 4)));
    }
  }
  const float* c = coefficients + 4 * image;
  float u[4], v[4];
#pragma unroll
  for (int k = 0; k < 4; k++) {
    u[k] = c[0] * x[k] + c[1] * noise[k];
    v[k] = c[2] * x[k] + c[3] * noise[k];
  }
  store_four(xt + start, first, elements, u);
  if (target != nullptr) store_four(target + start, first, elements, v);
}

// out [N,2 elements]: of each image an estimate, c0 noisy + c1 answer with the coefficients [N,2],
// or zeros where answer is null; and behind it the noisy image [N,elements]. blockIdx.y: image.
extern "C" __global__ void __launch_bounds__(256) with_estimate(
    const float* __restrict__ noisy, const float* __restrict__ answer,
    const float* __restrict__ coefficients, float* out, int elements) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  int first = 4 * block;
  if (4ll * block >= elements) return;
  int image = blockIdx.y;
  size_t start = (size_t)image * elements;
  float x[4] = {0, 0, 0, 0};
  float estimate[4] = {0, 0, 0, 0};
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (first + k < elements) x[k] = noisy[start + first + k];
  }
  if (answer != nullptr) {
    const float* c = coefficients + 2 * image;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (first + k < elements) estimate[k] = c[0] * x[k] + c[1] * answer[start + first + k];
    }
  }
  store_four(out + 2 * start, first, elements, estimate);
  store_four(out + 2 * start + elements, first, elements, x);
}

// out [N,elements]: of each image the sum of c[k] times its elements in the k-th of the batches
// [.,N,elements], for the first `terms` of them, with the factors c [N,terms] of the images.
// blockIdx.y: image.
extern "C" __global__ void __launch_bounds__(256) combine(
    const float* __restrict__ batches, const float* __restrict__ factors, int terms, float* out,
    int elements) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  int first = 4 * block;
  if (4ll * block >= elements) return;
  int image = blockIdx.y;
  size_t start = (size_t)image * elements;
  size_t batch = (size_t)gridDim.y * elements;
  float sum[4] = {0, 0, 0, 0};
  for (int term = 0; term < terms; term++) {
    float factor = factors[image * terms + term];
    const float* x = batches + term * batch + start;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (first + k < elements) sum[k] = fmaf(factor, x[first + k], sum[k]);
    }
  }
  store_four(out + start, first, elements, sum);
}

// out [N,elements]: the first elements of the images [N,all]. blockIdx.y: image.
extern "C" __global__ void __launch_bounds__(256) first_channels(
    const float* __restrict__ images, int all, float* out, int elements) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  int first = 4 * block;
  if (4ll * block >= elements) return;
  const float* x = images + (size_t)blockIdx.y * all;
  float v[4] = {0, 0, 0, 0};
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (first + k < elements) v[k] = x[first + k];
  }
  store_four(out + (size_t)blockIdx.y * elements, first, elements, v);
}
