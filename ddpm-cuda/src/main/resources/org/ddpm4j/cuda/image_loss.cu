// The mean over each image of what its errors cost, the mean over all images, and their gradients.
//
// Padding costs nothing and has no slope under any of the losses, for it is zero in prediction and
// target: what works on packs need not know where it begins. Where formats differ, or rows do not
// consist of packs, the kernels "_any" serve.
#include "any_format.cuh"

// The ordinals of PointwiseLoss.
constexpr int L1 = 0;
constexpr int L2 = 1;
constexpr int HUBER = 2;
constexpr int INNER_PRODUCT = 3;

static __device__ __forceinline__ float loss_of(int loss, float prediction, float target) {
  float error = prediction - target;
  float magnitude = fabsf(error);
  switch (loss) {
    case L1: return magnitude;
    case L2: return error * error;
    case HUBER: return magnitude <= 1.0f ? 0.5f * error * error : magnitude - 0.5f;
    default: return prediction * target;
  }
}

static __device__ __forceinline__ float prediction_slope(
    int loss, float prediction, float target) {
  float error = prediction - target;
  switch (loss) {
    case L1: return error > 0.0f ? 1.0f : error < 0.0f ? -1.0f : error;
    case L2: return 2.0f * error;
    case HUBER: return error > 1.0f ? 1.0f : error < -1.0f ? -1.0f : error;
    default: return target;
  }
}

static __device__ __forceinline__ float target_slope(int loss, float prediction, float target) {
  return loss == INNER_PRODUCT ? prediction : -prediction_slope(loss, prediction, target);
}

// losses [N]: a block for each image of `length` elements with padding, `elements` without.
extern "C" __global__ void loss_per_image(
    const element* predictions, const element* targets, float* losses, long long length,
    long long elements, int loss) {
  predictions += blockIdx.x * length;
  targets += blockIdx.x * length;
  double sum = 0;
#pragma unroll 2
  for (long long i = threadIdx.x * PACK; i < length; i += blockDim.x * PACK) {
    float p[PACK], t[PACK];
    load_floats(p, predictions + i);
    load_floats(t, targets + i);
    float ofPack = 0;
#pragma unroll
    for (int j = 0; j < PACK; j++) ofPack += loss_of(loss, p[j], t[j]);
    sum += ofPack;
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) losses[blockIdx.x] = (float)(sum / elements);
}

// `rows` rows of `width` numbers for each image.
extern "C" __global__ void loss_per_image_any(
    const void* predictions, int isBfloat16OfP, int rowLengthOfP, const void* targets,
    int isBfloat16OfT, int rowLengthOfT, float* losses, long long rows, int width, int loss) {
  long long elements = rows * width;
  double sum = 0;
  for (long long i = threadIdx.x; i < elements; i += blockDim.x) {
    long long row = i / width;
    int column = (int)(i - row * width);
    row += blockIdx.x * rows;
    sum += loss_of(
        loss, load_any(predictions, isBfloat16OfP, row * rowLengthOfP + column),
        load_any(targets, isBfloat16OfT, row * rowLengthOfT + column));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) losses[blockIdx.x] = (float)(sum / elements);
}

// Either output may be null. One thread for each pack.
extern "C" __global__ void loss_per_image_gradient(
    const element* predictions, const element* targets, const float* gradients,
    element* dpredictions, element* dtargets, long long images, long long length,
    long long elements, int loss) {
  long long i = thread_of_grid() * PACK;
  if (i >= images * length) return;
  float factor = gradients[i / length] / elements;
  float p[PACK], t[PACK], slopes[PACK];
  load_floats(p, predictions + i);
  load_floats(t, targets + i);
  if (dpredictions) {
#pragma unroll
    for (int j = 0; j < PACK; j++) slopes[j] = factor * prediction_slope(loss, p[j], t[j]);
    store_floats(dpredictions + i, slopes);
  }
  if (dtargets) {
#pragma unroll
    for (int j = 0; j < PACK; j++) slopes[j] = factor * target_slope(loss, p[j], t[j]);
    store_floats(dtargets + i, slopes);
  }
}

// One thread for each number of one output and for its padding: of the targets' or the
// predictions'.
extern "C" __global__ void loss_per_image_gradient_any(
    const void* predictions, int isBfloat16OfP, int rowLengthOfP, const void* targets,
    int isBfloat16OfT, int rowLengthOfT, const float* gradients, void* slopes, int isBfloat16OfS,
    int rowLengthOfS, int ofTarget, long long images, long long rows, int width, int loss) {
  long long i = thread_of_grid();
  long long row = i / rowLengthOfS;
  int column = (int)(i - row * rowLengthOfS);
  if (row >= images * rows) return;
  float value = 0;
  if (column < width) {
    float p = load_any(predictions, isBfloat16OfP, row * rowLengthOfP + column);
    float t = load_any(targets, isBfloat16OfT, row * rowLengthOfT + column);
    float slope = ofTarget ? target_slope(loss, p, t) : prediction_slope(loss, p, t);
    value = gradients[row / rows] / (rows * width) * slope;
  }
  store_any(slopes, isBfloat16OfS, i, value);
}

// The mean of `rows` rows of `width` numbers, by one block.
extern "C" __global__ void mean(
    const void* x, int isBfloat16, int rowLength, float* result, long long rows, int width) {
  double sum = 0;
  for (long long i = threadIdx.x; i < rows * width; i += blockDim.x) {
    long long row = i / width;
    sum += load_any(x, isBfloat16, row * rowLength + (i - row * width));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) result[0] = (float)(sum / (rows * width));
}

// Everyone's share of the gradient, and zeros as padding.
extern "C" __global__ void mean_gradient(
    const float* gradient, void* dx, int isBfloat16, int rowLength, long long rows, int width) {
  long long i = thread_of_grid();
  if (i >= rows * rowLength) return;
  float share = gradient[0] / (rows * width);
  store_any(dx, isBfloat16, i, i % rowLength < width ? share : 0.0f);
}
