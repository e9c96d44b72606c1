// Functions of an element of a prediction and the same of a target, with their slopes, in double.
#pragma once

// The codes of PointwiseLoss.
constexpr int L1 = 0;
constexpr int L2 = 1;
constexpr int HUBER = 2;
constexpr int INNER_PRODUCT = 3;

static __device__ __forceinline__ double loss_of(int loss, double prediction, double target) {
  double error = prediction - target;
  double magnitude = fabs(error);
  switch (loss) {
    case L1: return magnitude;
    case L2: return error * error;
    case HUBER: return magnitude <= 1 ? magnitude * magnitude / 2 : magnitude - 0.5;
    default: return prediction * target;
  }
}

// The derivative with respect to the prediction. An error that is no number stays none.
static __device__ __forceinline__ double loss_slope(int loss, double prediction, double target) {
  double error = prediction - target;
  switch (loss) {
    case L1: return error > 0 ? 1 : error < 0 ? -1 : error;
    case L2: return 2 * error;
    case HUBER: return error > 1 ? 1 : error < -1 ? -1 : error;
    default: return target;
  }
}
