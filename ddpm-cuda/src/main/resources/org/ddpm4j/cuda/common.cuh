// What all kernels share: the type of feature maps, 16-byte accesses, reductions over warps and
// blocks, activation functions, and the matrix units.
//
// Compiled by NVRTC without any header, or by a C++ compiler with -DDDPM_ON_CPU (see
// src/test/cpp/cuda_on_cpu.h), which brings its own matrix units, asynchronous copies and shuffles.
//
// Feature maps [N,H,W,C] are N*H*W rows of rowLength elements: C, padded with zeros to 8, to 16 or
// to a multiple of 32. Rows begin at multiples of 16 bytes. Everything else is dense float.
//
//   -DELEMENT_FLOAT     feature maps are float (the default)
//   -DELEMENT_BFLOAT16  feature maps are bfloat16; arithmetic is float all the same
#pragma once

#ifdef DDPM_ON_CPU
#include "cuda_on_cpu.h"
#endif

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// The numbers of a row of a table of packings; ROW in WeightPacking.java.
constexpr int PACKING_ROW = 16;

// ---------------------------------------------------------------------------- elements

// The upper half of a float.
struct __align__(2) bfloat16 {
  unsigned short bits;
};

static __device__ __forceinline__ float to_float(float x) { return x; }

static __device__ __forceinline__ float to_float(bfloat16 x) {
  return __uint_as_float((unsigned)x.bits << 16);
}

// To the nearest, ties to even.
static __device__ __forceinline__ bfloat16 to_bfloat16(float x) {
  bfloat16 result;
#ifdef DDPM_ON_CPU
  unsigned bits = __float_as_uint(x);
  if (x != x) {
    result.bits = 0x7fff;
  } else {
    result.bits = (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
#else
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
#endif
  return result;
}

// Two bfloat16 in one register, the first in the lower half: what mma_bf16_16816 takes.
static __device__ __forceinline__ unsigned to_bfloat16x2(float first, float second) {
#ifdef DDPM_ON_CPU
  return to_bfloat16(first).bits | (unsigned)to_bfloat16(second).bits << 16;
#else
  unsigned result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
  return result;
#endif
}

// The nearest number with 10 bits of mantissa, ties away from zero: what mma_tf32_1688 takes.
static __device__ __forceinline__ unsigned to_tf32(float x) {
#ifdef DDPM_ON_CPU
  return (__float_as_uint(x) + 0x1000u) & 0xffffe000u;
#else
  unsigned result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(x));
  return result;
#endif
}

#ifdef ELEMENT_BFLOAT16
typedef bfloat16 element;
static __device__ __forceinline__ element to_element(float x) { return to_bfloat16(x); }
#else
typedef float element;
static __device__ __forceinline__ element to_element(float x) { return x; }
#endif

// How many elements 16 bytes hold: 4 or 8.
constexpr int PACK = 16 / (int)sizeof(element);

// What one instruction loads or stores.
union __align__(16) Pack {
  uint4 words;
  element v[PACK];
};

static __device__ __forceinline__ Pack load_pack(const element* from) {
#ifdef DDPM_ON_CPU
  cuda_on_cpu::check_alignment(from, "load_pack");
#endif
  Pack pack;
  pack.words = *reinterpret_cast<const uint4*>(from);
  return pack;
}

static __device__ __forceinline__ void store_pack(element* to, Pack pack) {
#ifdef DDPM_ON_CPU
  cuda_on_cpu::check_alignment(to, "store_pack");
#endif
  *reinterpret_cast<uint4*>(to) = pack.words;
}

static __device__ __forceinline__ Pack zero_pack() {
  Pack pack;
  pack.words = make_uint4(0, 0, 0, 0);
  return pack;
}

// PACK elements as floats.
static __device__ __forceinline__ void load_floats(float values[PACK], const element* from) {
  Pack pack = load_pack(from);
#pragma unroll
  for (int i = 0; i < PACK; i++) values[i] = to_float(pack.v[i]);
}

static __device__ __forceinline__ void store_floats(element* to, const float values[PACK]) {
  Pack pack;
#ifdef ELEMENT_BFLOAT16
  pack.words = make_uint4(
      to_bfloat16x2(values[0], values[1]), to_bfloat16x2(values[2], values[3]),
      to_bfloat16x2(values[4], values[5]), to_bfloat16x2(values[6], values[7]));
#else
#pragma unroll
  for (int i = 0; i < PACK; i++) pack.v[i] = values[i];
#endif
  store_pack(to, pack);
}

// ---------------------------------------------------------------------------- shared memory

// Declares the block's dynamic shared memory: SHARED_MEMORY(float, tile); tile[0] = 1;
#ifdef DDPM_ON_CPU
#define SHARED_MEMORY(type, name) type* name = (type*)cuda_on_cpu::dynamic_shared_memory()
#else
#define SHARED_MEMORY(type, name)                              \
  extern __shared__ __align__(16) unsigned char name##_bytes[]; \
  type* name = reinterpret_cast<type*>(name##_bytes)
#endif

// ---------------------------------------------------------------------------- reductions
// All threads of the warp or block must call them; all get the same result. The order of summing
// depends on the number of threads alone. A block has a multiple of 32 threads, up to 1024.

static __device__ __forceinline__ int thread_of_block() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

static __device__ __forceinline__ int threads_of_block() {
  return blockDim.x * blockDim.y * blockDim.z;
}

struct Sum {
  template <typename T>
  static __device__ __forceinline__ T of(T a, T b) {
    return a + b;
  }
  template <typename T>
  static __device__ __forceinline__ T of_nothing() {
    return T(0);
  }
};

struct Max {
  template <typename T>
  static __device__ __forceinline__ T of(T a, T b) {
    return a > b ? a : b;
  }
  template <typename T>
  static __device__ __forceinline__ T of_nothing() {
    return T(-__int_as_float(0x7f800000));
  }
};

template <typename Operation, typename T>
static __device__ __forceinline__ T warp_reduce(T x) {
#pragma unroll
  for (int distance = WARP / 2; distance > 0; distance /= 2) {
    x = Operation::of(x, __shfl_xor_sync(ALL_LANES, x, distance));
  }
  return x;
}

// `partial` has 32 places in shared memory, of which each use of a block may take the same ones.
template <typename Operation, typename T>
static __device__ __forceinline__ T block_reduce(T x, T* partial) {
  int warps = threads_of_block() / WARP;
  int warp = thread_of_block() / WARP;
  int lane = thread_of_block() % WARP;
  x = warp_reduce<Operation>(x);
  if (warps == 1) return x;
  __syncthreads();  // an earlier reduction may still be read
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  x = lane < warps ? partial[lane] : Operation::template of_nothing<T>();
  return warp_reduce<Operation>(x);
}

static __device__ __forceinline__ float warp_sum(float x) { return warp_reduce<Sum>(x); }
static __device__ __forceinline__ double warp_sum(double x) { return warp_reduce<Sum>(x); }
static __device__ __forceinline__ float warp_max(float x) { return warp_reduce<Max>(x); }

static __device__ __forceinline__ float block_sum(float x) {
  __shared__ float partial[WARP];
  return block_reduce<Sum>(x, partial);
}

static __device__ __forceinline__ double block_sum(double x) {
  __shared__ double partial[WARP];
  return block_reduce<Sum>(x, partial);
}

static __device__ __forceinline__ float block_max(float x) {
  __shared__ float partial[WARP];
  return block_reduce<Max>(x, partial);
}

// Two sums at the price of one.
static __device__ __forceinline__ float2 block_sum(float2 x) {
  __shared__ float2 partial[WARP];
  int warps = threads_of_block() / WARP;
  int warp = thread_of_block() / WARP;
  int lane = thread_of_block() % WARP;
  x = make_float2(warp_sum(x.x), warp_sum(x.y));
  if (warps == 1) return x;
  __syncthreads();
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  x = lane < warps ? partial[lane] : make_float2(0.0f, 0.0f);
  return make_float2(warp_sum(x.x), warp_sum(x.y));
}

// ---------------------------------------------------------------------------- activations

// The ordinals of EltwiseFunction.
constexpr int IDENTITY = 0;
constexpr int SILU = 1;
constexpr int GELU = 2;
constexpr int RELU = 3;
constexpr int MISH = 4;
constexpr int GELU_TANH = 5;

// With bfloat16 maps the short forms of exponential and division are more than exact enough.
#ifdef ELEMENT_BFLOAT16
static __device__ __forceinline__ float exponential(float x) { return __expf(x); }
static __device__ __forceinline__ float quotient(float a, float b) { return __fdividef(a, b); }
#else
static __device__ __forceinline__ float exponential(float x) { return expf(x); }
static __device__ __forceinline__ float quotient(float a, float b) { return a / b; }
#endif

static __device__ __forceinline__ float sigmoid(float x) {
  return quotient(1.0f, 1.0f + exponential(-x));
}

static __device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

static __device__ __forceinline__ float silu_slope(float x) {
  float s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}

// The distribution function of the normal distribution.
static __device__ __forceinline__ float normal_distribution(float x) {
  return 0.5f * erfcf(-0.70710678118654752f * x);
}

static __device__ __forceinline__ float gelu(float x) { return x * normal_distribution(x); }

static __device__ __forceinline__ float gelu_slope(float x) {
  return normal_distribution(x) + x * 0.39894228040143268f * exponential(-0.5f * x * x);
}

static __device__ __forceinline__ float relu(float x) { return x > 0.0f ? x : 0.0f; }

static __device__ __forceinline__ float relu_slope(float x) { return x > 0.0f ? 1.0f : 0.0f; }

// tanh(ln(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2); beyond 20 it is 1 to all digits.
static __device__ __forceinline__ float mish(float x) {
  if (x > 20.0f) return x;
  float e = exponential(x);
  float n = e * (e + 2.0f);
  return x * quotient(n, n + 2.0f);
}

static __device__ __forceinline__ float mish_slope(float x) {
  if (x > 20.0f) return 1.0f;
  float e = exponential(x);
  float n = e * (e + 2.0f);
  float d = n + 2.0f;
  return quotient(n, d) + x * quotient(e, 1.0f + e) * quotient(4.0f * (n + 1.0f), d * d);
}

// (1 + tanh(u)) / 2 is sigmoid(2u).
static __device__ __forceinline__ float gelu_tanh(float x) {
  return x * sigmoid(1.5957691216057308f * x * (1.0f + 0.044715f * x * x));
}

static __device__ __forceinline__ float gelu_tanh_slope(float x) {
  float s = sigmoid(1.5957691216057308f * x * (1.0f + 0.044715f * x * x));
  return s + x * s * (1.0f - s) * 1.5957691216057308f * (1.0f + 0.134145f * x * x);
}

static __device__ __forceinline__ float activate(int function, float x) {
  switch (function) {
    case SILU: return silu(x);
    case GELU: return gelu(x);
    case RELU: return relu(x);
    case MISH: return mish(x);
    case GELU_TANH: return gelu_tanh(x);
    default: return x;
  }
}

// The derivative at the input x.
static __device__ __forceinline__ float activation_slope(int function, float x) {
  switch (function) {
    case SILU: return silu_slope(x);
    case GELU: return gelu_slope(x);
    case RELU: return relu_slope(x);
    case MISH: return mish_slope(x);
    case GELU_TANH: return gelu_tanh_slope(x);
    default: return 1.0f;
  }
}

// ---------------------------------------------------------------------------- arrays of any kind

static __device__ __forceinline__ float load_any(const void* from, int isFloat, size_t i) {
  return isFloat ? static_cast<const float*>(from)[i]
                 : to_float(static_cast<const element*>(from)[i]);
}

static __device__ __forceinline__ void store_any(void* to, int isFloat, size_t i, float value) {
  if (isFloat) {
    static_cast<float*>(to)[i] = value;
  } else {
    static_cast<element*>(to)[i] = to_element(value);
  }
}

// ---------------------------------------------------------------------------- matrix units
// All 32 lanes of a warp call them together. With g = lane / 4 and t = lane % 4, lane holds
//   d (16 x 8, float):   d[0], d[1] = D[g][2t], D[g][2t+1];  d[2], d[3] = D[g+8][2t], D[g+8][2t+1]
//   bf16, a (16 x 16):   a[0] = A[g][2t..2t+1], a[1] = A[g+8][2t..], a[2] = A[g][2t+8..],
//                        a[3] = A[g+8][2t+8..]
//   bf16, b (16 x 8):    b[0] = B[2t..2t+1][g], b[1] = B[2t+8..2t+9][g]
//   tf32, a (16 x 8):    a[0] = A[g][t], a[1] = A[g+8][t], a[2] = A[g][t+4], a[3] = A[g+8][t+4]
//   tf32, b (8 x 8):     b[0] = B[t][g], b[1] = B[t+4][g]
// of which two bfloat16 lie in a register, the first in the lower half.

#ifndef DDPM_ON_CPU

// d += a b
static __device__ __forceinline__ void mma_bf16_16816(
    float d[4], const unsigned a[4], const unsigned b[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// d += a b; the lower 13 bits of a and b are ignored: round by to_tf32 first.
static __device__ __forceinline__ void mma_tf32_1688(
    float d[4], const unsigned a[4], const unsigned b[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

static __device__ __forceinline__ unsigned shared_address(const void* shared) {
  return (unsigned)__cvta_generic_to_shared(shared);
}

// Matrices of 8 rows of 16 bytes. Lane 8i + j names row j of matrix i (of x2: lanes 0 to 15 count).
// r[i] of lane gets the (lane % 4)th word of row lane / 4 of matrix i; of a transposed one, the
// 16-bit elements [2(lane % 4)][lane / 4] and [2(lane % 4) + 1][lane / 4].
static __device__ __forceinline__ void ldmatrix_x4(unsigned r[4], const void* shared) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(shared_address(shared))
      : "memory");
}

static __device__ __forceinline__ void ldmatrix_x4_trans(unsigned r[4], const void* shared) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(shared_address(shared))
      : "memory");
}

static __device__ __forceinline__ void ldmatrix_x2(unsigned r[2], const void* shared) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
      : "=r"(r[0]), "=r"(r[1])
      : "r"(shared_address(shared))
      : "memory");
}

static __device__ __forceinline__ void ldmatrix_x2_trans(unsigned r[2], const void* shared) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
      : "=r"(r[0]), "=r"(r[1])
      : "r"(shared_address(shared))
      : "memory");
}

// Copies 16 bytes while the thread goes on; zeros where not valid, and then reads nothing. Both
// addresses are multiples of 16.
static __device__ __forceinline__ void cp_async_16(void* shared, const void* global, bool valid) {
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16, %2;"
      :
      : "r"(shared_address(shared)), "l"(__cvta_generic_to_global(global)), "r"(valid ? 16 : 0)
      : "memory");
}

// Ends a group of copies.
static __device__ __forceinline__ void cp_async_commit() {
  asm volatile("cp.async.commit_group;" : : : "memory");
}

// Waits until at most N of this thread's groups are under way. Others see the copies after a
// barrier.
template <int N>
static __device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" : : "n"(N) : "memory");
}

#endif
