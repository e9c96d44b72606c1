// Losses of images, the mean of a batch, and their gradients. Sums are double.
//
// An array is given by its address, 1 if it is float or 0 if it is of the maps' type, and the
// elements from one row of its last axis to the next: predictions and targets are mostly dense
// float, but need not be.
#include "common.cuh"
#include "losses.cuh"

// losses[image]: the mean over its rows of `columns` elements. One block for each image.
extern "C" __global__ void __launch_bounds__(512) loss_per_image(
    const void* prediction, int predictionIsFloat, int predictionRow, const void* target,
    int targetIsFloat, int targetRow, float* losses, int rows, int columns, int loss) {
  size_t first = (size_t)blockIdx.x * rows;
  double sum = 0;
  for (int i = threadIdx.x; i < rows * columns; i += blockDim.x) {
    int row = i / columns;
    int column = i - row * columns;
    sum += loss_of(
        loss, load_any(prediction, predictionIsFloat, (first + row) * predictionRow + column),
        load_any(target, targetIsFloat, (first + row) * targetRow + column));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) losses[blockIdx.x] = (float)(sum / ((double)rows * columns));
}

// Gradients of prediction and target, each of which may be null, from those of the losses [N].
// blockIdx.y: image. Padding becomes 0.
extern "C" __global__ void __launch_bounds__(256) loss_per_image_gradient(
    const void* prediction, int predictionIsFloat, int predictionRow, const void* target,
    int targetIsFloat, int targetRow, const float* __restrict__ gradient, void* dPrediction,
    int dPredictionIsFloat, int dPredictionRow, void* dTarget, int dTargetIsFloat, int dTargetRow,
    int rows, int columns, int loss) {
  int places = max(columns, max(dPredictionRow, dTargetRow));
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * places) return;
  int row = i / places;
  int column = i - row * places;
  size_t own = (size_t)blockIdx.y * rows + row;
  double p = 0, t = 0;
  if (column < columns) {
    double u = load_any(prediction, predictionIsFloat, own * predictionRow + column);
    double v = load_any(target, targetIsFloat, own * targetRow + column);
    double factor = (double)gradient[blockIdx.y] / ((double)rows * columns);
    p = factor * loss_slope(loss, u, v);
    t = loss == INNER_PRODUCT ? factor * u : -p;
  }
  if (dPrediction != nullptr && column < dPredictionRow) {
    store_any(dPrediction, dPredictionIsFloat, own * dPredictionRow + column, (float)p);
  }
  if (dTarget != nullptr && column < dTargetRow) {
    store_any(dTarget, dTargetIsFloat, own * dTargetRow + column, (float)t);
  }
}

// The mean of all elements, by one block.
extern "C" __global__ void __launch_bounds__(1024) mean(
    const void* x, int isFloat, int rowLength, float* y, long long rows, int columns) {
  double sum = 0;
  for (long long i = threadIdx.x; i < rows * columns; i += blockDim.x) {
    long long row = i / columns;
    sum += load_any(x, isFloat, row * rowLength + (i - row * columns));
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) y[0] = (float)(sum / ((double)rows * columns));
}

// The same part of the mean's gradient for each element.
extern "C" __global__ void __launch_bounds__(256) mean_gradient(
    const float* __restrict__ gradient, void* dx, int isFloat, int rowLength, long long rows,
    int columns) {
  float part = (float)((double)gradient[0] / ((double)rows * columns));
  long long step = (long long)gridDim.x * blockDim.x;
  long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < rows * rowLength; i += step) {
    store_any(dx, isFloat, i, i % rowLength < columns ? part : 0.0f);
  }
}
