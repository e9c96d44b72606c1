// Convolutions of feature maps [N,H,W,C], as products of matrices that are never written out.
//
// convolution_gather: every output pixel gathers its inputs. A block makes BLOCK_PIXELS consecutive
// output pixels (they may cross rows and images) of BLOCK_CHANNELS channels. All inputs that these
// need lie in one contiguous range of input pixels, the slab, which is copied to shared memory once
// for each chunk of UNITS*16 bytes of channels and then read shifted, once for each tap of the kernel.
// Taps outside of the image read a row of zeros. Weights come packed by convolution_pack_weights, so
// that the taps of a stage are one contiguous copy; stages and slabs are rings filled by cp.async.
//   plain:       input pixel = output pixel * stride - padding + tap
//   transposed:  input pixel = (output pixel + padding - tap) / stride where that divides: transposed
//                convolutions and gradients by data. Output pixels of equal remainders (phases, the
//                grid's z) use the same taps, so that each phase is a plain convolution of stride 1.
// Then bias, then a residual, a vector per image or an activation.
//
// convolution_weight_gradient: gradient[tap][m][n] = sum over pixels p of gathered[p + tap][m] *
// dense[p][n], for convolutions gathered = x and dense = dy, for transposed ones the reverse. A block
// makes the taps of CHUNK channels m and BLOCK_CHANNELS channels n over a part of the pixels and
// writes its partial sums; convolution_add_parts adds the parts in order. Column sums of dense (the
// gradient of the bias) are one more row of the product, of ones.
//
// Rows in shared memory are units of 16 bytes, exchanged (XOR) with the row's number so that eight
// rows at the same unit lie in different banks. One step of the matrix units takes two units of k:
// 16 numbers in bfloat16, 8 in tf32; where a row has one unit only, a step takes two taps.
#include "common.cuh"

#if !defined(PRODUCT_BF16) && !defined(PRODUCT_TF32) && !defined(PRODUCT_F32)
#define PRODUCT_F32
#endif

#ifdef PRODUCT_BF16
#define ONE_IN_FRAGMENT 0x3f803f80u
#else
#define ONE_IN_FRAGMENT 0x3f800000u
#endif

__device__ inline int minimum(int a, int b) { return a < b ? a : b; }
__device__ inline int maximum(int a, int b) { return a > b ? a : b; }
__device__ inline int clamp(int x, int low, int high) { return minimum(maximum(x, low), high); }
__device__ inline int divide_up(int a, int b) { return (a + b - 1) / b; }

// Byte offset of a unit of a row in shared memory.
template <int UNITS>
__device__ inline unsigned unit_offset(int row, int unit) {
  constexpr int SHIFT = UNITS == 1 ? 3 : UNITS == 2 ? 2 : UNITS == 4 ? 1 : 0;
  return (unsigned)(row * UNITS + (unit ^ ((row >> SHIFT) & (UNITS - 1)))) * 16u;
}

// What a lane holds of a factor: 4 registers of the left one, 2 of the right one. In float32 it also holds what is
// left when the matrix units have cut their operands off.
template <int REGISTERS>
struct Fragment {
  unsigned value[REGISTERS];
#ifdef PRODUCT_F32
  unsigned rest[REGISTERS];
#endif

  // To be called when the values are there.
  __device__ inline void keep_rest() {
#ifdef PRODUCT_F32
#pragma unroll
    for (int r = 0; r < REGISTERS; r++) {
      float cutOff = __uint_as_float(value[r]) - __uint_as_float(value[r] & 0xffffe000u);
      rest[r] = __float_as_uint(cutOff) + 0x1000u;
    }
#endif
  }

  // The matrix units cut tf32's operands off; half a unit in the last place more rounds them.
  __device__ inline void round() {
#ifdef PRODUCT_TF32
#pragma unroll
    for (int r = 0; r < REGISTERS; r++) {
      value[r] += 0x1000u;
    }
#endif
  }
};

// d += a b for 16 rows, 8 columns and two units of k. In float32 three products of what the matrix units take keep
// 21 bits of each factor, and the processor adds their sum: the matrix units cut sums off, too, which would show
// after some hundred steps.
__device__ inline void multiply_add(float d[4], const Fragment<4>& a, const Fragment<2>& b) {
#ifdef PRODUCT_BF16
  mma_bf16_16816(d, a.value, b.value);
#elif defined(PRODUCT_TF32)
  mma_tf32_1688(d, a.value, b.value);
#else
  float part[4] = {};
  mma_tf32_1688(part, a.rest, b.value);
  mma_tf32_1688(part, a.value, b.rest);
  mma_tf32_1688(part, a.value, b.value);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    d[i] += part[i];
  }
#endif
}

// A left factor of ones.
__device__ inline Fragment<4> ones() {
  Fragment<4> result = {};
#pragma unroll
  for (int r = 0; r < 4; r++) {
    result.value[r] = ONE_IN_FRAGMENT;
  }
  return result;
}

// A value that the compiler is to keep rather than to compute anew where it is used.
__device__ inline unsigned kept(unsigned x) {
#ifndef DDPM_ON_CPU
  asm volatile("" : "+r"(x));
#endif
  return x;
}

__device__ inline void wait_for_stage(int stages) {
  if (stages <= 2) {
    cp_async_wait<0>();
  } else if (stages == 3) {
    cp_async_wait<1>();
  } else {
    cp_async_wait<2>();
  }
}

// Division of numbers from 0 to 2^31 by one number many times: by multiplication.
struct Divisor {
  unsigned number, factor, shift;

  __device__ explicit Divisor(int divisor) : number(divisor), factor(0), shift(0) {
    // In double, exact for divisors below 2^20: the fraction of the quotient is a multiple of 1/number.
    if (number > 1) {
      shift = 32 - __clz((int)number - 1);
      factor = (unsigned)((double)((1u << shift) - number) * 4294967296.0 / (double)number);
    }
    factor++;
  }

  __device__ int quotient(int n, int* remainder) const {
    unsigned high = (unsigned)((unsigned long long)(unsigned)n * factor >> 32);
    unsigned q = (high + (unsigned)n) >> shift;
    *remainder = (int)((unsigned)n - q * number);
    return (int)q;
  }
};

// A plain convolution's geometry; of one phase if it is transposed.
struct Geometry {
  int images, inHeight, inWidth, outHeight, outWidth;
  int kernelHeight, kernelWidth, step, offsetY, offsetX;
  Divisor byWidth, byHeight;

  __device__ Geometry(int images, int inHeight, int inWidth, int outHeight, int outWidth, int kernelHeight,
                      int kernelWidth, int step, int offsetY, int offsetX)
      : images(images), inHeight(inHeight), inWidth(inWidth), outHeight(outHeight), outWidth(outWidth),
        kernelHeight(kernelHeight), kernelWidth(kernelWidth), step(step), offsetY(offsetY), offsetX(offsetX),
        byWidth(outWidth), byHeight(outHeight) {}

  __device__ int pixels() const { return images * outHeight * outWidth; }

  __device__ void coordinates(int p, int* n, int* oy, int* ox) const {
    *n = byHeight.quotient(byWidth.quotient(p, ox), oy);
  }

  // The first input pixel that output pixels from p on need, and one past the last that those up to
  // p need. Where a row lies outside of the image, whole rows are taken.
  __device__ int slab_begin(int p) const {
    int n, oy, ox;
    coordinates(p, &n, &oy, &ox);
    int iy = oy * step + offsetY;
    int ix = iy < 0 || iy >= inHeight ? 0 : clamp(ox * step + offsetX, 0, inWidth);
    return (n * inHeight + clamp(iy, 0, inHeight)) * inWidth + ix;
  }

  __device__ int slab_end(int p) const {
    int n, oy, ox;
    coordinates(p, &n, &oy, &ox);
    int iy = oy * step + offsetY + kernelHeight - 1;
    int ix = iy < 0 || iy >= inHeight ? 0 : clamp(ox * step + offsetX + kernelWidth, 0, inWidth);
    return (n * inHeight + clamp(iy, 0, inHeight)) * inWidth + ix;
  }

  // Where the inputs of output pixel p lie: the slab's row of tap 0 (perhaps outside of the image) and
  // which taps lie inside, ky in the lower and kx in the upper half.
  __device__ void locate(int p, int begin, int* row, unsigned* inside) const {
    int n, oy, ox;
    coordinates(p, &n, &oy, &ox);
    int iy = oy * step + offsetY, ix = ox * step + offsetX;
    *inside = p < pixels() ? taps_inside(iy, inHeight, kernelHeight) | taps_inside(ix, inWidth, kernelWidth) << 16 : 0;
    *row = (n * inHeight + iy) * inWidth + ix - begin;
  }

  // A bit for each k from 0 to kernel - 1 with 0 <= x + k < size.
  static __device__ unsigned taps_inside(int x, int size, int kernel) {
    int first = clamp(-x, 0, kernel), end = clamp(size - x, first, kernel);
    return (1u << end) - (1u << first);
  }
};

// The bits that a tap must find set.
__device__ inline unsigned bits_of_tap(int ky, int kx) { return 1u << ky | 0x10000u << kx; }

// One decision for all elements of a pack.
template <int FUNCTION>
__device__ inline void activate_each(float values[PACK]) {
#pragma unroll
  for (int v = 0; v < PACK; v++) {
    values[v] = activate(FUNCTION, values[v]);
  }
}

__device__ inline void activate_all(int function, float values[PACK]) {
  switch (function) {
    case SILU: activate_each<SILU>(values); break;
    case GELU: activate_each<GELU>(values); break;
    case RELU: activate_each<RELU>(values); break;
    case MISH: activate_each<MISH>(values); break;
    case GELU_TANH: activate_each<GELU_TANH>(values); break;
    default: break;
  }
}

struct Gather {
  const element* in;
  const element* weights;
  const float* bias;
  const element* residual;
  const float* perImage;
  element* out;
  int images, inHeight, inWidth, inRow, outHeight, outWidth, outRow, outChannels;
  int kernelHeight, kernelWidth, stride, padding, transposed, function;
  int slabRows, slabs, stageTaps, stages;
};

// Taps of the fullest phase: what the weights of each phase take.
__device__ inline int most_taps(int kernelHeight, int kernelWidth, int stride, bool transposed, int units) {
  int taps = transposed ? divide_up(kernelHeight, stride) * divide_up(kernelWidth, stride)
                        : kernelHeight * kernelWidth;
  return units == 1 ? (taps + 1) / 2 * 2 : taps;
}

// One axis of a phase: its taps are kernel positions remainder + stride * j.
struct PhaseAxis {
  int remainder, taps, offset;

  __device__ PhaseAxis(int phase, int kernel, int stride, int padding) {
    remainder = (phase + padding) % stride;
    taps = remainder < kernel ? divide_up(kernel - remainder, stride) : 0;
    offset = (phase + padding - remainder) / stride - (taps - 1);
  }

  // The position in the kernel: a transposed convolution meets its taps in reverse.
  __device__ int position(int tap, int stride) const { return remainder + stride * (taps - 1 - tap); }
};

template <int UNITS, int BM, int BN, int WM, int WN>
__device__ void gather(const Gather& g) {
  constexpr int WARPS_N = BN / WN, THREADS = BM / WM * WARPS_N * 32;
  constexpr int CHUNK = UNITS * PACK;  // channels
  constexpr int TAPS_AT_ONCE = UNITS == 1 ? 2 : 1;
  constexpr int ROWS = WM / 16, COLUMNS = WN / 8;
  float sum[ROWS][COLUMNS][4] = {};
  SHARED_MEMORY(char, shared);

  const int spread = g.transposed ? g.stride : 1;
  const int phaseY = blockIdx.z / spread, phaseX = blockIdx.z % spread;
  const PhaseAxis y(phaseY, g.kernelHeight, spread, g.padding), x(phaseX, g.kernelWidth, spread, g.padding);
  const Geometry geometry(g.images, g.inHeight, g.inWidth, divide_up(g.outHeight - phaseY, spread),
                          divide_up(g.outWidth - phaseX, spread), g.transposed ? y.taps : g.kernelHeight,
                          g.transposed ? x.taps : g.kernelWidth, g.transposed ? 1 : g.stride,
                          g.transposed ? y.offset : -g.padding, g.transposed ? x.offset : -g.padding);
  const int pixels = geometry.pixels();
  const int firstPixel = blockIdx.x * BM;
  if (firstPixel >= pixels) {
    return;
  }
  const int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
  const int warpRow = warp / WARPS_N * WM, warpColumn = warp % WARPS_N * WN;

  const int taps = (geometry.kernelHeight * geometry.kernelWidth + TAPS_AT_ONCE - 1) / TAPS_AT_ONCE * TAPS_AT_ONCE;
  const int tapsOfPhase = most_taps(g.kernelHeight, g.kernelWidth, g.stride, g.transposed, UNITS);
  const int chunks = g.inRow / CHUNK;
  const int stepsPerChunk = divide_up(taps, g.stageTaps), steps = chunks * stepsPerChunk;
  const element* weights =
      g.weights + (long long)(blockIdx.z * gridDim.y + blockIdx.y) * chunks * tapsOfPhase * BN * CHUNK;

  const int begin = geometry.slab_begin(firstPixel);
  const int slabLength =
      minimum(g.slabRows, geometry.slab_end(minimum(firstPixel + BM, pixels) - 1) - begin);
  const unsigned zeroRow = 0, slabBytes = g.slabRows * UNITS * 16, stageBytes = g.stageTaps * BN * UNITS * 16;
  const unsigned firstSlab = UNITS * 16, firstStage = firstSlab + g.slabs * slabBytes;

  int loadChunk = 0, loadTap = 0, loadStep = 0;
  auto load_step = [&]() {
    if (loadStep < steps) {
      if (loadTap == 0) {
        char* slab = shared + firstSlab + loadChunk % g.slabs * slabBytes;
        const element* from = g.in + (long long)begin * g.inRow + loadChunk * CHUNK;
        for (int i = thread; i < slabLength * UNITS; i += THREADS) {
          int row = i / UNITS, unit = i % UNITS;
          cp_async_16(slab + unit_offset<UNITS>(row, unit), from + (long long)row * g.inRow + unit * PACK, true);
        }
      }
      char* stage = shared + firstStage + loadStep % g.stages * stageBytes;
      const element* from = weights + (long long)(loadChunk * tapsOfPhase + loadTap) * BN * CHUNK;
      int count = minimum(g.stageTaps, taps - loadTap) * BN * UNITS;
      for (int i = thread; i < count; i += THREADS) {
        cp_async_16(stage + i * 16, from + i * PACK, true);
      }
      loadStep++;
      loadTap += g.stageTaps;
      if (loadTap >= taps) {
        loadTap = 0;
        loadChunk++;
      }
    }
    cp_async_commit();
  };

  for (int i = thread; i < UNITS * 4; i += THREADS) {
    ((unsigned*)(shared + zeroRow))[i] = 0;
  }
  for (int i = 0; i < g.stages - 1; i++) {
    load_step();
  }

  int base[ROWS];
  unsigned inside[ROWS];
  for (int i = 0; i < ROWS; i++) {
    int row = warpRow + i * 16 + (lane & 15);
    geometry.locate(firstPixel + row, begin, &base[i], &inside[i]);
  }
  constexpr int K_STEPS = UNITS == 1 ? 1 : UNITS / 2;
  const int half = lane >> 4;  // of two units of k, for the pixels
  const unsigned halfBytes = kept(half * 16u);
  // Where this lane's row of weights begins: column, and half of two units (two taps where a row has one).
  const int columnRow = warpColumn + (lane & 7) + (COLUMNS == 1 ? 0 : lane >> 4 << 3), columnHalf = lane >> 3 & 1;
  const unsigned column =
      kept(UNITS == 1 ? (unsigned)(columnHalf * BN + columnRow) * 16u : unit_offset<UNITS>(columnRow, columnHalf));

  int chunk = 0, tap = 0;
  for (int step = 0; step < steps; step++) {
    wait_for_stage(g.stages);
    __syncthreads();
    load_step();
    const unsigned slab = firstSlab + chunk % g.slabs * slabBytes;
    const unsigned stage = firstStage + step % g.stages * stageBytes;
    const int count = minimum(g.stageTaps, taps - tap);
    int myTap = tap + (UNITS == 1 ? half : 0);
    int ky = myTap / geometry.kernelWidth, kx = myTap % geometry.kernelWidth;
    for (int t = 0; t < count; t += TAPS_AT_ONCE) {
      // Slabs begin at multiples of a row, so that an exchange is one of bits of the address.
      unsigned rows[ROWS];
      const unsigned bits = bits_of_tap(ky, kx);
      const int shift = ky * geometry.inWidth + kx;
#pragma unroll
      for (int i = 0; i < ROWS; i++) {
        unsigned at = slab + unit_offset<UNITS>(base[i] + shift, 0);
        rows[i] = ((inside[i] & bits) == bits ? at : zeroRow) ^ (UNITS == 1 ? 0 : halfBytes);
      }
#pragma unroll
      for (int k = 0; k < K_STEPS; k++) {
        Fragment<2> b[COLUMNS];
        const char* tapWeights = shared + stage + t * (BN * UNITS * 16) + (column ^ (UNITS == 1 ? 0 : k * 32));
        if constexpr (COLUMNS == 1) {
          ldmatrix_x2(b[0].value, tapWeights);
        } else {
#pragma unroll
          for (int j = 0; j < COLUMNS; j += 2) {
            unsigned two[4];
            ldmatrix_x4(two, tapWeights + j * 8 * UNITS * 16);
            b[j].value[0] = two[0];
            b[j].value[1] = two[1];
            b[j + 1].value[0] = two[2];
            b[j + 1].value[1] = two[3];
          }
        }
        // Rounded when they were packed.
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
          b[j].keep_rest();
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
          Fragment<4> a;
          ldmatrix_x4(a.value, shared + (rows[i] ^ (UNITS == 1 ? 0 : k * 32)));
          a.keep_rest();
          a.round();
#pragma unroll
          for (int j = 0; j < COLUMNS; j++) {
            multiply_add(sum[i][j], a, b[j]);
          }
        }
      }
      kx += TAPS_AT_ONCE;
      while (kx >= geometry.kernelWidth) {
        kx -= geometry.kernelWidth;
        ky++;
      }
    }
    tap += g.stageTaps;
    if (tap >= taps) {
      tap = 0;
      chunk++;
    }
  }
  cp_async_wait<0>();
  __syncthreads();

  // Through shared memory, so that 16 bytes of neighbouring channels are written at once.
  constexpr int TILE_ROW = BN + 8;
  float* tile = (float*)shared;
#pragma unroll
  for (int i = 0; i < ROWS; i++) {
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) {
      float* at = tile + (warpRow + i * 16 + (lane >> 2)) * TILE_ROW + warpColumn + j * 8 + (lane & 3) * 2;
      *(float2*)at = make_float2(sum[i][j][0], sum[i][j][1]);
      *(float2*)(at + 8 * TILE_ROW) = make_float2(sum[i][j][2], sum[i][j][3]);
    }
  }
  __syncthreads();
  constexpr int PACKS = BN / PACK;
  static_assert(THREADS % PACKS == 0, "a thread has the same channels in all rows");
  const int first = thread % PACKS * PACK, channel = blockIdx.y * BN + first;
  float bias[PACK];
#pragma unroll
  for (int v = 0; v < PACK; v++) {
    bias[v] = g.bias && channel + v < g.outChannels ? g.bias[channel + v] : 0.0f;
  }
  // Channels of the padding have no weights, bias or residual, and all functions leave zero as it is.
  for (int row = thread / PACKS; row < BM && channel < g.outRow; row += THREADS / PACKS) {
    int pixel = firstPixel + row;
    if (pixel >= pixels) {
      break;
    }
    if (spread > 1) {
      int n, oy, ox;
      geometry.coordinates(pixel, &n, &oy, &ox);
      pixel = (n * g.outHeight + oy * spread + phaseY) * g.outWidth + ox * spread + phaseX;
    }
    const long long at = (long long)pixel * g.outRow + channel;
    float values[PACK];
#pragma unroll
    for (int v = 0; v < PACK; v += 4) {
      float4 four = *(const float4*)(tile + row * TILE_ROW + first + v);
      values[v] = four.x + bias[v];
      values[v + 1] = four.y + bias[v + 1];
      values[v + 2] = four.z + bias[v + 2];
      values[v + 3] = four.w + bias[v + 3];
    }
    if (g.perImage) {
      const float* vector = g.perImage + (long long)(pixel / (g.outHeight * g.outWidth)) * g.outChannels;
#pragma unroll
      for (int v = 0; v < PACK; v++) {
        values[v] += channel + v < g.outChannels ? vector[channel + v] : 0.0f;
      }
    }
    if (g.residual) {
      float summand[PACK];
      load_floats(summand, g.residual + at);
#pragma unroll
      for (int v = 0; v < PACK; v++) {
        values[v] += summand[v];
      }
    }
    activate_all(g.function, values);
    store_floats(g.out + at, values);
  }
}

struct WeightGradient {
  const element* gathered;
  const element* dense;
  float* parts;
  int images, inHeight, inWidth, inRow, inChannels, outHeight, outWidth, outRow, outChannels;
  int kernelHeight, kernelWidth, stride, padding, wantsBias;
  int slabRows, stages, partLength;
};

#ifdef PRODUCT_BF16
#define PIXELS_PER_STEP 16
#else
#define PIXELS_PER_STEP 8
#endif

// UNITS of gathered channels, BN dense channels, BP pixels a stage, BLOCKS_M blocks of 16 rows for each of
// WARPS_M warps, WARPS_K warps that share the pixels of a stage.
template <int UNITS, int BN, int BP, int BLOCKS_M, int WARPS_M, int WARPS_K>
__device__ void weight_gradient(const WeightGradient& g) {
  constexpr int THREADS = WARPS_M * WARPS_K * 32;
  constexpr int CHUNK = UNITS * PACK, OCTETS = CHUNK / 8;
  constexpr int DENSE_UNITS = BN / PACK;
  constexpr int COLUMNS = BN / 8;
  float sum[BLOCKS_M][COLUMNS][4] = {};
  float columnSum[COLUMNS][4] = {};
  [[maybe_unused]] constexpr int SUMS = BLOCKS_M * COLUMNS * 4 + COLUMNS * 4;
  SHARED_MEMORY(char, shared);

  const Geometry geometry(g.images, g.inHeight, g.inWidth, g.outHeight, g.outWidth, g.kernelHeight, g.kernelWidth,
                          g.stride, -g.padding, -g.padding);
  const int pixels = geometry.pixels(), taps = g.kernelHeight * g.kernelWidth;
  const int stagesInAll = divide_up(pixels, BP);
  const int firstStep = (int)((long long)stagesInAll * blockIdx.x / gridDim.x);
  const int steps = (int)((long long)stagesInAll * (blockIdx.x + 1) / gridDim.x) - firstStep;
  const int chunks = g.inRow / CHUNK;
  const int chunk = blockIdx.y % chunks, denseChannel = blockIdx.y / chunks * BN;
  const int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
  const int warpM = warp % WARPS_M, warpK = warp / WARPS_M;
  const int firstOctet = (blockIdx.z * WARPS_M + warpM) * BLOCKS_M * 2;
  const bool sumsColumns = g.wantsBias && chunk == 0 && blockIdx.z == 0 && warpM == 0;

  const unsigned zeroRow = 0, firstStage = UNITS * 16;
  const unsigned tableBytes = BP * 8, denseBytes = BP * BN * sizeof(element);
  const unsigned stageBytes = tableBytes + denseBytes + g.slabRows * UNITS * 16;

  auto load_step = [&](int step) {
    if (step < steps) {
      const unsigned stage = firstStage + step % g.stages * stageBytes;
      const int firstPixel = (firstStep + step) * BP;
      const int begin = geometry.slab_begin(firstPixel);
      const int slabLength =
          minimum(g.slabRows, geometry.slab_end(minimum(firstPixel + BP, pixels) - 1) - begin);
      char* slab = shared + stage + tableBytes + denseBytes;
      const element* from = g.gathered + (long long)begin * g.inRow + chunk * CHUNK;
      for (int i = thread; i < slabLength * UNITS; i += THREADS) {
        int row = i / UNITS, unit = i % UNITS;
        cp_async_16(slab + unit_offset<UNITS>(row, unit), from + (long long)row * g.inRow + unit * PACK, true);
      }
      char* dense = shared + stage + tableBytes;
      for (int i = thread; i < BP * DENSE_UNITS; i += THREADS) {
        int row = i / DENSE_UNITS, unit = i % DENSE_UNITS;
        bool exists = firstPixel + row < pixels;
        const element* at = g.dense + (long long)(exists ? firstPixel + row : 0) * g.outRow + denseChannel + unit * PACK;
        cp_async_16(dense + unit_offset<DENSE_UNITS>(row, unit), at, exists);
      }
      int* table = (int*)(shared + stage);
      for (int i = thread; i < BP; i += THREADS) {
        int row;
        unsigned inside;
        geometry.locate(firstPixel + i, begin, &row, &inside);
        table[2 * i] = row;
        table[2 * i + 1] = (int)inside;
      }
    }
    cp_async_commit();
  };

  for (int i = thread; i < UNITS * 4; i += THREADS) {
    ((unsigned*)(shared + zeroRow))[i] = 0;
  }
  for (int i = 0; i < g.stages - 1; i++) {
    load_step(i);
  }

  // Which tap and which channels this lane reads: of every block of 16 rows one half (8 channels of a
  // tap), or both in turn.
#ifdef PRODUCT_BF16
  constexpr int HALVES = 1;
#else
  constexpr int HALVES = 2;
#endif
  int shift[BLOCKS_M][HALVES];  // pixels from tap 0
  unsigned bits[BLOCKS_M][HALVES];
  int octet[BLOCKS_M][HALVES];
#pragma unroll
  for (int i = 0; i < BLOCKS_M; i++) {
#pragma unroll
    for (int h = 0; h < HALVES; h++) {
      int q = firstOctet + 2 * i + (HALVES == 1 ? (lane >> 3) & 1 : h);
      int tap = q / OCTETS;
      octet[i][h] = q % OCTETS;
      int ky = tap / g.kernelWidth, kx = tap % g.kernelWidth;
      // A tap that does not exist is never inside.
      bits[i][h] = tap < taps ? bits_of_tap(ky, kx) : 0x8000u;
      shift[i][h] = ky * g.inWidth + kx;
    }
  }

  for (int step = 0; step < steps; step++) {
    wait_for_stage(g.stages);
    __syncthreads();
    load_step(step + g.stages - 1);
    const unsigned stage = firstStage + step % g.stages * stageBytes;
    const char* dense = shared + stage + tableBytes;
    const unsigned slab = stage + tableBytes + denseBytes;
    const int* table = (const int*)(shared + stage);
    for (int k = warpK * PIXELS_PER_STEP; k < BP; k += WARPS_K * PIXELS_PER_STEP) {
      Fragment<2> b[COLUMNS];
#ifdef PRODUCT_BF16
      const int denseRow = k + (lane & 15);
      if constexpr (COLUMNS == 1) {
        ldmatrix_x2_trans(b[0].value, dense + unit_offset<DENSE_UNITS>(denseRow, 0));
      } else {
#pragma unroll
        for (int j = 0; j < COLUMNS; j += 2) {
          unsigned two[4];
          ldmatrix_x4_trans(two, dense + unit_offset<DENSE_UNITS>(denseRow, j + (lane >> 4)));
          b[j].value[0] = two[0];
          b[j].value[1] = two[1];
          b[j + 1].value[0] = two[2];
          b[j + 1].value[1] = two[3];
        }
      }
      const int2 pixel = ((const int2*)table)[k + (lane & 7) + (lane >> 4) * 8];
#else
      const int quad = lane & 3, group = lane >> 2;
#pragma unroll
      for (int j = 0; j < COLUMNS; j++) {
        int n = j * 8 + group;
#pragma unroll
        for (int h = 0; h < 2; h++) {
          b[j].value[h] = *(const unsigned*)(dense + unit_offset<DENSE_UNITS>(k + quad + 4 * h, n / 4) + n % 4 * 4);
        }
        b[j].keep_rest();
        b[j].round();
      }
      const int2 pixel[2] = {((const int2*)table)[k + quad], ((const int2*)table)[k + quad + 4]};
#endif
#pragma unroll
      for (int i = 0; i < BLOCKS_M; i++) {
        Fragment<4> a;
#ifdef PRODUCT_BF16
        bool isInside = ((unsigned)pixel.y & bits[i][0]) == bits[i][0];
        unsigned at = isInside ? slab + unit_offset<UNITS>(pixel.x + shift[i][0], octet[i][0]) : zeroRow;
        ldmatrix_x4_trans(a.value, shared + at);
#else
#pragma unroll
        for (int r = 0; r < 4; r++) {
          int h = r & 1, late = r >> 1;
          bool isInside = ((unsigned)pixel[late].y & bits[i][h]) == bits[i][h];
          unsigned at =
              isInside
                  ? slab + unit_offset<UNITS>(pixel[late].x + shift[i][h], octet[i][h] * 2 + group / 4) + group % 4 * 4
                  : zeroRow;
          a.value[r] = *(const unsigned*)(shared + at);
        }
        a.keep_rest();
        a.round();
#endif
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
          multiply_add(sum[i][j], a, b[j]);
        }
      }
      if (sumsColumns) {
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
          multiply_add(columnSum[j], ones(), b[j]);
        }
      }
    }
  }
  cp_async_wait<0>();
  __syncthreads();

  // Warps that shared the pixels, added up in order.
  if constexpr (WARPS_K > 1) {
    float* exchange = (float*)shared;
    for (int w = 1; w < WARPS_K; w++) {
      float* at = exchange + warpM * SUMS * 32 + lane;
      int index = 0;
#pragma unroll
      for (int pass = 0; pass < 2; pass++) {
        index = 0;
        if (pass == 0 ? warpK == w : warpK == 0) {
#pragma unroll
          for (int i = 0; i < BLOCKS_M; i++) {
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
              for (int r = 0; r < 4; r++) {
                if (pass == 0) {
                  at[index++ * 32] = sum[i][j][r];
                } else {
                  sum[i][j][r] += at[index++ * 32];
                }
              }
            }
          }
#pragma unroll
          for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
            for (int r = 0; r < 4; r++) {
              if (pass == 0) {
                at[index++ * 32] = columnSum[j][r];
              } else {
                columnSum[j][r] += at[index++ * 32];
              }
            }
          }
        }
        __syncthreads();
      }
    }
    if (warpK > 0) {
      return;
    }
  }

  float* part = g.parts + (long long)blockIdx.x * g.partLength;
  const int group = lane >> 2, quad = lane & 3;
  auto put = [&](int octetOfBlock, int n, float value) {
    int q = firstOctet + octetOfBlock, tap = q / OCTETS;
    int m = chunk * CHUNK + q % OCTETS * 8 + group;
    if (tap < taps && m < g.inChannels && n < g.outChannels) {
      part[((long long)tap * g.inChannels + m) * g.outChannels + n] = value;
    }
  };
  float* columnSums = part + (long long)taps * g.inChannels * g.outChannels;
#pragma unroll
  for (int j = 0; j < COLUMNS; j++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      int n = denseChannel + j * 8 + quad * 2 + (r & 1);
#pragma unroll
      for (int i = 0; i < BLOCKS_M; i++) {
        put(2 * i + (r >> 1), n, sum[i][j][r]);
      }
      if (sumsColumns && group == 0 && r < 2 && n < g.outChannels) {
        columnSums[n] = columnSum[j][r];
      }
    }
  }
}

// How many blocks a processor is to hold at once: of so many threads, with so many sums each and what else
// a thread keeps in registers.
__host__ __device__ constexpr int blocks_of_registers(int threads, int sums) {
#ifdef PRODUCT_F32
  const int others = 96;
#else
  const int others = 64;
#endif
  const int blocks = 65536 / (threads * (others + sums));
  return blocks < 1 ? 1 : blocks > 4 ? 4 : blocks;
}

#ifdef GATHER_UNITS
constexpr int GATHER_THREADS = GATHER_PIXELS / GATHER_WARP_PIXELS * (GATHER_CHANNELS / GATHER_WARP_CHANNELS) * 32;

extern "C" __global__ void __launch_bounds__(GATHER_THREADS,
                                             blocks_of_registers(GATHER_THREADS, GATHER_WARP_PIXELS * GATHER_WARP_CHANNELS / 32))
    convolution_gather(const element* in, const element* weights, const float* bias, const element* residual,
                       const float* perImage, element* out, int images, int inHeight, int inWidth, int inRow,
                       int outHeight, int outWidth, int outRow, int outChannels, int kernelHeight, int kernelWidth,
                       int stride, int padding, int transposed, int function, int slabRows, int slabs,
                       int stageTaps, int stages) {
  gather<GATHER_UNITS, GATHER_PIXELS, GATHER_CHANNELS, GATHER_WARP_PIXELS, GATHER_WARP_CHANNELS>(
      {in,        weights,    bias,       residual,   perImage,     out,         images,  inHeight,
       inWidth,   inRow,      outHeight,  outWidth,   outRow,       outChannels, kernelHeight, kernelWidth,
       stride,    padding,    transposed, function,   slabRows,     slabs,       stageTaps,    stages});
}
#endif

#ifdef GRADIENT_UNITS
constexpr int GRADIENT_THREADS = GRADIENT_WARPS * GRADIENT_WARPS_PIXELS * 32;

extern "C" __global__ void __launch_bounds__(GRADIENT_THREADS,
                                             blocks_of_registers(GRADIENT_THREADS, GRADIENT_BLOCKS * GRADIENT_CHANNELS / 2))
    convolution_weight_gradient(const element* gathered, const element* dense, float* parts, int images,
                                int inHeight, int inWidth, int inRow, int inChannels, int outHeight, int outWidth,
                                int outRow, int outChannels, int kernelHeight, int kernelWidth, int stride,
                                int padding, int wantsBias, int slabRows, int stages, int partLength) {
  weight_gradient<GRADIENT_UNITS, GRADIENT_CHANNELS, GRADIENT_PIXELS, GRADIENT_BLOCKS, GRADIENT_WARPS,
                  GRADIENT_WARPS_PIXELS>(
      {gathered,   dense,    parts,    images,      inHeight,     inWidth,     inRow,  inChannels, outHeight,
       outWidth,   outRow,   outChannels, kernelHeight, kernelWidth, stride, padding,   wantsBias,  slabRows,
       stages,     partLength});
}
#endif

// packed[phase][block of channels][chunk][tap][BLOCK_CHANNELS][CHUNK] from the weights that the network keeps,
// [kH,kW,in,out] of the channels of a plain gathering, [kH,kW,out,in] of a transposed one.
static __device__ void pack_weights(const float* weights, element* packed, int inChannels, int outChannels, int inRow,
                                    int outRow, int kernelHeight, int kernelWidth, int stride, int padding,
                                    int transposed, int blockChannels, int chunkChannels) {
  const int units = chunkChannels / PACK;
  const int taps = most_taps(kernelHeight, kernelWidth, stride, transposed, units);
  const int chunks = inRow / chunkChannels, blocks = divide_up(outRow, blockChannels);
  const int phases = transposed ? stride * stride : 1;
  const int length = phases * blocks * chunks * taps * blockChannels * chunkChannels;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < length; i += gridDim.x * blockDim.x) {
    int k = i % chunkChannels, rest = i / chunkChannels;
    int n = rest % blockChannels;
    // As it will lie in shared memory: see unit_offset.
    k = (k / PACK ^ n * units / 8 % units) * PACK + k % PACK;
    rest /= blockChannels;
    int tap = rest % taps;
    rest /= taps;
    k += rest % chunks * chunkChannels;
    rest /= chunks;
    n += rest % blocks * blockChannels;
    int phase = rest / blocks;
    float value = 0;
    if (k < inChannels && n < outChannels) {
      if (!transposed) {
        if (tap < kernelHeight * kernelWidth) {
          value = weights[((long long)tap * inChannels + k) * outChannels + n];
        }
      } else {
        PhaseAxis y(phase / stride, kernelHeight, stride, padding), x(phase % stride, kernelWidth, stride, padding);
        if (tap < y.taps * x.taps) {
          int position = y.position(tap / x.taps, stride) * kernelWidth + x.position(tap % x.taps, stride);
          value = weights[((long long)position * outChannels + n) * inChannels + k];
        }
      }
    }
#ifdef PRODUCT_TF32
    value = __uint_as_float((__float_as_uint(value) + 0x1000u) & 0xffffe000u);
#endif
    packed[i] = to_element(value);
  }
}

// Of the weights of row blockIdx.y of a table, whose numbers are pack_weights' arguments.
extern "C" __global__ void convolution_pack_weights(const long long* table) {
  const long long* row = table + blockIdx.y * PACKING_ROW;
  pack_weights((const float*)row[0], (element*)row[1], (int)row[2], (int)row[3], (int)row[4], (int)row[5], (int)row[6],
               (int)row[7], (int)row[8], (int)row[9], (int)row[10], (int)row[11], (int)row[12]);
}

// Sums over all pixels of a map in parts: parts[blockIdx.x][channel]. Threads: packs of a row times pixels.
extern "C" __global__ void convolution_channel_sums(const element* map, float* parts, int pixels, int row, int channels) {
  SHARED_MEMORY(float, sums);
  const int packs = row / PACK, group = blockDim.x / packs;  // pixels at once
  const int pack = threadIdx.x % packs, first = threadIdx.x / packs;
  const int begin = (int)((long long)pixels * blockIdx.x / gridDim.x);
  const int end = (int)((long long)pixels * (blockIdx.x + 1) / gridDim.x);
  float sum[PACK] = {};
  if (first < group) {
    for (int p = begin + first; p < end; p += group) {
      Pack values = load_pack(map + (long long)p * row + pack * PACK);
#pragma unroll
      for (int v = 0; v < PACK; v++) {
        sum[v] += to_float(values.v[v]);
      }
    }
#pragma unroll
    for (int v = 0; v < PACK; v++) {
      sums[first * row + pack * PACK + v] = sum[v];
    }
  }
  __syncthreads();
  for (int c = threadIdx.x; c < channels; c += blockDim.x) {
    float total = 0;
    for (int i = 0; i < group; i++) {
      total += sums[i * row + c];
    }
    parts[(long long)blockIdx.x * channels + c] = total;
  }
}

// gradient[i] += sum of parts[.][i]: the first sumLength elements for one gradient, the next for another.
// 32 elements a block, eight threads for each.
extern "C" __global__ void __launch_bounds__(256)
    convolution_add_parts(const float* parts, int count, int partLength, float* gradient, int gradientLength,
                          float* second, int secondLength) {
  __shared__ float sums[8][33];
  const int lane = threadIdx.x % 32, group = threadIdx.x / 32;
  const int i = blockIdx.x * 32 + lane;
  const bool wanted = i < gradientLength ? gradient != nullptr : i < gradientLength + secondLength && second != nullptr;
  float sum = 0;
  if (wanted) {
#pragma unroll 8
    for (int p = group; p < count; p += 8) {
      sum += parts[(long long)p * partLength + i];
    }
  }
  sums[group][lane] = sum;
  __syncthreads();
  if (group == 0 && wanted) {
    for (int other = 1; other < 8; other++) {
      sum += sums[other][lane];
    }
    if (i < gradientLength) {
      gradient[i] += sum;
    } else {
      second[i - gradientLength] += sum;
    }
  }
}
