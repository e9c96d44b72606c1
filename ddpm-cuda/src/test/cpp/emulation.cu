// Kernels that test the emulation, and what kernels share: results are known without a card.
#include "common.cuh"

// [sum, maximum, both again at once, double sum of thread numbers] of n elements, for each block.
extern "C" __global__ void __launch_bounds__(1024)
    reductions(const element* __restrict__ x, float* out, int n) {
  float sum = 0, largest = -1e30f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    sum += to_float(x[i]);
    largest = fmaxf(largest, to_float(x[i]));
  }
  sum = block_sum(sum);
  largest = block_max(largest);
  float2 both = block_sum(make_float2(sum, largest));
  double numbers = block_sum((double)threadIdx.x);
  if (threadIdx.x == blockDim.x - 1) {
    float* to = out + 5 * blockIdx.x;
    to[0] = sum;
    to[1] = largest;
    to[2] = both.x / blockDim.x;
    to[3] = both.y / blockDim.x;
    to[4] = (float)numbers;
  }
}

// 1 + A B with A [16,16] and B [16,8], and again with B transposed to [8,16].
extern "C" __global__ void product_bf16(
    const bfloat16* a, const bfloat16* b, const bfloat16* transposed, float* d) {
  __shared__ __align__(16) bfloat16 sharedA[16][24];
  __shared__ __align__(16) bfloat16 sharedB[16][8];
  __shared__ __align__(16) bfloat16 sharedTransposed[8][24];
  int lane = threadIdx.x;
  cp_async_16(&sharedA[lane / 2][lane % 2 * 8], a + lane * 8, true);
  cp_async_commit();
  if (lane < 16) {
    cp_async_16(&sharedB[lane][0], b + lane * 8, true);
    cp_async_16(&sharedTransposed[lane / 2][lane % 2 * 8], transposed + lane * 8, true);
  }
  cp_async_commit();
  cp_async_wait<1>();
  __syncthreads();
  unsigned rowsOfA[4];
  ldmatrix_x4(rowsOfA, &sharedA[lane % 16][lane / 16 * 8]);
  cp_async_wait<0>();
  __syncthreads();
  unsigned columns[2], columnsToo[2];
  ldmatrix_x2_trans(columns, &sharedB[lane % 16][0]);
  ldmatrix_x2(columnsToo, &sharedTransposed[lane % 8][lane / 8 % 2 * 8]);
  float x[4] = {1, 1, 1, 1}, y[4] = {1, 1, 1, 1};
  mma_bf16_16816(x, rowsOfA, columns);
  mma_bf16_16816(y, rowsOfA, columnsToo);
  for (int i = 0; i < 4; i++) {
    int at = (lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2;
    d[at] = x[i];
    d[128 + at] = y[i];
  }
}

// A B with A [16,8] and B [8,8].
extern "C" __global__ void product_tf32(const float* a, const float* b, float* d) {
  int lane = threadIdx.x, g = lane / 4, t = lane % 4;
  unsigned left[4] = {
      to_tf32(a[g * 8 + t]), to_tf32(a[(g + 8) * 8 + t]), to_tf32(a[g * 8 + t + 4]),
      to_tf32(a[(g + 8) * 8 + t + 4])};
  unsigned right[2] = {to_tf32(b[t * 8 + g]), to_tf32(b[(t + 4) * 8 + g])};
  float x[4] = {0, 0, 0, 0};
  mma_tf32_1688(x, left, right);
  for (int i = 0; i < 4; i++) d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = x[i];
}

// Each way of shuffling numbers of lanes, and votes: 12 ints for each thread.
extern "C" __global__ void shuffles(int* out) {
  int lane = threadIdx.x % 32;
  int* to = out + (blockIdx.x * blockDim.x + threadIdx.x) * 12;
  to[0] = __shfl_sync(ALL_LANES, lane, 5);
  to[1] = __shfl_up_sync(ALL_LANES, lane, 3);
  to[2] = __shfl_down_sync(ALL_LANES, lane, 3);
  to[3] = __shfl_xor_sync(ALL_LANES, lane, 7);
  to[4] = __shfl_sync(ALL_LANES, lane, 3, 8);
  to[5] = __shfl_up_sync(ALL_LANES, lane, 3, 8);
  to[6] = __shfl_down_sync(ALL_LANES, lane, 3, 8);
  to[7] = __shfl_xor_sync(ALL_LANES, lane, 1, 8);
  to[8] = __ballot_sync(ALL_LANES, lane % 3 == 0);
  to[9] = __any_sync(ALL_LANES, lane == 40) * 2 + __all_sync(ALL_LANES, lane < 32);
  to[10] = __syncthreads_count(threadIdx.x % 5 == 0);
  to[11] =
      lane < 16 ? __shfl_xor_sync(0x0000ffffu, lane, 1) : __shfl_xor_sync(0xffff0000u, lane, 2);
}

// All activations and their slopes: [10,n], function by function.
extern "C" __global__ void activations(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  for (int f = 0; f < 5; f++) {
    y[2 * f * n + i] = activate(f, x[i]);
    y[(2 * f + 1) * n + i] = activation_slope(f, x[i]);
  }
}

// Rounds to elements and back, in packs, and turns the order of each block's packs.
extern "C" __global__ void turned_packs(const float* x, element* rounded, float* y, int n) {
  SHARED_MEMORY(float, tile);
  int i = (blockIdx.x * blockDim.x + threadIdx.x) * PACK;
  float v[PACK];
  for (int k = 0; k < PACK; k++) v[k] = i + k < n ? x[i + k] : 0;
  store_floats(rounded + i, v);
  load_floats(v, rounded + i);
  for (int k = 0; k < PACK; k++) tile[threadIdx.x * PACK + k] = v[k];
  __syncthreads();
  for (int k = 0; k < PACK; k++) {
    if (i + k < n) y[i + k] = tile[(blockDim.x - 1 - threadIdx.x) * PACK + k];
  }
}

// ---------------------------------------------------------------------------- mistakes

extern "C" __global__ void half_at_the_barrier(float* x) {
  if (threadIdx.x % 2) __syncthreads(); else __syncwarp();
  x[threadIdx.x] = 1;
}

extern "C" __global__ void half_of_a_warp(float* x) {
  if (threadIdx.x < 16) x[threadIdx.x] = warp_sum(1.0f);
}

extern "C" __global__ void no_barrier(float* x) {
  __shared__ float values[64];
  values[threadIdx.x] = threadIdx.x;
  x[blockIdx.x * 64 + threadIdx.x] = values[63 - threadIdx.x];
}

extern "C" __global__ void no_wait(float* x) {
  __shared__ float4 values[32];
  cp_async_16(&values[threadIdx.x], x, true);
  __syncthreads();
  x[threadIdx.x] = values[0].x;
}

// Mistakes whose results are right, in the order in which threads run here.

// What a thread writes last may overtake what another one of another warp reads.
extern "C" __global__ void no_barrier_behind(float* x) {
  __shared__ float values[64];
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  float other = values[63 - threadIdx.x];
  __syncwarp();
  if (threadIdx.x % 32 == 31) values[threadIdx.x] = 0;
  x[threadIdx.x] = other;
}

// A shuffle is no barrier of the warp.
extern "C" __global__ void shuffle_for_barrier(float* x, int mends) {
  __shared__ float values[32];
  values[threadIdx.x] = threadIdx.x;
  float sum = warp_sum(1.0f);
  if (mends) __syncwarp();
  x[threadIdx.x] = values[31 - threadIdx.x] + sum;
}

// Threads have waited for their own copies, but not for each other.
extern "C" __global__ void no_barrier_behind_copies(float* x, int mends) {
  __shared__ float4 values[32];
  cp_async_16(&values[threadIdx.x], x, true);
  cp_async_commit();
  cp_async_wait<0>();
  float sum = warp_sum(1.0f);
  if (mends) __syncthreads();
  x[64 + threadIdx.x] = values[31 - threadIdx.x].x + sum;
}

extern "C" __global__ void blocks_in_one_place(float* x, int distance) {
  x[blockIdx.x * distance + threadIdx.x] = 1;
}

extern "C" __global__ void reads_of_other_blocks(float* x, int distance) {
  float y = x[(1 - blockIdx.x) * distance];
  if (threadIdx.x == 0) x[2 + blockIdx.x] = y;
}

extern "C" __global__ void misaligned_four(float* x, int offset) {
  float4 four = *reinterpret_cast<const float4*>(x + offset);
  x[32] = four.x + four.y + four.z + four.w;
}

extern "C" __global__ void product_of_two(float* x, int a, int b) { x[0] = a * b; }

extern "C" __global__ void misaligned(element* x) { store_pack(x + 1, load_pack(x)); }

extern "C" __global__ void beyond_shared_memory(float* x) {
  SHARED_MEMORY(float, values);
  values[threadIdx.x + 1] = 0;
  __syncthreads();
  x[threadIdx.x] = values[0];
}

extern "C" __global__ void beyond_global_memory(float* x, int n) { x[n] = 1; }
