// AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping of the gradient and a moving average
// of the weights, on flat buffers of n floats that begin at multiples of 16 bytes.
//
// Three kernels: the norm of the gradient, the norm of the update, the update. Only the last one
// writes, and it leaves everything as it is if one of the norms is not finite. Norms are sums of
// PARTS parts in double, one of each block, in an order that depends on nothing: launch PARTS blocks.
//
// What changes from step to step lies in memory, so that a recorded graph can run again:
//   step: {learning rate, 1 - beta1^t, 1 - beta2^t, weight decay, decay of the average}, and behind
//   it the decays of further averages
#include "common.cuh"

constexpr int PARTS = 512;
constexpr int OPTIMIZER_THREADS = 256;

struct Step {
  double learningRate;
  double correction1;
  double correction2;
  double weightDecay;
  double emaDecay;
};

// Neighbouring parameters that do not decay: places first to end - 1.
struct Range {
  long long first;
  long long end;
};

struct Four {
  float v[4];
};

// Elements i to i + 3 of n.
static __device__ __forceinline__ Four load_four(const float* from, long long i, long long n) {
  Four x = {{0, 0, 0, 0}};
  if (i + 4 <= n) {
    float4 all = *reinterpret_cast<const float4*>(from + i);
    x = {{all.x, all.y, all.z, all.w}};
  } else {
    for (int k = 0; i + k < n; k++) x.v[k] = from[i + k];
  }
  return x;
}

static __device__ __forceinline__ void store_four(float* to, long long i, long long n, Four x) {
  if (i + 4 <= n) {
    *reinterpret_cast<float4*>(to + i) = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
  } else {
    for (int k = 0; i + k < n; k++) to[i + k] = x.v[k];
  }
}

static __device__ __forceinline__ float square_sum(Four x) {
  return (x.v[0] * x.v[0] + x.v[1] * x.v[1]) + (x.v[2] * x.v[2] + x.v[3] * x.v[3]);
}

static __device__ __forceinline__ long long first_of_thread() {
  return 4 * ((long long)blockIdx.x * blockDim.x + threadIdx.x);
}

static __device__ __forceinline__ long long step_of_threads() {
  return 4 * (long long)gridDim.x * blockDim.x;
}

// Whether no thread of the block has an element: of a small network that holds for most blocks.
static __device__ __forceinline__ bool block_is_beyond(long long n) {
  return 4 * (long long)blockIdx.x * blockDim.x >= n;
}

// The norm that all parts make, in each block again.
static __device__ __forceinline__ double norm_of(const double* __restrict__ parts) {
  double sum = 0;
  for (int k = threadIdx.x; k < PARTS; k += blockDim.x) sum += parts[k];
  return sqrt(block_sum(sum));
}

// What the weights i to i + 3 keep of themselves.
static __device__ __forceinline__ Four kept(
    float shrink, long long i, const Range* __restrict__ fixed, int fixedCount) {
  Four s = {{shrink, shrink, shrink, shrink}};
  for (int r = 0; r < fixedCount; r++) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (i + k >= fixed[r].first && i + k < fixed[r].end) s.v[k] = 1;
    }
  }
  return s;
}

// What the constants and the step make, as floats.
struct Adam {
  float beta1, rest1, beta2, rest2;
  float clip;  // what the gradient is multiplied with
  float correction;
  float epsilon;

  __device__ __forceinline__ Adam(
      double b1, double b2, double e, double maxNorm, double norm, const Step& step) {
    beta1 = (float)b1;
    rest1 = (float)(1 - b1);
    beta2 = (float)b2;
    rest2 = (float)(1 - b2);
    clip = norm > maxNorm ? (float)(maxNorm / norm) : 1.0f;
    correction = (float)(1 / sqrt(step.correction2));
    epsilon = (float)e;
  }

  // The direction; m and v become the new moments.
  __device__ __forceinline__ Four direction(Four g, Four& m, Four& v) const {
    Four d;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      float x = g.v[k] * clip;
      m.v[k] = beta1 * m.v[k] + rest1 * x;
      v.v[k] = beta2 * v.v[k] + rest2 * (x * x);
      d.v[k] = m.v[k] / (sqrtf(v.v[k]) * correction + epsilon);
    }
    return d;
  }
};

// The parts of the sum of squares of x.
extern "C" __global__ void __launch_bounds__(OPTIMIZER_THREADS) square_sums(
    const float* __restrict__ x, double* parts, long long n) {
  if (block_is_beyond(n)) {
    if (threadIdx.x == 0) parts[blockIdx.x] = 0;
    return;
  }
  double sum = 0;
#pragma unroll 4
  for (long long i = first_of_thread(); i < n; i += step_of_threads()) {
    sum += square_sum(load_four(x, i, n));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// The parts of the sum of squares of the direction, from those of the gradient. Nothing is written
// but these.
extern "C" __global__ void __launch_bounds__(OPTIMIZER_THREADS) adamw_direction(
    const float* __restrict__ gradient, const float* __restrict__ firstMoment,
    const float* __restrict__ secondMoment, const double* __restrict__ gradientParts,
    double* directionParts, const Step* __restrict__ step, long long n, double beta1,
    double beta2, double epsilon, double maxNorm) {
  if (block_is_beyond(n)) {
    if (threadIdx.x == 0) directionParts[blockIdx.x] = 0;
    return;
  }
  Adam adam(beta1, beta2, epsilon, maxNorm, norm_of(gradientParts), *step);
  double sum = 0;
#pragma unroll 2
  for (long long i = first_of_thread(); i < n; i += step_of_threads()) {
    Four m = load_four(firstMoment, i, n);
    Four v = load_four(secondMoment, i, n);
    Four g = load_four(gradient, i, n);
    // Behind the end all are 0, and so is the direction, or 0/0 where epsilon is 0.
    Four d = adam.direction(g, m, v);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (i + k >= n) d.v[k] = 0;
    }
    sum += square_sum(d);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) directionParts[blockIdx.x] = sum;
}

// The update of weights, moments and moving average (ema may be null). outcome: the norms of the
// gradient and of the update. What is `fixed` has a gradient of 0 and does not decay. Where `clears`
// is not 0, the gradient becomes 0 in any case.
extern "C" __global__ void __launch_bounds__(OPTIMIZER_THREADS) adamw_update(
    float* __restrict__ weights, float* __restrict__ gradient, float* __restrict__ firstMoment,
    float* __restrict__ secondMoment, float* __restrict__ ema,
    const double* __restrict__ gradientParts, const double* __restrict__ directionParts,
    const Step* __restrict__ step, double* outcome, long long n, double beta1, double beta2,
    double epsilon, double maxNorm, const Range* __restrict__ fixed, int fixedCount, int clears) {
  if (blockIdx.x > 0 && block_is_beyond(n)) return;
  double norm = norm_of(gradientParts);
  double rate = step->learningRate / step->correction1;
  double updateNorm = rate * norm_of(directionParts);
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    outcome[0] = norm;
    outcome[1] = updateNorm;
  }
  bool updates = isfinite(norm) && isfinite(updateNorm);
  Adam adam(beta1, beta2, epsilon, maxNorm, norm, *step);
  float shrink = (float)(1 - step->learningRate * step->weightDecay);
  float forward = (float)-rate;
  float keep = (float)step->emaDecay;
  float take = (float)(1 - step->emaDecay);
  Four zero = {{0, 0, 0, 0}};
  for (long long i = first_of_thread(); i < n; i += step_of_threads()) {
    if (updates) {
      Four g = load_four(gradient, i, n);
      Four m = load_four(firstMoment, i, n);
      Four v = load_four(secondMoment, i, n);
      Four w = load_four(weights, i, n);
      Four d = adam.direction(g, m, v);
      Four s = kept(shrink, i, fixed, fixedCount);
#pragma unroll
      for (int k = 0; k < 4; k++) w.v[k] = s.v[k] * w.v[k] + forward * d.v[k];
      store_four(firstMoment, i, n, m);
      store_four(secondMoment, i, n, v);
      store_four(weights, i, n, w);
      if (ema != nullptr) {
        Four e = load_four(ema, i, n);
#pragma unroll
        for (int k = 0; k < 4; k++) e.v[k] = keep * e.v[k] + take * w.v[k];
        store_four(ema, i, n, e);
      }
    }
    if (clears) store_four(gradient, i, n, zero);
  }
}

// Another moving average, behind the update: nothing where one of its norms is not finite.
extern "C" __global__ void __launch_bounds__(OPTIMIZER_THREADS) further_average(
    const float* __restrict__ weights, float* __restrict__ ema,
    const double* __restrict__ decay, const double* __restrict__ outcome, long long n) {
  if (!isfinite(outcome[0]) || !isfinite(outcome[1])) return;
  float keep = (float)*decay;
  float take = (float)(1 - *decay);
  for (long long i = first_of_thread(); i < n; i += step_of_threads()) {
    Four w = load_four(weights, i, n);
    Four e = load_four(ema, i, n);
#pragma unroll
    for (int k = 0; k < 4; k++) e.v[k] = keep * e.v[k] + take * w.v[k];
    store_four(ema, i, n, e);
  }
}
