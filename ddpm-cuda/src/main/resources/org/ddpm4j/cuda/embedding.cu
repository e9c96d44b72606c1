// What networks are told of timesteps and of classes, all in dense float.
#include "any_format.cuh"

// y [N] = t [N] / timesteps
extern "C" __global__ void time_fraction(const float* t, float* y, int n, float timesteps) {
  int i = (int)thread_of_grid();
  if (i < n) y[i] = t[i] / timesteps;
}

// y [N,2 half]: sines of t times the frequencies 10000^(-i / (half - shift)) from column sinesAt
// on, cosines in the other half. Frequencies are double rounded to float, as on a CPU, since an
// angle of a thousand keeps only four digits behind its point.
extern "C" __global__ void sinusoidal_embedding(
    const float* t, float* y, int n, int half, int shift, int sinesAt) {
  int i = (int)thread_of_grid();
  int width = 2 * half;
  if (i >= n * width) return;
  int row = i / width;
  int column = i % width;
  double exponent = -9.210340371976184 * (column % half) / ((double)half - shift);
  float angle = t[row] * (float)exp(exponent);
  bool isSine = (column < half) == (sinesAt == 0);
  y[i] = isSine ? sinf(angle) : cosf(angle);
}

// y [N,width] = rows of the table [count,width]; a label without a row gives no number.
extern "C" __global__ void embedding(
    const float* labels, const float* table, float* y, int n, int count, int width) {
  long long i = thread_of_grid();
  int image = (int)(i / width);
  int column = (int)(i - (long long)image * width);
  if (image >= n) return;
  int row = (int)labels[image];
  bool exists = row >= 0 && row < count;
  y[i] = exists ? table[(long long)row * width + column] : __int_as_float(0x7fffffff);
}

// dtable [count,width] += the rows of dy [N,width] with this label, in the order of images; one
// thread for each number of the table. Labels get zeros. Either may be null.
extern "C" __global__ void embedding_gradient(
    const float* labels, const float* dy, float* dlabels, float* dtable, int n, int count,
    int width) {
  long long i = thread_of_grid();
  if (dlabels && i < n) dlabels[i] = 0;
  if (!dtable || i >= (long long)count * width) return;
  int row = (int)(i / width);
  int column = (int)(i - (long long)row * width);
  float sum = dtable[i];
  for (int image = 0; image < n; image++) {
    if ((int)labels[image] == row) sum += dy[(long long)image * width + column];
  }
  dtable[i] = sum;
}
