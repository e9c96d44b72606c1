// The variational bound as the loss of images, and its gradient. Everything is double but for what
// is read and written. What is computed is said at BoundLoss and BoundTerm; the logarithms are those
// of StandardNormal.
//
// The network's answer is an array with channels last, given by its address, 1 if it is float or 0
// if it is of the maps' type, and the elements from one row to the next: the prediction's channels,
// and behind them, if the variance is learned, as many of v. Targets and images are dense float
// [N,C,P] with P positions, coefficients rows of COEFFICIENTS.
#include "common.cuh"
#include "losses.cuh"

constexpr double LOG_SQRT_TWO_PI = 0.91893853320467274178;
constexpr double SQRT_HALF = 0.70710678118654752440;
constexpr double TWO_OVER_SQRT_PI = 1.12837916709551257390;
constexpr double ONE_OVER_PI = 0.31830988618379067154;
constexpr double FOUR_PI = 12.566370614359172954;

// The order of BoundLoss.Coefficients.
constexpr int ERROR_SCALE = 0;
constexpr int HALF_LOG_RANGE = 1;
constexpr int INVERSE_DEVIATION = 2;
constexpr int IS_LAST = 3;
constexpr int BOUND_FACTOR = 4;
constexpr int ERROR_FACTOR = 5;
constexpr int COEFFICIENTS = 6;

// Of the simple error: the bound is alone.
constexpr int NO_ERROR = -1;

// ---------------------------------------------------------------------------- the normal distribution

static __device__ __forceinline__ double log_density(double z) {
  return -z * z / 2 - LOG_SQRT_TWO_PI;
}

// exp(x x) erfc(x) for x at least 0: below 1 by a series without cancellation, above by the
// trapezoidal rule with steps of 1/2, from which the pole's residue is taken.
static __device__ double scaled_erfc(double x) {
  if (x < 1) {
    double term = x * TWO_OVER_SQRT_PI;
    double erf = term;
    for (int n = 1; term > erf * 1e-18; n++) {
      term *= 2 * x * x / (2 * n + 1);
      erf += term;
    }
    return exp(x * x) - erf;
  }
  double sum = 0.5;
  for (int k = 13; k >= 1; k--) {
    double s = k * 0.5 / x;
    sum += exp(-0.25 * k * k) / (1 + s * s);
  }
  double rule = ONE_OVER_PI / x * sum;
  return x >= FOUR_PI / 2 ? rule
                          : rule - 2 * exp(x * x - FOUR_PI * x) / -expm1(-FOUR_PI * x);
}

// P(Z > z) for z at least 0.
static __device__ __forceinline__ double upper_tail(double z) {
  return exp(-z * z / 2) * scaled_erfc(z * SQRT_HALF) / 2;
}

static __device__ double log_upper_tail(double z) {
  return z < 0 ? log1p(-upper_tail(-z)) : log(scaled_erfc(z * SQRT_HALF) / 2) - z * z / 2;
}

// The mean of the density over that at the middle, by the Gauss-Legendre rule of ten points.
static __device__ double mean_of_relative_density(double middle, double halfWidth) {
  constexpr double nodes[] = {
      0.14887433898163122, 0.43339539412924719, 0.67940956829902441, 0.86506336668898451,
      0.97390652851717172};
  constexpr double weights[] = {
      0.29552422471475287, 0.26926671930999636, 0.21908636251598204, 0.14945134915058059,
      0.06667134430868814};
  double sum = 0;
#pragma unroll
  for (int i = 0; i < 5; i++) {
    double s = nodes[i] * halfWidth;
    sum += weights[i] * cosh(middle * s) * exp(-s * s / 2);
  }
  return sum;
}

// log P(lower < Z < upper) with finite ends.
static __device__ double log_interval(double lower, double upper, double width) {
  if (lower + upper < 0) {
    double mirrored = -lower;
    lower = -upper;
    upper = mirrored;
  }
  double middle = (lower + upper) / 2;
  if (width <= 1 && middle * width <= 1) {
    return log(width) + log_density(middle) + log(mean_of_relative_density(middle, width / 2));
  }
  if (lower < 0) return log1p(-upper_tail(-lower) - upper_tail(upper));
  double difference = scaled_erfc(lower * SQRT_HALF) -
                      exp(-middle * width) * scaled_erfc(upper * SQRT_HALF);
  return log(difference / 2) - lower * lower / 2;
}

// ---------------------------------------------------------------------------- terms

// What an element costs, and the derivatives by z and delta.
struct Term {
  double nats;
  double byError;
  double byLogRatio;
};

static __device__ __forceinline__ Term divergence(double z, double delta) {
  double precision = exp(-delta);
  double lost = expm1(-delta);
  double square = z * z * precision;
  return {(delta + lost + square) / 2, z * precision, -(lost + square) / 2};
}

static __device__ __forceinline__ Term density(double z, double delta, double inverseDeviation) {
  double precision = exp(-delta);
  double square = z * z * precision;
  return {
      (square + delta) / 2 + LOG_SQRT_TWO_PI - log(inverseDeviation), z * precision,
      (1 - square) / 2};
}

// Of the bin {lower, step, last} that x0 is in; an end below the first or above the last counts as
// infinite. Not inlined: few images are at the last step.
static __device__ __noinline__ Term probability(
    double z, double delta, double inverseDeviation, double x0, const double* pixels) {
  double level = rint((x0 - pixels[0]) / pixels[1]);
  if (!(level >= 0 && level <= pixels[2])) {
    double none = __longlong_as_double(0x7ff8000000000000ll);
    return {none, none, none};
  }
  double shrinking = exp(-delta / 2);
  double scale = inverseDeviation * shrinking;
  double middle = (pixels[0] + level * pixels[1] - x0) * scale - z * shrinking;
  double width = pixels[1] * scale;
  double from = middle - width / 2;
  double to = middle + width / 2;
  double logP, rise, weightedRise;
  if (level == 0) {
    logP = log_upper_tail(-to);
    rise = exp(log_density(to) - logP);
    weightedRise = rise == 0 ? 0 : to * rise;
  } else if (level == pixels[2]) {
    logP = log_upper_tail(from);
    rise = -exp(log_density(from) - logP);
    weightedRise = rise == 0 ? 0 : from * rise;
  } else {
    logP = log_interval(from, to, width);
    if (fabs(middle) * width <= 1) {
      double mean = exp(log_density(middle) - width * width / 8 - logP);
      rise = -2 * mean * sinh(middle * width / 2);
      weightedRise = middle * rise + width * mean * cosh(middle * width / 2);
    } else {
      double atTo = exp(log_density(to) - logP);
      double atFrom = exp(log_density(from) - logP);
      rise = atTo - atFrom;
      weightedRise = (atTo == 0 ? 0 : to * atTo) - (atFrom == 0 ? 0 : from * atFrom);
    }
  }
  return {-logP, rise * shrinking, weightedRise / 2};
}

// ---------------------------------------------------------------------------- images

// What both kernels are told.
struct Batch {
  const void* answer;
  int isFloat;
  int row;
  const float* targets;
  const float* images;
  const float* coefficients;
  const double* pixels;
  int pixelChannels;
  int channels;
  int positions;
  int isLearned;
};

// An element of an image: the prediction, what it should be and the bound's term.
struct Element {
  double prediction;
  double target;
  Term term;
};

static __device__ Element element_of(const Batch& b, int image, int channel, int position) {
  const float* its = b.coefficients + image * COEFFICIENTS;
  size_t outside = ((size_t)image * b.channels + channel) * b.positions + position;
  size_t inside = ((size_t)image * b.positions + position) * b.row + channel;
  Element e;
  e.prediction = load_any(b.answer, b.isFloat, inside);
  e.target = b.targets[outside];
  double z = its[ERROR_SCALE] * (e.prediction - e.target);
  double v = b.isLearned ? load_any(b.answer, b.isFloat, inside + b.channels) : 0;
  double delta = its[HALF_LOG_RANGE] * (1 + v);
  if (its[IS_LAST] == 0) {
    e.term = divergence(z, delta);
  } else if (b.pixelChannels == 0) {
    e.term = density(z, delta, its[INVERSE_DEVIATION]);
  } else {
    const double* pixels = b.pixels + (b.pixelChannels == 1 ? 0 : 3 * channel);
    e.term = probability(z, delta, its[INVERSE_DEVIATION], b.images[outside], pixels);
  }
  return e;
}

// losses[image]: the mean over its elements. One block for each image.
extern "C" __global__ void __launch_bounds__(256) bound_per_image(
    const void* answer, int isFloat, int row, const float* __restrict__ targets,
    const float* __restrict__ images, const float* __restrict__ coefficients,
    const double* __restrict__ pixels, int pixelChannels, int channels, int positions,
    int isLearned, int error, float* losses) {
  Batch b = {answer, isFloat, row, targets, images, coefficients,
             pixels, pixelChannels, channels, positions, isLearned};
  int image = blockIdx.x;
  const float* its = coefficients + image * COEFFICIENTS;
  double sum = 0;
  for (int i = threadIdx.x; i < channels * positions; i += blockDim.x) {
    int channel = i / positions;
    Element e = element_of(b, image, channel, i - channel * positions);
    sum += its[BOUND_FACTOR] * e.term.nats;
    if (error != NO_ERROR) sum += its[ERROR_FACTOR] * loss_of(error, e.prediction, e.target);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) losses[image] = (float)(sum / ((double)channels * positions));
}

// The gradient of the answer from that of the losses [N]. blockIdx.y: image; a thread for each
// place of the gradient's rows. Padding becomes 0.
extern "C" __global__ void __launch_bounds__(256) bound_per_image_gradient(
    const void* answer, int isFloat, int row, const float* __restrict__ targets,
    const float* __restrict__ images, const float* __restrict__ coefficients,
    const double* __restrict__ pixels, int pixelChannels, int channels, int positions,
    int isLearned, int error, const float* __restrict__ gradient, void* slopes,
    int slopesAreFloat, int slopesRow) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= positions * slopesRow) return;
  Batch b = {answer, isFloat, row, targets, images, coefficients,
             pixels, pixelChannels, channels, positions, isLearned};
  int image = blockIdx.y;
  int position = i / slopesRow;
  int column = i - position * slopesRow;
  const float* its = coefficients + image * COEFFICIENTS;
  double slope = 0;
  if (column < channels) {
    Element e = element_of(b, image, column, position);
    slope = error == NO_ERROR
                ? its[BOUND_FACTOR] * (double)its[ERROR_SCALE] * e.term.byError
                : its[ERROR_FACTOR] * loss_slope(error, e.prediction, e.target);
  } else if (isLearned && column < 2 * channels) {
    Element e = element_of(b, image, column - channels, position);
    slope = its[BOUND_FACTOR] * (double)its[HALF_LOG_RANGE] * e.term.byLogRatio;
  }
  slope *= gradient[image] / ((double)channels * positions);
  store_any(
      slopes, slopesAreFloat, ((size_t)image * positions + position) * slopesRow + column,
      (float)slope);
}
