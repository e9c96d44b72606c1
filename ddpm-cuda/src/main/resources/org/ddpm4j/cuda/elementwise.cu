// Operations on single elements, the order of axes, embeddings of timesteps and labels.
//
// Arrays that lie alike are worked on as one long row of elements, whatever their shape; padding is
// 0 and stays so. For dense float arrays this file is compiled with -DELEMENT_FLOAT. The kernels
// named ..._any take arrays that lie differently, one element at a time: each with the address, 1
// if it is float or 0 if it is of the maps' type, and the elements from one row to the next.
#include "common.cuh"

// ---------------------------------------------------------------------------- operations

constexpr int ADD = 0;
constexpr int MULTIPLY = 1;
constexpr int AFFINE = 2;             // factor a + summand
constexpr int ELTWISE = 3;            // function(a)
constexpr int ELTWISE_GRADIENT = 4;   // b function'(a)

struct Settings {
  float factor;
  float summand;
  int function;
};

static __device__ __forceinline__ float operate(int operation, float a, float b, Settings s) {
  switch (operation) {
    case ADD: return a + b;
    case MULTIPLY: return a * b;
    case AFFINE: return fmaf(s.factor, a, s.summand);
    case ELTWISE: return activate(s.function, a);
    default: return b * activation_slope(s.function, a);
  }
}

static __device__ __forceinline__ bool is_aligned(const void* address) {
  return reinterpret_cast<size_t>(address) % 16 == 0;
}

// y may be a or b; b may be null where the operation takes one operand.
template <int OPERATION>
static __device__ __forceinline__ void operate_on_all(
    const element* a, const element* b, element* y, long long n, Settings settings) {
  bool aligned = is_aligned(a) && is_aligned(b) && is_aligned(y);
  long long step = (long long)gridDim.x * blockDim.x * PACK;
  long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * PACK;
  for (; i < n; i += step) {
    if (aligned && i + PACK <= n) {
      float u[PACK], v[PACK];
      load_floats(u, a + i);
      if (b != nullptr) load_floats(v, b + i);
#pragma unroll
      for (int j = 0; j < PACK; j++) u[j] = operate(OPERATION, u[j], b ? v[j] : 0.0f, settings);
      store_floats(y + i, u);
    } else {
      for (long long k = i; k < n && k < i + PACK; k++) {
        float v = b != nullptr ? to_float(b[k]) : 0.0f;
        y[k] = to_element(operate(OPERATION, to_float(a[k]), v, settings));
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(256) add(
    const element* a, const element* b, element* y, long long n) {
  operate_on_all<ADD>(a, b, y, n, {});
}

extern "C" __global__ void __launch_bounds__(256) multiply(
    const element* a, const element* b, element* y, long long n) {
  operate_on_all<MULTIPLY>(a, b, y, n, {});
}

extern "C" __global__ void __launch_bounds__(256) eltwise(
    const element* x, element* y, long long n, int function) {
  operate_on_all<ELTWISE>(x, nullptr, y, n, {0, 0, function});
}

extern "C" __global__ void __launch_bounds__(256) eltwise_gradient(
    const element* x, const element* dy, element* dx, long long n, int function) {
  operate_on_all<ELTWISE_GRADIENT>(x, dy, dx, n, {0, 0, function});
}

// Of dense arrays, or without summand: padding becomes the summand.
extern "C" __global__ void __launch_bounds__(256) affine(
    const element* x, element* y, long long n, float factor, float summand) {
  operate_on_all<AFFINE>(x, nullptr, y, n, {factor, summand, 0});
}

// Any of the operations on rows of `channels` elements. b may be null where it takes one operand.
extern "C" __global__ void __launch_bounds__(256) operate_any(
    int operation, const void* a, int aIsFloat, int aRow, const void* b, int bIsFloat, int bRow,
    void* y, int yIsFloat, int yRow, long long rows, int channels, float factor, float summand,
    int function) {
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * yRow; i += step) {
    long long row = i / yRow;
    int c = (int)(i - row * yRow);
    float value = 0;
    if (c < channels) {
      float u = load_any(a, aIsFloat, row * aRow + c);
      float v = b != nullptr ? load_any(b, bIsFloat, row * bRow + c) : 0.0f;
      value = operate(operation, u, v, {factor, summand, function});
    }
    store_any(y, yIsFloat, i, value);
  }
}

// ---------------------------------------------------------------------------- order of axes

// From dense float [N,C,P] to a map [N,P,C]. blockIdx.y: packs of channels.
extern "C" __global__ void __launch_bounds__(256) channels_last(
    const float* __restrict__ x, element* __restrict__ y, long long allPositions, int positions,
    int channels, int rowLength) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= allPositions) return;
  long long image = i / positions;
  const float* from = x + image * positions * channels + (i - image * positions);
  int c = blockIdx.y * PACK;
  float v[PACK];
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    v[j] = c + j < channels ? from[(long long)(c + j) * positions] : 0.0f;
  }
  store_floats(y + i * rowLength + c, v);
}

// From a map [N,P,C] to dense float [N,C,P]. blockIdx.y: packs of channels.
extern "C" __global__ void __launch_bounds__(256) channels_first(
    const element* __restrict__ x, float* __restrict__ y, long long allPositions, int positions,
    int channels, int rowLength) {
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= allPositions) return;
  long long image = i / positions;
  float* to = y + image * positions * channels + (i - image * positions);
  int c = blockIdx.y * PACK;
  float v[PACK];
  load_floats(v, x + i * rowLength + c);
#pragma unroll
  for (int j = 0; j < PACK; j++) {
    if (c + j < channels) to[(long long)(c + j) * positions] = v[j];
  }
}

// Between [N,C,H,W] ("first") and [N,H,W,C] ("last"), however both lie; toFirst says which way.
// Blocks of `yRow` columns for each row of the target.
extern "C" __global__ void __launch_bounds__(256) permute_any(
    const void* x, int xIsFloat, int xRow, void* y, int yIsFloat, int yRow, int images,
    int channels, int height, int width, int toFirst) {
  long long rows = (long long)images * height * (toFirst ? channels : width);
  int columns = toFirst ? width : channels;
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * yRow; i += step) {
    long long row = i / yRow;
    int column = (int)(i - row * yRow);
    float value = 0;
    if (column < columns) {
      // Rows of [N,C,H,W] are (n, c, h), those of [N,H,W,C] are (n, h, w).
      int last = (int)(row % (toFirst ? height : width));
      long long rest = row / (toFirst ? height : width);
      int middle = (int)(rest % (toFirst ? channels : height));
      long long n = rest / (toFirst ? channels : height);
      size_t from = toFirst ? ((n * height + last) * width + column) * xRow + middle
                            : ((n * channels + column) * height + middle) * xRow + last;
      value = load_any(x, xIsFloat, from);
    }
    store_any(y, yIsFloat, i, value);
  }
}

// ---------------------------------------------------------------------------- embeddings

// t / timesteps, [N]
extern "C" __global__ void __launch_bounds__(256) time_fraction(
    const float* __restrict__ t, float* y, int n, float timesteps) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = t[i] / timesteps;
}

// y [N,width]: the sines of t 10000^(-i / (width/2 - shift)) from column sinesAt on, the cosines in
// the other half. Angles are rounded to float, as on a CPU.
extern "C" __global__ void __launch_bounds__(256) sinusoidal_embedding(
    const float* __restrict__ t, float* y, int n, int width, int shift, int sinesAt) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  int half = width / 2;
  if (k >= n * half) return;
  int image = k / half;
  int i = k - image * half;
  float frequency = (float)exp(-9.210340371976184 /* ln 10000 */ * i / (half - (double)shift));
  double angle = t[image] * frequency;
  float* row = y + (size_t)image * width + i;
  row[sinesAt] = (float)sin(angle);
  row[half - sinesAt] = (float)cos(angle);
}

// x + table: rows of `channels` elements, of which the table has `positions`.
extern "C" __global__ void __launch_bounds__(256) add_positions(
    const void* x, int xIsFloat, int xRow, const float* __restrict__ table, void* y, int yIsFloat,
    int yRow, long long rows, int positions, int channels) {
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * yRow; i += step) {
    long long row = i / yRow;
    int c = (int)(i - row * yRow);
    float value = 0;
    if (c < channels) {
      value = load_any(x, xIsFloat, row * xRow + c) + table[row % positions * channels + c];
    }
    store_any(y, yIsFloat, i, value);
  }
}

// y [N,2C]: the sines of 2 pi f log t, and behind them the cosines. Levels are few.
extern "C" __global__ void __launch_bounds__(256) fourier_embedding(
    const float* __restrict__ t, const float* __restrict__ frequencies, float* y, int n, int count) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= n * count) return;
  int image = k / count;
  int i = k - image * count;
  double angle = 6.283185307179586 /* 2 pi */ * log((double)t[image]) * frequencies[i];
  float* row = y + (size_t)image * 2 * count + i;
  row[0] = (float)sin(angle);
  row[count] = (float)cos(angle);
}

// y [N,1+2C]: t, the sines of 2 pi f t, and behind them the cosines. Times are few.
extern "C" __global__ void __launch_bounds__(256) learned_sinusoids(
    const float* __restrict__ t, const float* __restrict__ frequencies, float* y, int n, int count) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= n * count) return;
  int image = k / count;
  int i = k - image * count;
  double angle = 6.283185307179586 /* 2 pi */ * t[image] * frequencies[i];
  float* row = y + (size_t)image * (1 + 2 * count);
  if (i == 0) row[0] = t[image];
  row[1 + i] = (float)sin(angle);
  row[1 + count + i] = (float)cos(angle);
}

// Adds to dfrequencies [C], in the order of the images.
extern "C" __global__ void __launch_bounds__(256) learned_sinusoids_gradient(
    const float* __restrict__ t, const float* __restrict__ frequencies,
    const float* __restrict__ dy, float* dfrequencies, int n, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  double sum = 0;
  for (int image = 0; image < n; image++) {
    double turns = 6.283185307179586 /* 2 pi */ * t[image];
    double angle = turns * frequencies[i];
    const float* row = dy + (size_t)image * (1 + 2 * count);
    sum += turns * (cos(angle) * row[1 + i] - sin(angle) * row[1 + count + i]);
  }
  dfrequencies[i] += (float)sum;
}

// x / divisors[n], rows of `channels` elements, `positions` of them an image.
extern "C" __global__ void __launch_bounds__(256) divide_per_image(
    const void* x, int xIsFloat, int xRow, const float* __restrict__ divisors, void* y,
    int yIsFloat, int yRow, long long rows, int positions, int channels) {
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * yRow; i += step) {
    long long row = i / yRow;
    int c = (int)(i - row * yRow);
    float value = 0;
    if (c < channels) value = load_any(x, xIsFloat, row * xRow + c) / divisors[row / positions];
    store_any(y, yIsFloat, i, value);
  }
}

// y [N,width]: rows of the table by their labels.
extern "C" __global__ void __launch_bounds__(256) embedding(
    const float* __restrict__ labels, const float* __restrict__ table, float* y, int n,
    int width) {
  int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k >= n * width) return;
  int image = k / width;
  y[k] = table[(size_t)(int)labels[image] * width + (k - image * width)];
}

// Adds rows of dy [N,width] to those of dtable [count,width] with their labels, in the order of the
// images. One thread for each element of the table; labels go through shared memory.
extern "C" __global__ void __launch_bounds__(256) embedding_gradient(
    const float* __restrict__ labels, const float* __restrict__ dy, float* dtable, int n,
    int count, int width) {
  __shared__ int own[256];
  long long k = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  bool works = k < (long long)count * width;
  int row = (int)(k / width);
  int column = (int)(k - (long long)row * width);
  float sum = 0;
  bool found = false;
  for (int first = 0; first < n; first += blockDim.x) {
    int images = min((int)blockDim.x, n - first);
    __syncthreads();
    if (threadIdx.x < images) own[threadIdx.x] = (int)labels[first + threadIdx.x];
    __syncthreads();
    for (int i = 0; i < images; i++) {
      if (works && own[i] == row) {
        sum += dy[(size_t)(first + i) * width + column];
        found = true;
      }
    }
  }
  if (found) dtable[k] += sum;
}
