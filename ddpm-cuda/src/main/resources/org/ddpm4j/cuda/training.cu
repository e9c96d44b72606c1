// What a step of training does around the network's plan: noise before it, AdamW after it.
// All arrays are dense float; sums are formed in double, in an order that depends on lengths alone.
#include "common.cuh"

// ------------------------------------------------------------------------------------- noise

// Philox4x32-10 (Salmon et al. 2011): four random numbers of 32 bits for a counter and a key.
static __device__ __forceinline__ void philox(unsigned counter[4], unsigned key0, unsigned key1) {
#pragma unroll
  for (int round = 0; round < 10; round++) {
    unsigned long long product0 = (unsigned long long)0xD2511F53u * counter[0];
    unsigned long long product1 = (unsigned long long)0xCD9E8D57u * counter[2];
    unsigned next0 = (unsigned)(product1 >> 32) ^ counter[1] ^ key0;
    unsigned next2 = (unsigned)(product0 >> 32) ^ counter[3] ^ key1;
    counter[1] = (unsigned)product1;
    counter[3] = (unsigned)product0;
    counter[0] = next0;
    counter[2] = next2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

// Two normal numbers of two uniform ones (Box and Muller 1958), in double as on the host.
static __device__ __forceinline__ void box_muller(unsigned a, unsigned b, float* first, float* second) {
  double radius = sqrt(-2.0 * log((a + 1.0) * 0x1p-32));
  double sine, cosine;
  sincos(6.283185307179586476925286766559 * (b * 0x1p-32), &sine, &cosine);
  *first = (float)(radius * cosine);
  *second = (float)(radius * sine);
}

// Noise of the elements 4 block .. 4 block + 3 of an image; key: seed low, seed high, first image, step, purpose.
static __device__ __forceinline__ void gaussian4(const unsigned* key, unsigned image, unsigned block, float noise[4]) {
  unsigned counter[4] = {block, key[2] + image, key[3], key[4]};
  philox(counter, key[0], key[1]);
  box_muller(counter[0], counter[1], &noise[0], &noise[1]);
  box_muller(counter[2], counter[3], &noise[2], &noise[3]);
}

// The numbers themselves, for tests: bits [blocks,4].
extern "C" __global__ void philox_bits(const unsigned* key, unsigned image, unsigned* bits, int blocks) {
  int block = blockIdx.x * blockDim.x + threadIdx.x;
  if (block >= blocks) return;
  unsigned counter[4] = {(unsigned)block, key[2] + image, key[3], key[4]};
  philox(counter, key[0], key[1]);
  for (int i = 0; i < 4; i++) bits[4 * block + i] = counter[i];
}

// out [images,elements]
extern "C" __global__ void gaussian_noise(const unsigned* key, float* out, int images, int elements) {
  int blocks = (elements + 3) / 4;
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= images * blocks) return;
  int image = i / blocks;
  int block = i % blocks;
  float noise[4];
  gaussian4(key, image, block, noise);
  for (int k = 0; k < 4 && 4 * block + k < elements; k++) out[(long long)image * elements + 4 * block + k] = noise[k];
}

static __device__ __forceinline__ float sum_of_products(float a, float x, float b, float y) {
#ifdef DDPM_ON_CPU
  volatile float first = a * x;
  volatile float second = b * y;
  return first + second;
#else
  return __fadd_rn(__fmul_rn(a, x), __fmul_rn(b, y));
#endif
}

// Noisy images c0 x0 + c1 eps and what the network should say, c2 x0 + c3 eps; coefficients [images,4].
// The small inputs of the plan, [images] each, are copied beside; labels may be null.
extern "C" __global__ void diffuse(
    const unsigned* key, const float* x0, const float* coefficients, float* xt, float* target, int images, int elements,
    const float* t_from, float* t, const float* labels_from, float* labels, const float* weights_from, float* weights) {
  int blocks = (elements + 3) / 4;
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < images) {
    t[i] = t_from[i];
    if (labels != 0) labels[i] = labels_from[i];
    weights[i] = weights_from[i];
  }
  if (i >= images * blocks) return;
  int image = i / blocks;
  int block = i % blocks;
  float noise[4];
  gaussian4(key, image, block, noise);
  const float* c = coefficients + 4 * image;
  for (int k = 0; k < 4 && 4 * block + k < elements; k++) {
    long long place = (long long)image * elements + 4 * block + k;
    float x = x0[place];
    xt[place] = sum_of_products(c[0], x, c[1], noise[k]);
    target[place] = sum_of_products(c[2], x, c[3], noise[k]);
  }
}

// ------------------------------------------------------------------------------------- AdamW

// Sums of the squares of g: one for each block. n is padded by the caller to a multiple of 4 where it can be; the rest
// is taken one by one.
extern "C" __global__ void squares(const float* g, int n, double* partials) {
  float sum = 0.0f;
  int packs = n / 4;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += gridDim.x * blockDim.x) {
    float4 x = reinterpret_cast<const float4*>(g)[i];
    sum += x.x * x.x + x.y * x.y + x.z * x.z + x.w * x.w;
  }
  int last = 4 * packs + threadIdx.x;
  if (blockIdx.x == 0 && last < n) sum += g[last] * g[last];
  double total = block_sum((double)sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

static __device__ __forceinline__ double sum_of_partials(const double* partials, int count) {
  double sum = 0.0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) sum += partials[i];
  return block_sum(sum);
}

struct AdamW {
  float beta1, rest1, beta2, rest2, epsilon, clip, rate, correction, shrink, keep, take;
};

static __device__ __forceinline__ float adamw_element(
    const AdamW& a, float g, float& m, float& v, float& w, float& ema) {
  g *= a.clip;
  m = a.beta1 * m + a.rest1 * g;
  v = a.beta2 * v + a.rest2 * (g * g);
  float direction = m / (sqrtf(v) * a.correction + a.epsilon);
  w = a.shrink * w - a.rate * direction;
  ema = a.keep * ema + a.take * w;
  return direction * direction;
}

// Clips the gradient to maxNorm, updates the moments, the weights (Loshchilov and Hutter 2019, algorithm 2) and their
// moving average; nothing at all if the gradient's norm is not finite.
//   gradientPartials  of `squares`
//   scalars           learning rate over 1 - beta1^t, 1 / sqrt(1 - beta2^t), 1 - learning rate times weight decay, EMA decay
//   updatePartials    receives sums of the squares of the directions, one for each block
extern "C" __global__ void adamw(
    const float* g, float* m, float* v, float* w, float* ema, int n, const double* gradientPartials, int partials,
    const double* scalars, double beta1, double beta2, double epsilon, double maxNorm, double* updatePartials) {
  double norm = sqrt(sum_of_partials(gradientPartials, partials));
  if (!isfinite(norm)) {
    if (threadIdx.x == 0) updatePartials[blockIdx.x] = norm;
    return;
  }
  AdamW a;
  a.beta1 = (float)beta1;
  a.rest1 = (float)(1 - beta1);
  a.beta2 = (float)beta2;
  a.rest2 = (float)(1 - beta2);
  a.epsilon = (float)epsilon;
  a.clip = norm > maxNorm ? (float)(maxNorm / norm) : 1.0f;
  a.rate = (float)scalars[0];
  a.correction = (float)scalars[1];
  a.shrink = (float)scalars[2];
  a.keep = (float)scalars[3];
  a.take = (float)(1 - scalars[3]);
  float sum = 0.0f;
  int packs = n / 4;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < packs; i += gridDim.x * blockDim.x) {
    float4 gs = reinterpret_cast<const float4*>(g)[i];
    float4 ms = reinterpret_cast<float4*>(m)[i];
    float4 vs = reinterpret_cast<float4*>(v)[i];
    float4 ws = reinterpret_cast<float4*>(w)[i];
    float4 es = reinterpret_cast<float4*>(ema)[i];
    sum += adamw_element(a, gs.x, ms.x, vs.x, ws.x, es.x);
    sum += adamw_element(a, gs.y, ms.y, vs.y, ws.y, es.y);
    sum += adamw_element(a, gs.z, ms.z, vs.z, ws.z, es.z);
    sum += adamw_element(a, gs.w, ms.w, vs.w, ws.w, es.w);
    reinterpret_cast<float4*>(m)[i] = ms;
    reinterpret_cast<float4*>(v)[i] = vs;
    reinterpret_cast<float4*>(w)[i] = ws;
    reinterpret_cast<float4*>(ema)[i] = es;
  }
  int last = 4 * packs + threadIdx.x;
  if (blockIdx.x == 0 && last < n) sum += adamw_element(a, g[last], m[last], v[last], w[last], ema[last]);
  double total = block_sum((double)sum);
  if (threadIdx.x == 0) updatePartials[blockIdx.x] = total;
}

// One block: norms [2] are those of the gradient and of its part of the update; the losses [images] are copied behind.
extern "C" __global__ void training_outcome(
    const double* gradientPartials, const double* updatePartials, int partials, const double* scalars,
    const float* losses, int images, double* norms, float* lossesOut) {
  double gradient = sum_of_partials(gradientPartials, partials);
  double update = sum_of_partials(updatePartials, partials);
  if (threadIdx.x == 0) {
    norms[0] = sqrt(gradient);
    norms[1] = scalars[0] * sqrt(update);
  }
  for (int i = threadIdx.x; i < images; i += blockDim.x) lossesOut[i] = losses[i];
}
