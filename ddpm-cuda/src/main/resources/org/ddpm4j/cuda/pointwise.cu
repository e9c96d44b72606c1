// Sums, products, affine maps and activation functions, element by element.
//
// Inputs and output have one format: all elements, padding included, follow each other, and the
// kernels of sums, products and activations take zeros to zeros, so that padding stays what it is.
// A thread has one pack. The output may be an input. Dense float is computed by the same kernels,
// compiled with -DELEMENT_FLOAT. Where formats differ, pointwise_any serves.
#include "any_format.cuh"

static __device__ __forceinline__ bool is_aligned(const void* address) {
  return reinterpret_cast<unsigned long long>(address) % 16 == 0;
}

// y = operation(a, b, position in the pack); b may be null, and counts as zeros then.
template <typename Operation>
static __device__ __forceinline__ void for_each(
    const element* a, const element* b, element* y, long long length, Operation operation) {
  long long start = thread_of_grid() * PACK;
  if (start >= length) return;
  if (start + PACK <= length && is_aligned(a) && is_aligned(b) && is_aligned(y)) {
    float as[PACK], bs[PACK] = {};
    load_floats(as, a + start);
    if (b) load_floats(bs, b + start);
#pragma unroll
    for (int i = 0; i < PACK; i++) as[i] = operation(as[i], bs[i], i);
    store_floats(y + start, as);
  } else {
    for (int i = 0; i < PACK && start + i < length; i++) {
      float second = b ? to_float(b[start + i]) : 0.0f;
      y[start + i] = to_element(operation(to_float(a[start + i]), second, i));
    }
  }
}

extern "C" __global__ void add(
    const element* a, const element* b, element* sum, long long length) {
  for_each(a, b, sum, length, [](float x, float y, int) { return x + y; });
}

extern "C" __global__ void multiply(
    const element* a, const element* b, element* product, long long length) {
  for_each(a, b, product, length, [](float x, float y, int) { return x * y; });
}

// y = factor x + summand, but zero in the padding behind `channels`.
extern "C" __global__ void affine(
    const element* x, element* y, long long length, float factor, float summand, int channels,
    int rowLength) {
  int used = PACK;  // how many of this pack are no padding
  if (rowLength > channels) used = channels - (int)(thread_of_grid() * PACK % rowLength);
  for_each(x, nullptr, y, length, [=](float value, float, int i) {
    return i < used ? fmaf(factor, value, summand) : 0.0f;
  });
}

template <int FUNCTION>
static __device__ __forceinline__ void apply(const element* x, element* y, long long length) {
  for_each(x, nullptr, y, length, [](float v, float, int) { return activate(FUNCTION, v); });
}

extern "C" __global__ void eltwise(const element* x, element* y, long long length, int function) {
  switch (function) {
    case SILU: return apply<SILU>(x, y, length);
    case GELU: return apply<GELU>(x, y, length);
    case RELU: return apply<RELU>(x, y, length);
    case MISH: return apply<MISH>(x, y, length);
    default: return apply<IDENTITY>(x, y, length);
  }
}

template <int FUNCTION>
static __device__ __forceinline__ void apply_slope(
    const element* x, const element* dy, element* dx, long long length) {
  for_each(x, dy, dx, length, [](float v, float gradient, int) {
    return gradient * activation_slope(FUNCTION, v);
  });
}

extern "C" __global__ void eltwise_gradient(
    const element* x, const element* dy, element* dx, long long length, int function) {
  switch (function) {
    case SILU: return apply_slope<SILU>(x, dy, dx, length);
    case GELU: return apply_slope<GELU>(x, dy, dx, length);
    case RELU: return apply_slope<RELU>(x, dy, dx, length);
    case MISH: return apply_slope<MISH>(x, dy, dx, length);
    default: return apply_slope<IDENTITY>(x, dy, dx, length);
  }
}

// The operations of pointwise_any, as in PointwiseKernels.
constexpr int ADD = 0;
constexpr int MULTIPLY = 1;
constexpr int AFFINE = 2;
constexpr int ELTWISE = 3;
constexpr int ELTWISE_GRADIENT = 4;

static __device__ float combine(
    int operation, float a, float b, int function, float factor, float summand) {
  switch (operation) {
    case ADD: return a + b;
    case MULTIPLY: return a * b;
    case AFFINE: return fmaf(factor, a, summand);
    case ELTWISE: return activate(function, a);
    case ELTWISE_GRADIENT: return b * activation_slope(function, a);
    default: return __int_as_float(0x7fffffff);
  }
}

// The same for `rows` rows of `width` numbers in any formats; b may be null. One thread for each
// number of the output and for its padding.
extern "C" __global__ void pointwise_any(
    int operation, const void* a, int isBfloat16OfA, int rowLengthOfA, const void* b,
    int isBfloat16OfB, int rowLengthOfB, void* y, int isBfloat16OfY, int rowLengthOfY,
    long long rows, int width, int function, float factor, float summand) {
  long long i = thread_of_grid();
  long long row = i / rowLengthOfY;
  int column = (int)(i - row * rowLengthOfY);
  if (row >= rows) return;
  float value = 0;
  if (column < width) {
    float first = load_any(a, isBfloat16OfA, row * rowLengthOfA + column);
    float second = b ? load_any(b, isBfloat16OfB, row * rowLengthOfB + column) : 0.0f;
    value = combine(operation, first, second, function, factor, summand);
  }
  store_any(y, isBfloat16OfY, i, value);
}
