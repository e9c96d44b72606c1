// Times convolution.cu and gemm.cu on a card, for every tile that fits, against a naive kernel.
//
//   nvcc -O3 -std=c++17 -gencode=arch=compute_90a,code=sm_90a -DELEMENT_BFLOAT16 -DPRODUCT_BF16
//        -I ddpm-cuda/src/main/resources/org/ddpm4j/cuda -I ddpm-cuda/src/test/cpp
//        ddpm-cuda/src/test/cpp/convolution_bench.cu -o /tmp/bench && /tmp/bench
// (or -DPRODUCT_TF32, or -DPRODUCT_F32). Each time is that of a kernel in a graph of 20 launches over
// buffers that together exceed the L2 cache; gradients of weights include the sum of the parts. Arguments
// name some shapes by their numbers; of a single one all tiles are printed, not only the best. A file of
// Java's choices, as ConvolutionTiles prints them, in the variable DDPM_TILES: their times are printed too.
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "convolution.cu"
#include "convolution_shapes.h"
#include "gemm.cu"

// It has a WeightGradient, too.
namespace linear {
#include "linear.cu"
}

#define CHECK(call)                                                                          \
  do {                                                                                       \
    cudaError_t code = (call);                                                               \
    if (code != cudaSuccess) {                                                               \
      printf("%s: %s (line %d)\n", #call, cudaGetErrorString(code), __LINE__);               \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

constexpr int LAUNCHES = 20;
constexpr int ELEMENT = (int)sizeof(element);
constexpr size_t ROTATED_BYTES = 160u << 20;
static cudaStream_t stream;

template <int U, int BM, int BN, int WM, int WN>
__global__ void __launch_bounds__(BM / WM*(BN / WN) * 32, blocks_of_registers(BM / WM*(BN / WN) * 32, WM* WN / 32))
    gather_kernel(Gather g) {
  gather<U, BM, BN, WM, WN>(g);
}

template <int U, int BN, int BP, int B, int W, int WK>
__global__ void __launch_bounds__(W* WK * 32, blocks_of_registers(W* WK * 32, B* BN / 2)) gradient_kernel(WeightGradient g) {
  weight_gradient<U, BN, BP, B, W, WK>(g);
}

__global__ void pack_kernel(const float* weights, element* packed, int inChannels, int outChannels, int inRow, int outRow,
                            int kernelHeight, int kernelWidth, int stride, int padding, int transposed,
                            int blockChannels, int chunkChannels) {
  pack_weights(weights, packed, inChannels, outChannels, inRow, outRow, kernelHeight, kernelWidth, stride, padding,
               transposed, blockChannels, chunkChannels);
}

struct GatherTile {
  int units, pixels, channels, warpPixels, warpChannels;
  void (*kernel)(Gather);
  int threads() const { return pixels / warpPixels * (channels / warpChannels) * 32; }
};
#define G(u, bm, bn, wm, wn) {u, bm, bn, wm, wn, gather_kernel<u, bm, bn, wm, wn>}
static const GatherTile GATHER_TILES[] = {
#ifdef PRODUCT_BF16
    G(1, 128, 32, 32, 32), G(1, 64, 32, 16, 32), G(1, 256, 32, 64, 32), G(1, 128, 64, 64, 32), G(1, 128, 128, 64, 32),
    G(4, 64, 32, 16, 32),  G(4, 64, 32, 32, 32), G(4, 128, 32, 16, 32), G(4, 128, 32, 32, 32), G(4, 256, 32, 32, 32),
    G(4, 256, 32, 64, 32), G(4, 64, 64, 32, 32), G(4, 128, 64, 32, 32), G(4, 128, 64, 64, 32), G(4, 128, 8, 32, 8),
    G(8, 64, 32, 16, 32),  G(8, 64, 32, 32, 32), G(8, 128, 32, 32, 32), G(8, 256, 32, 64, 32), G(8, 32, 64, 16, 32),
    G(8, 64, 64, 32, 32),  G(8, 64, 64, 16, 64), G(8, 128, 64, 32, 32), G(8, 128, 64, 64, 32), G(8, 128, 64, 32, 64),
    G(8, 64, 128, 32, 32), G(8, 64, 128, 32, 64), G(8, 128, 128, 64, 32), G(8, 128, 128, 64, 64),
    G(8, 128, 8, 32, 8),
#else
    G(2, 128, 32, 32, 32), G(8, 64, 32, 16, 32), G(8, 64, 32, 32, 32), G(8, 128, 32, 32, 32), G(8, 64, 64, 32, 32),
    G(8, 128, 64, 64, 32), G(8, 128, 8, 32, 8),  G(8, 128, 128, 64, 32),
#endif
};

struct GradientTile {
  int units, channels, pixels, blocks, warps, pixelWarps;
  void (*kernel)(WeightGradient);
  int threads() const { return warps * pixelWarps * 32; }
};
#define W(u, bn, bp, b, w, wk) {u, bn, bp, b, w, wk, gradient_kernel<u, bn, bp, b, w, wk>}
static const GradientTile GRADIENT_TILES[] = {
#ifdef PRODUCT_BF16
    // 3x3
    W(4, 32, 128, 2, 9, 1), W(4, 32, 64, 2, 9, 1), W(4, 32, 128, 3, 6, 1), W(4, 32, 128, 6, 3, 1),
    W(4, 32, 128, 2, 9, 2), W(4, 64, 128, 2, 9, 1), W(4, 64, 64, 2, 9, 1), W(8, 32, 128, 4, 9, 1),
    W(8, 32, 64, 2, 18, 1), W(8, 64, 64, 4, 9, 1),
    // 1x1
    W(4, 32, 128, 1, 2, 4), W(4, 32, 128, 2, 1, 8), W(4, 64, 128, 1, 2, 4), W(8, 32, 128, 1, 4, 2),
    W(8, 64, 128, 1, 4, 2), W(8, 64, 128, 2, 2, 4), W(8, 64, 64, 1, 4, 2), W(4, 8, 128, 1, 2, 4),
    // 4x4 and 7x7
    W(4, 32, 128, 4, 8, 1), W(4, 32, 64, 4, 8, 1), W(4, 64, 64, 4, 8, 1), W(1, 32, 128, 4, 7, 1),
    W(1, 32, 128, 3, 9, 1), W(1, 32, 128, 2, 13, 1),
#else
    W(8, 32, 64, 2, 9, 1), W(8, 32, 32, 2, 9, 1), W(8, 32, 64, 1, 2, 4), W(8, 32, 64, 4, 8, 1), W(2, 32, 64, 4, 7, 1),
    W(8, 8, 64, 1, 2, 4),
#endif
};

__device__ inline float noise_of(unsigned i) {
  i = (i ^ 61u) ^ (i >> 16);
  i *= 9u;
  i ^= i >> 4;
  i *= 0x27d4eb2du;
  i ^= i >> 15;
  return (float)(i & 0xffff) / 32768.0f - 1.0f;
}

__global__ void fill_map(element* map, size_t pixels, int channels, int row, unsigned seed) {
  size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
  if (i < pixels * row) {
    map[i] = to_element((int)(i % row) < channels ? noise_of((unsigned)i * 2654435761u + seed) : 0.0f);
  }
}

__global__ void fill_floats(float* values, size_t length, float scale, unsigned seed) {
  size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
  if (i < length) {
    values[i] = scale * noise_of((unsigned)i * 2246822519u + seed);
  }
}

__device__ inline float rounded(float x) { return to_float(to_element(x)); }

__global__ void reference_gather(Shape s, int outHeight, int outWidth, int inRow, int outRow, const element* in,
                                 const float* weights, const float* bias, float* reference) {
  size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
  if (i >= (size_t)s.images * outHeight * outWidth * outRow) {
    return;
  }
  int c = (int)(i % outRow);
  size_t pixel = i / outRow;
  int ox = (int)(pixel % outWidth), oy = (int)(pixel / outWidth % outHeight), n = (int)(pixel / outWidth / outHeight);
  float sum = c < s.outChannels ? bias[c] : 0.0f;
  for (int tap = 0; c < s.outChannels && tap < s.kernel * s.kernel; tap++) {
    int ky = tap / s.kernel, kx = tap % s.kernel;
    int iy = s.transposed ? oy + s.padding - ky : oy * s.stride - s.padding + ky;
    int ix = s.transposed ? ox + s.padding - kx : ox * s.stride - s.padding + kx;
    if (s.transposed) {
      if (iy < 0 || ix < 0 || iy % s.stride || ix % s.stride) {
        continue;
      }
      iy /= s.stride;
      ix /= s.stride;
    }
    if (iy < 0 || ix < 0 || iy >= s.inHeight || ix >= s.inWidth) {
      continue;
    }
    const element* x = in + ((size_t)(n * s.inHeight + iy) * s.inWidth + ix) * inRow;
    for (int k = 0; k < s.inChannels; k++) {
      size_t at = s.transposed ? ((size_t)tap * s.outChannels + c) * s.inChannels + k
                               : ((size_t)tap * s.inChannels + k) * s.outChannels + c;
      sum += to_float(x[k]) * rounded(weights[at]);
    }
  }
  reference[i] = sum;
}

// A block for each element of the gradient [kH,kW,gathered,dense].
__global__ void reference_gradient(Shape s, int outHeight, int outWidth, int inRow, int outRow,
                                   const element* gathered, const element* dense, float* reference) {
  int i = blockIdx.x;
  int o = i % s.outChannels, c = i / s.outChannels % s.inChannels, tap = i / s.outChannels / s.inChannels;
  int ky = tap / s.kernel, kx = tap % s.kernel;
  double sum = 0;
  int pixels = s.images * outHeight * outWidth;
  for (int p = threadIdx.x; p < pixels; p += blockDim.x) {
    int iy = p / outWidth % outHeight * s.stride - s.padding + ky, ix = p % outWidth * s.stride - s.padding + kx;
    int n = p / outWidth / outHeight;
    if (iy >= 0 && ix >= 0 && iy < s.inHeight && ix < s.inWidth) {
      sum += to_float(gathered[((size_t)(n * s.inHeight + iy) * s.inWidth + ix) * inRow + c]) *
             to_float(dense[(size_t)p * outRow + o]);
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    reference[i] = (float)sum;
  }
}

// error[0] += squared differences, error[1] += squares of the reference
template <typename T>
__global__ void compare(const T* found, const float* reference, size_t length, double* error) {
  double difference = 0, norm = 0;
  for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < length; i += (size_t)gridDim.x * blockDim.x) {
    double d = (double)reference[i] - to_float(found[i]);
    difference += d == d ? d * d : 1e18;
    norm += (double)reference[i] * reference[i];
  }
  difference = block_sum(difference);
  norm = block_sum(norm);
  if (threadIdx.x == 0) {
    atomicAdd(&error[0], difference);
    atomicAdd(&error[1], norm);
  }
}

static double relative_error(double* error) {
  double host[2];
  CHECK(cudaMemcpy(host, error, sizeof host, cudaMemcpyDeviceToHost));
  CHECK(cudaMemset(error, 0, sizeof host));
  return std::sqrt(host[0] / host[1]);
}

// Microseconds of one launch, in a graph of LAUNCHES; launch(i) uses buffers of turn i.
static double microseconds(const std::function<void(int)>& launch) {
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  for (int i = 0; i < LAUNCHES; i++) {
    launch(i);
  }
  CHECK(cudaStreamEndCapture(stream, &graph));
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  float best = 1e9f;
  for (int i = 0; i < 5; i++) {
    CHECK(cudaEventRecord(begin, stream));
    CHECK(cudaGraphLaunch(executable, stream));
    CHECK(cudaEventRecord(end, stream));
    CHECK(cudaEventSynchronize(end));
    float ms;
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    best = std::min(best, ms);
  }
  CHECK(cudaGetLastError());
  CHECK(cudaGraphExecDestroy(executable));
  CHECK(cudaGraphDestroy(graph));
  return best * 1000.0 / LAUNCHES;
}

template <typename T>
static T* device(size_t length) {
  void* address;
  CHECK(cudaMalloc(&address, length * sizeof(T)));
  CHECK(cudaMemset(address, 0, length * sizeof(T)));
  return (T*)address;
}

static element* maps(size_t pixels, int channels, int row, int turns, unsigned seed) {
  element* map = device<element>(pixels * row * turns);
  size_t length = pixels * row * turns;
  fill_map<<<(unsigned)((length + 255) / 256), 256>>>(map, pixels * turns, channels, row, seed);
  return map;
}

struct Timing {
  double us;
  std::string tile;
  double error;
};

static bool printsAll = false;
static int shapeIndex = 0;

// Java's choice for a shape and direction; empty if it is not known.
static std::string choice_of_java(const char* what) {
  const char* path = getenv("DDPM_TILES");
  FILE* file = path ? fopen(path, "r") : nullptr;
  const std::string prefix = std::to_string(shapeIndex) + " " + what + " ";
  std::string choice;
  char line[200];
  while (file && choice.empty() && fgets(line, sizeof line, file)) {
    if (std::string(line).compare(0, prefix.size(), prefix) == 0) {
      choice = std::string(line).substr(prefix.size());
      choice.erase(choice.find_last_not_of("\r\n") + 1);
    }
  }
  if (file) {
    fclose(file);
  }
  return choice;
}

static void report(const char* what, std::vector<Timing>& timings, double flops, double bytes) {
  std::sort(timings.begin(), timings.end(), [](const Timing& a, const Timing& b) { return a.us < b.us; });
  double worst = 0;
  for (auto& t : timings) {
    worst = std::max(worst, t.error == t.error ? t.error : 1e9);
  }
  printf("  %-8s best %7.1f us  %5.0f TFLOP/s  %5.2f TB/s  error %.1e  of %zu", what, timings.empty() ? 0 : timings[0].us,
         flops / timings[0].us * 1e-6, bytes / timings[0].us * 1e-6, worst, timings.size());
  for (size_t i = 0; i < timings.size() && (printsAll || i < 4); i++) {
    printf(printsAll ? "\n      %.1f %s" : " | %.1f %s", timings[i].us, timings[i].tile.c_str());
  }
  printf("\n");
  const std::string choice = choice_of_java(what);
  for (const Timing& t : timings) {
    if (t.tile == choice) {
      printf("           Java %7.1f us  %+.1f %%  %s\n", t.us, 100 * (t.us / timings[0].us - 1), choice.c_str());
    }
  }
  fflush(stdout);
}

static const int SHARED_LIMIT = 227 << 10;
static const int BLOCKS_WANTED[] = {132, 264, 396, 528, 792};

static void bench_gather(const char* what, const Shape& s) {
  int inRow = row_length(s.inChannels), outRow = row_length(s.outChannels);
  size_t inPixels = (size_t)s.images * s.inHeight * s.inWidth;
  size_t outPixels = (size_t)s.images * s.outHeight() * s.outWidth();
  size_t turnBytes = (inPixels * inRow + outPixels * outRow) * ELEMENT;
  int turns = (int)std::min<size_t>(LAUNCHES, std::max<size_t>(1, ROTATED_BYTES / turnBytes));
  element* in = maps(inPixels, s.inChannels, inRow, turns, 1);
  element* out = device<element>(outPixels * outRow * turns);
  size_t weightLength = (size_t)s.kernel * s.kernel * s.inChannels * s.outChannels;
  float *weights = device<float>(weightLength), *bias = device<float>(s.outChannels);
  fill_floats<<<(unsigned)((weightLength + 255) / 256), 256>>>(weights, weightLength, 0.2f, 5);
  fill_floats<<<1, 1024>>>(bias, s.outChannels, 1.0f, 6);
  double* error = device<double>(2);
  float* reference = device<float>(outPixels * outRow);
  reference_gather<<<(unsigned)((outPixels * outRow + 255) / 256), 256>>>(s, s.outHeight(), s.outWidth(), inRow, outRow,
                                                                          in, weights, bias, reference);
  element* packed = nullptr;
  std::vector<Timing> timings;
  for (const GatherTile& t : GATHER_TILES) {
    if (inRow * ELEMENT % (t.units * 16) || outRow % t.channels || (outRow >= 32 && t.channels < 32)) {
      continue;
    }
    std::vector<std::string> seen;
    int taps = s.transposed ? up(s.kernel, s.stride) * up(s.kernel, s.stride) : s.kernel * s.kernel;
    for (int stageTaps : {taps, up(taps, 2), up(taps, 3), 1}) {
      for (int stages : {2, 3, 4}) {
        GatherPlan p(s, ELEMENT, t.units, t.pixels, t.channels, stageTaps, stages);
        if (p.shared > SHARED_LIMIT || p.stageTaps * t.channels * t.units * 16 > (100 << 10)) {
          continue;
        }
        int steps = inRow * ELEMENT / 16 / t.units * up(p.taps, p.stageTaps);
        char name[100];
        snprintf(name, sizeof name, "u%d %dx%d/%dx%d taps %d stages %d (%d KB)", t.units, t.pixels, t.channels,
                 t.warpPixels, t.warpChannels, p.stageTaps, std::min(stages, steps + 1), p.shared >> 10);
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
          continue;
        }
        seen.push_back(name);
        if (packed) {
          CHECK(cudaFree(packed));
        }
        packed = device<element>(p.packedElements);
        pack_kernel<<<1024, 256>>>(weights, packed, s.inChannels, s.outChannels, inRow, outRow, s.kernel, s.kernel,
                                   s.stride, s.padding, s.transposed, t.channels, t.units * PACK);
        CHECK(cudaFuncSetAttribute((const void*)t.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, p.shared));
        Gather g = {in,        packed,   bias,          nullptr,        nullptr,      out,      s.images,    s.inHeight,
                    s.inWidth, inRow,    s.outHeight(), s.outWidth(),   outRow,       s.outChannels, s.kernel, s.kernel,
                    s.stride,  s.padding, s.transposed, 0,              p.slabRows,   p.slabs,  p.stageTaps, p.stages};
        auto launch = [&](int turn) {
          g.in = in + inPixels * inRow * (turn % turns);
          g.out = out + outPixels * outRow * (turn % turns);
          t.kernel<<<dim3(p.gridX, p.gridY, p.phases), t.threads(), p.shared, stream>>>(g);
        };
        CHECK(cudaMemset(out, 0xff, outPixels * outRow * ELEMENT));
        double us = microseconds(launch);
        compare<<<264, 256>>>(out, reference, outPixels * outRow, error);
        timings.push_back({us, name, relative_error(error)});
      }
    }
  }
  double flops = 2.0 * weightLength * (s.transposed ? inPixels : outPixels);
  report(what, timings, flops, (double)turnBytes);
  for (void* p : {(void*)in, (void*)out, (void*)weights, (void*)bias, (void*)error, (void*)packed,
                  (void*)reference}) {
    CHECK(cudaFree(p));
  }
}

static void bench_gradient(const Shape& original) {
  Shape s = original.transposed ? original.reversed() : original;
  int inRow = row_length(s.inChannels), outRow = row_length(s.outChannels);
  size_t inPixels = (size_t)s.images * s.inHeight * s.inWidth;
  size_t outPixels = (size_t)s.images * s.outHeight() * s.outWidth();
  size_t turnBytes = (inPixels * inRow + outPixels * outRow) * ELEMENT;
  int turns = (int)std::min<size_t>(LAUNCHES, std::max<size_t>(1, ROTATED_BYTES / turnBytes));
  element* gathered = maps(inPixels, s.inChannels, inRow, turns, 1);
  element* dense = maps(outPixels, s.outChannels, outRow, turns, 2);
  int length = s.kernel * s.kernel * s.inChannels * s.outChannels, taps = s.kernel * s.kernel;
  float *dw = device<float>(length), *db = device<float>(s.outChannels), *parts = device<float>(32u << 20);
  double* error = device<double>(2);
  float* reference = device<float>(length);
  reference_gradient<<<length, 128>>>(s, s.outHeight(), s.outWidth(), inRow, outRow, gathered, dense, reference);
  std::vector<Timing> timings;
  for (const GradientTile& t : GRADIENT_TILES) {
    int rowBlocks = up(taps * t.units * 16 / ELEMENT / 8, 2), inBlock = t.blocks * t.warps;
    if (inRow * ELEMENT % (t.units * 16) || outRow % t.channels || (outRow >= 32 && t.channels < 32) ||
        inBlock >= 2 * rowBlocks || (inBlock < rowBlocks && up(rowBlocks, inBlock) * inBlock > rowBlocks * 5 / 4)) {
      continue;
    }
    for (int stages : {2, 3}) {
      std::vector<int> seen;
      // Each number of blocks rounded up, and down.
      for (int variant = 0; variant < 10; variant++) {
        const int wanted = BLOCKS_WANTED[variant / 2];
        GradientPlan p(s, ELEMENT, t.units, t.channels, t.pixels, t.blocks, t.warps, t.pixelWarps, stages, wanted);
        const int tiles = p.gridY * p.gridZ;
        if (variant % 2 && p.parts > 1 && p.parts * tiles > wanted) {
          p.parts--;
        }
        if (p.shared > SHARED_LIMIT || (size_t)p.parts * p.partLength > (32u << 20) ||
            std::find(seen.begin(), seen.end(), p.parts) != seen.end()) {
          continue;
        }
        seen.push_back(p.parts);
        CHECK(cudaFuncSetAttribute((const void*)t.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, p.shared));
        WeightGradient g = {gathered,      dense,        parts,  s.images,      s.inHeight, s.inWidth, inRow,
                            s.inChannels,  s.outHeight(), s.outWidth(), outRow, s.outChannels, s.kernel, s.kernel,
                            s.stride,      s.padding,    !original.transposed, p.slabRows, p.stages, p.partLength};
        auto launch = [&](int turn) {
          g.gathered = gathered + inPixels * inRow * (turn % turns);
          g.dense = dense + outPixels * outRow * (turn % turns);
          t.kernel<<<dim3(p.parts, p.gridY, p.gridZ), t.threads(), p.shared, stream>>>(g);
          convolution_add_parts<<<up(p.partLength, 32), 256, 0, stream>>>(
              parts, p.parts, p.partLength, dw, length, original.transposed ? nullptr : db,
              original.transposed ? 0 : s.outChannels);
        };
        double us = microseconds(launch);
        CHECK(cudaMemset(dw, 0, length * 4));
        launch(0);
        CHECK(cudaStreamSynchronize(stream));
        compare<<<264, 256>>>(dw, reference, (size_t)length, error);
        char name[100];
        snprintf(name, sizeof name, "u%d n%d p%d %dx%d k%d stages %d parts %d (%d KB)", t.units, t.channels, t.pixels,
                 t.blocks, t.warps, t.pixelWarps, stages, p.parts, p.shared >> 10);
        timings.push_back({us, name, relative_error(error)});
      }
    }
  }
  report("weights", timings, 2.0 * length * outPixels, (double)turnBytes);
  for (void* p : {(void*)gathered, (void*)dense, (void*)dw, (void*)db, (void*)parts, (void*)error,
                  (void*)reference}) {
    CHECK(cudaFree(p));
  }
}

static void bench_product(const char* what, int images, int heads, int m, int n, int k, bool ta, bool tb) {
  auto kernel = ta ? (tb ? product_tt : product_tn) : tb ? product_nt : product_nn;
  size_t a = (size_t)images * heads * m * k, b = (size_t)images * heads * k * n, c = (size_t)images * heads * m * n;
  int turns = (int)std::min<size_t>(LAUNCHES, std::max<size_t>(1, ROTATED_BYTES / ((a + b + c) * ELEMENT)));
  element *left = maps(a / 8, 8, 8, turns, 3), *right = maps(b / 8, 8, 8, turns, 4), *out = device<element>(c * turns);
  int ac = ta ? m : k, bc = tb ? k : n;
  double us = microseconds([&](int turn) {
    int i = turn % turns;
    kernel<<<dim3(up(m, 64), up(n, 64), images * heads), 128, 0, stream>>>(
        left + a * i, (long long)heads * ac, (long long)heads * m * k, (long long)ac, ELEMENT == 4, 1, right + b * i,
        (long long)heads * bc, (long long)heads * k * n, (long long)bc, ELEMENT == 4, 1, out + c * i,
        (long long)heads * n, (long long)heads * m * n, (long long)n, ELEMENT == 4, 1, images, heads, m, n, k, 0, 1.0f, 0);
  });
  printf("%-40s %7.1f us %5.0f TFLOP/s\n", what, us, 2.0 * images * heads * m * n * k / us * 1e-6);
  for (void* p : {(void*)left, (void*)right, (void*)out}) {
    CHECK(cudaFree(p));
  }
}

static void bench_linear(int n, int in, int out) {
  float *x = device<float>(n * in), *w = device<float>(in * out), *b = device<float>(out), *y = device<float>(n * out);
  float *dx = device<float>(n * in), *dw = device<float>(in * out);
  constexpr int forwardBytes = 4 * linear::Forward::STAGE * sizeof(float);
  constexpr int backwardBytes = sizeof(float) * (4 * linear::InputGradient::STAGE > 2 * linear::WeightGradient::STAGE
                                                     ? 4 * linear::InputGradient::STAGE
                                                     : 2 * linear::WeightGradient::STAGE);
  CHECK(cudaFuncSetAttribute(linear::linear_forward, cudaFuncAttributeMaxDynamicSharedMemorySize, forwardBytes));
  CHECK(cudaFuncSetAttribute(linear::linear_gradient, cudaFuncAttributeMaxDynamicSharedMemorySize, backwardBytes));
  double forward = microseconds([&](int) {
    linear::linear_forward<<<dim3(up(out, 32), up(n, 8)), 256, forwardBytes, stream>>>(x, w, b, y, n, in, out);
  });
  int inputBlocks = up(n, 8) * up(in, 32), parameterBlocks = up(in, 32) * up(out, 32);
  double backward = microseconds([&](int) {
    linear::linear_gradient<<<inputBlocks + parameterBlocks, 256, backwardBytes, stream>>>(x, w, y, dx, dw, b, n, in, out,
                                                                                   inputBlocks);
  });
  printf("linear %d x %d x %d: forward %.1f us, gradients %.1f us\n", n, in, out, forward, backward);
  for (void* p : {(void*)x, (void*)w, (void*)b, (void*)y, (void*)dx, (void*)dw}) {
    CHECK(cudaFree(p));
  }
}

int main(int argc, char** argv) {
  CHECK(cudaStreamCreate(&stream));
  const int N = 128;
  const Shape shapes[] = {
      {N, 28, 28, 28, 28, 3, 1, 1, 1, false},     // 0: residual blocks of seed A's network
      {N, 28, 28, 32, 32, 3, 1, 1, 1, false},     // 1
      {N, 28, 28, 56, 28, 3, 1, 1, 1, false},     // 2
      {N, 14, 14, 56, 56, 3, 1, 1, 1, false},     // 3
      {N, 14, 14, 64, 64, 3, 1, 1, 1, false},     // 4
      {N, 14, 14, 112, 56, 3, 1, 1, 1, false},    // 5
      {N, 7, 7, 112, 112, 3, 1, 1, 1, false},     // 6
      {N, 7, 7, 128, 128, 3, 1, 1, 1, false},     // 7
      {N, 7, 7, 224, 112, 3, 1, 1, 1, false},     // 8
      {N, 28, 28, 28, 384, 1, 1, 0, 0, false},    // 9: queries, keys and values
      {N, 28, 28, 128, 28, 1, 1, 0, 0, false},    // 10
      {N, 14, 14, 56, 384, 1, 1, 0, 0, false},    // 11
      {N, 28, 28, 28, 1, 1, 1, 0, 0, false},      // 12: the last one
      {N, 28, 28, 1, 28, 7, 1, 3, 3, false},      // 13: the first one
      {N, 28, 28, 28, 56, 4, 2, 1, 1, false},     // 14: down
      {N, 14, 14, 56, 112, 4, 2, 1, 1, false},    // 15
      {N, 7, 7, 112, 56, 4, 2, 1, 1, true},       // 16: up
      {N, 14, 14, 56, 28, 4, 2, 1, 1, true},      // 17
      {N, 32, 32, 128, 128, 3, 1, 1, 1, false},   // 18: CIFAR's network
      {N, 16, 16, 256, 256, 3, 1, 1, 1, false},   // 19
      {N, 8, 8, 512, 256, 3, 1, 1, 1, false},     // 20
      {N, 32, 32, 128, 128, 3, 2, 0, 1, false},   // 21
      {N, 16, 16, 256, 256, 1, 1, 0, 0, false},   // 22
      {N, 32, 32, 3, 128, 3, 1, 1, 1, false},     // 23
      {N, 32, 32, 128, 3, 3, 1, 1, 1, false},     // 24
  };
  std::vector<int> wanted;
  for (int i = 1; i < argc; i++) {
    wanted.push_back(atoi(argv[i]));
  }
  printsAll = wanted.size() == 1;
  for (const Shape& s : shapes) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), shapeIndex) != wanted.end()) {
      printf("%d: %dx%d %d->%d kernel %d stride %d%s\n", shapeIndex, s.inHeight, s.inWidth, s.inChannels, s.outChannels,
             s.kernel, s.stride, s.transposed ? " transposed" : "");
      bench_gather("forward", s);
      if (s.inChannels > 3) {
        Shape reversed = s.reversed();
        bench_gather("data", reversed);
      }
      bench_gradient(s);
    }
    shapeIndex++;
  }
  if (wanted.empty()) {
    bench_product("q transposed(k), 16x16, a head of 256", N, 1, 256, 256, 256, false, true);
    bench_product("softmax v", N, 1, 256, 256, 256, false, false);
    bench_product("transposed(softmax) dy", N, 1, 256, 256, 256, true, false);
    bench_product("14x14, 4 heads of 32", N, 4, 196, 196, 32, false, true);
    bench_linear(N, 512, 512);
    bench_linear(N, 112, 112);
    bench_linear(N, 1024, 256);
  }
  return 0;
}
