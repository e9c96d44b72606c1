// Philox4x32-10 (Salmon et al. 2011): four words that are a function of a key of two words and a
// counter of four, as kernels.random.Philox makes them on a CPU.
#pragma once

#include "common.cuh"

static __device__ __forceinline__ uint4 philox(unsigned k0, unsigned k1, uint4 c) {
#pragma unroll
  for (int round = 0; round < 10; round++) {
    unsigned long long product0 = 0xD2511F53ull * c.x;
    unsigned long long product1 = 0xCD9E8D57ull * c.z;
    c = make_uint4(
        (unsigned)(product1 >> 32) ^ c.y ^ k0, (unsigned)product1,
        (unsigned)(product0 >> 32) ^ c.w ^ k1, (unsigned)product0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}
