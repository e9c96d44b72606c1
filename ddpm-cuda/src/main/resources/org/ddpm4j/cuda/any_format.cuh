// Values whose format is known only when a kernel runs: rows of float or of bfloat16, padded or not.
#pragma once
#include "common.cuh"

static __device__ __forceinline__ float load_any(const void* from, int isBfloat16, long long i) {
  return isBfloat16 ? to_float(static_cast<const bfloat16*>(from)[i])
                    : static_cast<const float*>(from)[i];
}

static __device__ __forceinline__ void store_any(
    void* to, int isBfloat16, long long i, float value) {
  if (isBfloat16) {
    static_cast<bfloat16*>(to)[i] = to_bfloat16(value);
  } else {
    static_cast<float*>(to)[i] = value;
  }
}

// The number of this thread among all of the launch.
static __device__ __forceinline__ long long thread_of_grid() {
  return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}
