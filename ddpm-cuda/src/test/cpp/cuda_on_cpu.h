// Runs CUDA C++ kernels on a CPU: one block after the other, every thread of a block a fiber.
//
//   #include "group_norm.cu"                       // includes common.cuh, which includes this
//   int main() {
//     std::vector<float> x(n), y(n);               // host memory is device memory
//     cuda_on_cpu::launch(group_norm_forward, dim3(blocks), dim3(256), sharedBytes,
//                         x.data(), y.data(), n);  // ends the program with a message on an error
//   }
//   g++ -std=c++17 -O2 -DDDPM_ON_CPU -Wno-unknown-pragmas -DELEMENT_FLOAT -I<main resources>/org/ddpm4j/cuda -I<src/test/cpp> t.cpp
// (with -g -fsanitize=address, and ASAN_OPTIONS=detect_leaks=0, to find accesses beyond buffers)
//
// Barriers, shuffles, votes, matrix units and asynchronous copies work as on a card. Found and
// reported: divergent barriers, shuffles from lanes that do not take part, misaligned 16-byte
// accesses, writing beyond the dynamic shared memory. Shared memory holds NaNs when a block begins,
// and so does the target of a cp_async_16 until it was waited for. Threads run from the first to
// the last in even blocks, and from the last to the first in odd ones, to find missing barriers.
// Where this is compiled with -DCUDA_WATCHED, each access to memory is looked at, too: see watch.cpp.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#if defined(CUDA_WATCHED)
#include "watch.h"
#endif

// ---------------------------------------------------------------------------- words of the language

#define __device__
#define __host__
// Kernels stay visible in a library that hides all else; EmulatedKernels finds them by these words.
#define __global__ __attribute__((used, visibility("default")))
#define __grid_constant__
#define __launch_bounds__(...)
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __constant__ static
// In a section of its own, so that it can be poisoned.
#define __shared__ static __attribute__((section("cuda_shared")))
#define __builtin_assume(condition) ((void)0)

#define CUDA_VECTOR_2(name, type, alignment)   \
  struct alignas(alignment) name##2 {          \
    type x, y;                                 \
  };                                           \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; }
#define CUDA_VECTOR_3(name, type) \
  struct name##3 {                \
    type x, y, z;                 \
  };                              \
  static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }
#define CUDA_VECTOR_4(name, type, alignment)   \
  struct alignas(alignment) name##4 {          \
    type x, y, z, w;                           \
  };                                           \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
#define CUDA_VECTORS(name, type, bytes) \
  CUDA_VECTOR_2(name, type, 2 * bytes)  \
  CUDA_VECTOR_3(name, type)             \
  CUDA_VECTOR_4(name, type, (4 * bytes > 16 ? 16 : 4 * bytes))

CUDA_VECTORS(char, signed char, 1)
CUDA_VECTORS(uchar, unsigned char, 1)
CUDA_VECTORS(short, short, 2)
CUDA_VECTORS(ushort, unsigned short, 2)
CUDA_VECTORS(int, int, 4)
CUDA_VECTORS(uint, unsigned, 4)
CUDA_VECTORS(float, float, 4)
CUDA_VECTORS(longlong, long long, 8)
CUDA_VECTORS(ulonglong, unsigned long long, 8)
CUDA_VECTORS(double, double, 8)

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

static uint3 threadIdx;
static uint3 blockIdx;
static dim3 blockDim;
static dim3 gridDim;
constexpr int warpSize = 32;

// What the linker knows of the shared memory of this library.
extern "C" {
extern char __start_cuda_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_cuda_shared[] __attribute__((weak, visibility("hidden")));
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
}

// What is done for watch.cpp alone.
#if defined(CUDA_WATCHED)
#define WATCHED(statement) statement
#else
#define WATCHED(statement) ((void)0)
#endif

namespace cuda_on_cpu {

constexpr int LARGEST_BLOCK = 1024;
constexpr int LANES = 32;
constexpr int STACK_BYTES = 256 * 1024;
constexpr size_t SHARED_BYTES = 227 * 1024;
constexpr size_t CANARY_BYTES = 256;
constexpr size_t GUARD_BYTES = 1 << 24;
constexpr unsigned char POISON = 0xff;  // of which floats of every type are NaN

// ---------------------------------------------------------------------------- fibers

#if defined(__x86_64__)
typedef void* Fiber;  // its stack pointer; all else lies on the stack

// Saves what a function must preserve, goes over to another stack, and restores it there.
__attribute__((naked, noinline, noclone, noipa, used)) static void switch_fiber(
    Fiber* /*rdi: from*/, Fiber* /*rsi: to*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp, (%rdi)\n"
      "movq (%rsi), %rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n"
      "ret\n");
}

static void make_fiber(Fiber& fiber, char* stack, size_t bytes, void (*body)()) {
  void** top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(stack) + bytes) & ~uintptr_t(15));
  *--top = nullptr;                            // no one to return to
  *--top = reinterpret_cast<void*>(body);      // where switch_fiber returns to
  for (int i = 0; i < 6; i++) *--top = nullptr;  // the registers
  fiber = top;
}
#else
typedef ucontext_t Fiber;

__attribute__((noinline, noclone, noipa)) static void switch_fiber(Fiber* from, Fiber* to) {
  swapcontext(from, to);
}

static void make_fiber(Fiber& fiber, char* stack, size_t bytes, void (*body)()) {
  getcontext(&fiber);
  fiber.uc_stack.ss_sp = stack;
  fiber.uc_stack.ss_size = bytes;
  fiber.uc_link = nullptr;
  makecontext(&fiber, body, 0);
}
#endif

// ---------------------------------------------------------------------------- a block

// Computes what an operation of the whole warp gives, from and to the operands of its lanes.
typedef void (*Operation)(void** operands, unsigned lanes);

struct Warp {
  unsigned alive;     // lanes that have not returned
  unsigned runnable;  // of those, the ones that wait for nothing
  unsigned arrived;   // at an operation of the warp
  unsigned masks[LANES];
  void* operands[LANES];
  Operation operations[LANES];
};

struct Copy {
  void* to;
  const void* from;
  bool valid;
};

// Asynchronous copies of a thread: `ends` are where groups end among them.
struct Copies {
  std::vector<Copy> copies;
  std::vector<size_t> ends;
};

struct Machine {
  Fiber caller;
  Fiber fibers[LARGEST_BLOCK];
  bool begun[LARGEST_BLOCK];
  uint3 indices[LARGEST_BLOCK];
  Warp warps[LARGEST_BLOCK / LANES];
  Copies copies[LARGEST_BLOCK];
  char* stacks;
  char* shared;
  size_t sharedBytes;
  int current;
  int threads;
  int alive;
  int waiting;  // at the barrier of the block
  int votes;
  int result;  // of the votes of the last barrier
  bool backward;
  void (*invoke)(void* kernel, void** arguments);
  void* kernel;
  void** arguments;
  bool failed;
  char message[2000];
};

static Machine machine;

__attribute__((noreturn)) static void leave() {
  Fiber ignored;
  switch_fiber(&ignored, &machine.caller);
  abort();
}

// Ends the launch with a message.
__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char* format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  snprintf(machine.message, sizeof machine.message,
           "block (%u,%u,%u), thread (%u,%u,%u) of (%u,%u,%u): %s", blockIdx.x, blockIdx.y,
           blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z, blockDim.x, blockDim.y, blockDim.z,
           text);
  machine.failed = true;
  leave();
}

// The thread to go on after the current one, or -1.
static int next_runnable() {
  int warps = (machine.threads + LANES - 1) / LANES;
  int warp = machine.current / LANES;
  int lane = machine.current % LANES;
  unsigned here = machine.warps[warp].runnable;
  unsigned later = machine.backward ? here & ((1u << lane) - 1) : here & ~((2u << lane) - 1);
  for (int k = 0; k <= warps; k++) {
    unsigned candidates = k == 0 ? later : machine.warps[warp].runnable;
    if (candidates) {
      int next = machine.backward ? 31 - __builtin_clz(candidates) : __builtin_ctz(candidates);
      return warp * LANES + next;
    }
    // First the other lanes of this warp, from its beginning, then the other warps.
    if (k > 0 || here == 0) warp = (warp + (machine.backward ? warps - 1 : 1)) % warps;
  }
  return -1;
}

static void report_deadlock() {
  int barrier = machine.waiting;
  char text[800];
  int length = snprintf(text, sizeof text,
                        "threads wait for ones that never come: %d of %d that still run are at "
                        "__syncthreads",
                        barrier, machine.alive);
  for (int w = 0; w * LANES < machine.threads && length < 700; w++) {
    Warp& warp = machine.warps[w];
    if (warp.arrived) {
      unsigned mask = warp.masks[__builtin_ctz(warp.arrived)];
      length += snprintf(text + length, sizeof text - length,
                         "; of warp %d lanes %08x are at an operation of lanes %08x, %08x have "
                         "not returned",
                         w, warp.arrived, mask, warp.alive);
    }
  }
  fail("%s.", text);
}

static void run_threads();

static void make_current(int thread) {
  machine.current = thread;
  WATCHED(watch.thread = thread);
  threadIdx = machine.indices[thread];
}

// A thread that begins while others wait has a stack of its own.
static void begin(int thread) {
  char* stack = machine.stacks + size_t(thread) * STACK_BYTES;
  machine.begun[thread] = true;
  // Tops differ in the lower bits of their addresses, for the sake of the caches.
  make_fiber(machine.fibers[thread], stack, STACK_BYTES - thread % 64 * 192, run_threads);
}

static void go_on_with(int next) {
  int previous = machine.current;
  make_current(next);
  if (!machine.begun[next]) begin(next);
  switch_fiber(&machine.fibers[previous], &machine.fibers[next]);
}

// Lets others run until somebody makes this thread runnable.
static void wait() {
  int next = next_runnable();
  if (next < 0) report_deadlock();
  go_on_with(next);
}

static void release_block() {
  WATCHED(watch_barrier());
  machine.result = machine.votes;
  machine.votes = 0;
  machine.waiting = 0;
  for (int w = 0; w * LANES < machine.threads; w++) {
    Warp& warp = machine.warps[w];
    warp.runnable = warp.alive & ~warp.arrived;
  }
}

// The barrier of the block; returns how many votes were not 0.
static int block_barrier(int vote) {
  Warp& warp = machine.warps[machine.current / LANES];
  warp.runnable &= ~(1u << machine.current % LANES);
  machine.votes += vote != 0;
  if (++machine.waiting == machine.alive) {
    release_block();
  } else {
    wait();
  }
  return machine.result;
}

// An operation of the lanes of `mask`: the last to arrive computes it for all.
static void warp_operation(unsigned mask, void* operands, Operation operation) {
  int w = machine.current / LANES;
  int lane = machine.current % LANES;
  Warp& warp = machine.warps[w];
  int lanes = std::min(LANES, machine.threads - w * LANES);
  if (lanes < LANES) mask &= (1u << lanes) - 1;
  if (!(mask >> lane & 1)) fail("lane %d calls an operation of lanes %08x.", lane, mask);
  warp.masks[lane] = mask;
  warp.operands[lane] = operands;
  warp.operations[lane] = operation;
  warp.arrived |= 1u << lane;
  warp.runnable &= ~(1u << lane);
  if ((warp.arrived & mask) != mask) {
    wait();
    return;
  }
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    int other = __builtin_ctz(rest);
    if (warp.masks[other] != mask || warp.operations[other] != operation) {
      fail("lanes %d and %d meet at different operations of their warp.", lane, other);
    }
  }
  if (operation) {
    operation(warp.operands, mask);
  } else if ((mask & warp.alive) == warp.alive) {
    WATCHED(watch_warp_barrier(w));
  }
  warp.arrived &= ~mask;
  warp.runnable |= mask;
}

// A thread, and after it those that begin when it has returned: on its stack, which is in the cache.
static void run_threads() {
  while (true) {
    machine.invoke(machine.kernel, machine.arguments);
    Warp& warp = machine.warps[machine.current / LANES];
    unsigned lane = 1u << machine.current % LANES;
    warp.alive &= ~lane;
    warp.runnable &= ~lane;
    machine.alive--;
    if (machine.alive == 0) leave();
    if (machine.waiting == machine.alive) release_block();
    int next = next_runnable();
    if (next < 0) report_deadlock();
    if (machine.begun[next]) {
      go_on_with(next);
      abort();
    }
    make_current(next);
    machine.begun[next] = true;
  }
}

// Memory between addresses that nobody may touch.
static char* reserve(size_t bytes) {
  size_t whole = (bytes + 4095) / 4096 * 4096;
  void* memory = mmap(nullptr, whole + 2 * GUARD_BYTES, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char* begin = static_cast<char*>(memory) + GUARD_BYTES;
  if (memory == MAP_FAILED || mprotect(begin, whole, PROT_READ | PROT_WRITE) != 0) {
    fprintf(stderr, "cuda_on_cpu: no memory for %zu bytes.\n", bytes);
    abort();
  }
  return begin;
}

static void prepare_threads() {
  for (int t = 0; t < machine.threads; t++) {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(machine.stacks + size_t(t) * STACK_BYTES, STACK_BYTES);
#endif
    machine.begun[t] = false;
    machine.copies[t].copies.clear();
    machine.copies[t].ends.clear();
  }
  for (int w = 0; w * LANES < machine.threads; w++) {
    int lanes = std::min(LANES, machine.threads - w * LANES);
    Warp& warp = machine.warps[w];
    warp.alive = warp.runnable = lanes == LANES ? ~0u : (1u << lanes) - 1;
    warp.arrived = 0;
  }
  machine.alive = machine.threads;
  machine.waiting = 0;
  machine.votes = 0;
}

static void run_block() {
  memset(__start_cuda_shared, POISON, __stop_cuda_shared - __start_cuda_shared);
  memset(machine.shared, POISON, machine.sharedBytes + CANARY_BYTES);
  prepare_threads();
  machine.backward = (blockIdx.x + blockIdx.y + blockIdx.z) % 2 == 1;
  make_current(machine.backward ? machine.threads - 1 : 0);
  begin(machine.current);
  WATCHED(watch_block());
  WATCHED(watch.active = true);
  switch_fiber(&machine.caller, &machine.fibers[machine.current]);
  WATCHED(watch.active = false);
  if (machine.failed) return;
  for (size_t i = 0; i < CANARY_BYTES; i++) {
    if ((unsigned char)machine.shared[machine.sharedBytes + i] != POISON) {
      snprintf(machine.message, sizeof machine.message,
               "block (%u,%u,%u) wrote beyond its %zu bytes of dynamic shared memory.", blockIdx.x,
               blockIdx.y, blockIdx.z, machine.sharedBytes);
      machine.failed = true;
      return;
    }
  }
}

static void run_grid(dim3 grid, dim3 block, size_t sharedBytes) {
  if (machine.stacks == nullptr) {
    machine.stacks = reserve(size_t(LARGEST_BLOCK) * STACK_BYTES);
    machine.shared = reserve(SHARED_BYTES + CANARY_BYTES);
  }
  machine.failed = false;
  machine.threads = block.x * block.y * block.z;
  machine.sharedBytes = sharedBytes;
  size_t fixed = __stop_cuda_shared - __start_cuda_shared;
  if (machine.threads < 1 || machine.threads > LARGEST_BLOCK || sharedBytes > SHARED_BYTES ||
      grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 || grid.z > 65535) {
    snprintf(machine.message, sizeof machine.message,
             "No card launches (%u,%u,%u) blocks of (%u,%u,%u) threads with %zu bytes of dynamic "
             "shared memory (all kernels of the file have %zu bytes of static one).",
             grid.x, grid.y, grid.z, block.x, block.y, block.z, sharedBytes, fixed);
    machine.failed = true;
    return;
  }
  gridDim = grid;
  blockDim = block;
#if defined(CUDA_WATCHED)
  watch.dynamicBegin = reinterpret_cast<uintptr_t>(machine.shared);
  watch.dynamicEnd = watch.dynamicBegin + sharedBytes;
  watch.staticBegin = reinterpret_cast<uintptr_t>(__start_cuda_shared);
  watch.staticEnd = reinterpret_cast<uintptr_t>(__stop_cuda_shared);
  watch.libraryBegin = reinterpret_cast<uintptr_t>(__ehdr_start);
  watch.report = [](const char* message) { fail("%s", message); };
  watch_launch();
#endif
  for (int t = 0; t < machine.threads; t++) {
    machine.indices[t] = {t % block.x, t / block.x % block.y, t / block.x / block.y};
  }
  for (unsigned z = 0; z < grid.z; z++) {
    for (unsigned y = 0; y < grid.y; y++) {
      for (unsigned x = 0; x < grid.x; x++) {
        blockIdx = {x, y, z};
        run_block();
        if (machine.failed) return;
      }
    }
  }
}

// ---------------------------------------------------------------------------- launching

template <typename... A, size_t... I>
static void invoke_with(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_reference_t<A>*>(arguments[I])...);
}

template <typename... A>
static void invoke(void* kernel, void** arguments) {
  invoke_with(reinterpret_cast<void (*)(A...)>(kernel), arguments,
              std::index_sequence_for<A...>{});
}

// Launches as cuLaunchKernel does, with a pointer to each argument; returns null or what was wrong.
template <typename... A>
static const char* launch_with_pointers(void (*kernel)(A...), dim3 grid, dim3 block,
                                        size_t sharedBytes, void** arguments) {
  machine.invoke = invoke<A...>;
  machine.kernel = reinterpret_cast<void*>(kernel);
  machine.arguments = arguments;
  run_grid(grid, block, sharedBytes);
  return machine.failed ? machine.message : nullptr;
}

template <typename T>
constexpr char kind_of() {
  if (std::is_pointer<T>::value) return 'p';
  if (std::is_same<T, float>::value) return 'f';
  if (std::is_same<T, double>::value) return 'd';
  if (std::is_integral<T>::value && sizeof(T) == 8) return 'l';
  if (std::is_integral<T>::value) return 'i';
  return '?';
}

// A letter for each parameter: pointer, float, double, long or int.
template <typename... A>
static const char* signature(void (*)(A...)) {
  static const char kinds[] = {kind_of<std::remove_cv_t<A>>()..., 0};
  return kinds;
}

// A launch with checked arguments, for programs; ends them on an error.
template <typename... A, typename... B>
static void launch(void (*kernel)(A...), dim3 grid, dim3 block, size_t sharedBytes, B... arguments) {
  static_assert(sizeof...(A) == sizeof...(B), "as many arguments as parameters");
  struct Values {
    void* pointers[sizeof...(A) + 1];
  };
  auto run = [&](std::remove_cv_t<A>... values) {
    Values pointers = {{const_cast<void*>(static_cast<const void*>(&values))..., nullptr}};
    return launch_with_pointers(kernel, grid, block, sharedBytes, pointers.pointers);
  };
  const char* message = run(arguments...);
  if (message) {
    fprintf(stderr, "cuda_on_cpu: %s\n", message);
    exit(1);
  }
}

static inline void* dynamic_shared_memory() { return machine.shared; }

static inline void check_alignment(const void* address, const char* what) {
  if (reinterpret_cast<uintptr_t>(address) % 16) {
    fail("%s at an address that is no multiple of 16: %p.", what, address);
  }
}

// ---------------------------------------------------------------------------- warps

template <typename T>
struct Shuffle {
  T value;
  int source;
  T result;
};

template <typename T>
static void shuffle(void** operands, unsigned lanes) {
  for (unsigned rest = lanes; rest; rest &= rest - 1) {
    int lane = __builtin_ctz(rest);
    auto* to = static_cast<Shuffle<T>*>(operands[lane]);
    if (!(lanes >> to->source & 1)) {
      fail("lane %d shuffles from lane %d, which is not among %08x.", lane, to->source, lanes);
    }
    to->result = static_cast<Shuffle<T>*>(operands[to->source])->value;
  }
}

template <typename T>
static T shuffle_from(unsigned mask, T value, int source) {
  Shuffle<T> operand = {value, source, value};
  warp_operation(mask, &operand, shuffle<T>);
  return operand.result;
}

static inline int lane() { return machine.current % LANES; }

struct Vote {
  unsigned value;
  unsigned result;
};

template <typename Combine>
static unsigned vote(unsigned mask, unsigned value, Combine) {
  Vote operand = {value, 0};
  warp_operation(mask, &operand, [](void** operands, unsigned lanes) {
    unsigned result = 0;
    bool first = true;
    for (unsigned rest = lanes; rest; rest &= rest - 1) {
      int lane = __builtin_ctz(rest);
      unsigned value = static_cast<Vote*>(operands[lane])->value;
      result = Combine::of(first, result, value, lane);
      first = false;
    }
    for (unsigned rest = lanes; rest; rest &= rest - 1) {
      static_cast<Vote*>(operands[__builtin_ctz(rest)])->result = result;
    }
  });
  return operand.result;
}

struct Ballot {
  static unsigned of(bool, unsigned a, unsigned b, int lane) { return a | (b != 0) << lane; }
};
struct Add {
  static unsigned of(bool, unsigned a, unsigned b, int) { return a + b; }
};
struct Or {
  static unsigned of(bool, unsigned a, unsigned b, int) { return a | b; }
};
struct And {
  static unsigned of(bool first, unsigned a, unsigned b, int) { return first ? b : a & b; }
};
struct LargerInt {
  static unsigned of(bool first, unsigned a, unsigned b, int) {
    return first || (int)b > (int)a ? b : a;
  }
};

// ---------------------------------------------------------------------------- matrix units

static inline float lower_bfloat16(unsigned word) {
  unsigned bits = word << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline float upper_bfloat16(unsigned word) {
  unsigned bits = word & 0xffff0000u;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline float tf32(unsigned word) {
  unsigned bits = word & 0xffffe000u;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

struct Product {
  float* d;
  const unsigned* a;
  const unsigned* b;
};

// D += A B of 16 x K and K x 8 from matrices to the lanes' registers.
template <int K>
static void multiply(void** operands, const float (&a)[16][K], const float (&b)[K][8]) {
  for (int row = 0; row < 16; row++) {
    float sums[8] = {};
    for (int k = 0; k < K; k++) {
      for (int column = 0; column < 8; column++) sums[column] += a[row][k] * b[k][column];
    }
    for (int t = 0; t < 4; t++) {
      float* d = static_cast<Product*>(operands[row % 8 * 4 + t])->d + row / 8 * 2;
      d[0] += sums[2 * t];
      d[1] += sums[2 * t + 1];
    }
  }
}

static void multiply_bf16(void** operands, unsigned) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < LANES; lane++) {
    auto* product = static_cast<Product*>(operands[lane]);
    int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; i++) {
      int row = g + i % 2 * 8, k = 2 * t + i / 2 * 8;
      a[row][k] = lower_bfloat16(product->a[i]);
      a[row][k + 1] = upper_bfloat16(product->a[i]);
    }
    for (int i = 0; i < 2; i++) {
      int k = 2 * t + i * 8;
      b[k][g] = lower_bfloat16(product->b[i]);
      b[k + 1][g] = upper_bfloat16(product->b[i]);
    }
  }
  multiply<16>(operands, a, b);
}

static void multiply_tf32(void** operands, unsigned) {
  float a[16][8], b[8][8];
  for (int lane = 0; lane < LANES; lane++) {
    auto* product = static_cast<Product*>(operands[lane]);
    int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; i++) a[g + i % 2 * 8][t + i / 2 * 4] = tf32(product->a[i]);
    for (int i = 0; i < 2; i++) b[t + i * 4][g] = tf32(product->b[i]);
  }
  multiply<8>(operands, a, b);
}

struct Matrices {
  const void* row;
  unsigned* registers;
};

template <int COUNT, bool TRANSPOSED>
__attribute__((no_sanitize("thread"))) static void load_matrices(void** operands, unsigned) {
  for (int i = 0; i < COUNT; i++) {
    unsigned short m[8][8];
    for (int row = 0; row < 8; row++) {
      memcpy(m[row], static_cast<Matrices*>(operands[8 * i + row])->row, 16);
    }
    for (int lane = 0; lane < LANES; lane++) {
      int g = lane / 4, t = lane % 4 * 2;
      unsigned first = TRANSPOSED ? m[t][g] : m[g][t];
      unsigned second = TRANSPOSED ? m[t + 1][g] : m[g][t + 1];
      static_cast<Matrices*>(operands[lane])->registers[i] = first | second << 16;
    }
  }
}

template <int COUNT, bool TRANSPOSED>
static void load_matrix(unsigned* registers, const void* row) {
  if (lane() < 8 * COUNT) {
    check_alignment(row, "ldmatrix");
    WATCHED(watch_access(row, 16, false));
  }
  Matrices operand = {row, registers};
  warp_operation(~0u, &operand, load_matrices<COUNT, TRANSPOSED>);
}

}  // namespace cuda_on_cpu

// ---------------------------------------------------------------------------- what kernels call

static inline void __syncthreads() { cuda_on_cpu::block_barrier(0); }
static inline int __syncthreads_count(int p) { return cuda_on_cpu::block_barrier(p); }
static inline int __syncthreads_or(int p) { return cuda_on_cpu::block_barrier(p) != 0; }
static inline int __syncthreads_and(int p) { return cuda_on_cpu::block_barrier(!p) == 0; }
static inline void __syncwarp(unsigned mask = ~0u) {
  cuda_on_cpu::warp_operation(mask, nullptr, nullptr);
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}
static inline void __nanosleep(unsigned) {}
static inline void __trap() { cuda_on_cpu::fail("__trap()"); }

template <typename T>
static inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int first = cuda_on_cpu::lane() & ~(width - 1);
  return cuda_on_cpu::shuffle_from(mask, value, first + (source & (width - 1)));
}
template <typename T>
static inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  int self = cuda_on_cpu::lane(), first = self & ~(width - 1), source = self ^ lanes;
  return cuda_on_cpu::shuffle_from(mask, value, source < first + width ? source : self);
}
template <typename T>
static inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int self = cuda_on_cpu::lane(), first = self & ~(width - 1), source = self + (int)delta;
  return cuda_on_cpu::shuffle_from(mask, value, source < first + width ? source : self);
}
template <typename T>
static inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int self = cuda_on_cpu::lane(), first = self & ~(width - 1), source = self - (int)delta;
  return cuda_on_cpu::shuffle_from(mask, value, source >= first ? source : self);
}
static inline unsigned __ballot_sync(unsigned mask, int p) {
  return cuda_on_cpu::vote(mask, p, cuda_on_cpu::Ballot());
}
static inline int __any_sync(unsigned mask, int p) { return __ballot_sync(mask, p) != 0; }
static inline int __all_sync(unsigned mask, int p) { return __ballot_sync(mask, !p) == 0; }
static inline unsigned __reduce_add_sync(unsigned mask, unsigned x) {
  return cuda_on_cpu::vote(mask, x, cuda_on_cpu::Add());
}
static inline unsigned __reduce_or_sync(unsigned mask, unsigned x) {
  return cuda_on_cpu::vote(mask, x, cuda_on_cpu::Or());
}
static inline unsigned __reduce_and_sync(unsigned mask, unsigned x) {
  return cuda_on_cpu::vote(mask, x, cuda_on_cpu::And());
}
static inline int __reduce_max_sync(unsigned mask, int x) {
  return (int)cuda_on_cpu::vote(mask, (unsigned)x, cuda_on_cpu::LargerInt());
}

static inline void mma_bf16_16816(float d[4], const unsigned a[4], const unsigned b[2]) {
  cuda_on_cpu::Product operand = {d, a, b};
  cuda_on_cpu::warp_operation(~0u, &operand, cuda_on_cpu::multiply_bf16);
}
static inline void mma_tf32_1688(float d[4], const unsigned a[4], const unsigned b[2]) {
  cuda_on_cpu::Product operand = {d, a, b};
  cuda_on_cpu::warp_operation(~0u, &operand, cuda_on_cpu::multiply_tf32);
}
static inline void ldmatrix_x4(unsigned r[4], const void* shared) {
  cuda_on_cpu::load_matrix<4, false>(r, shared);
}
static inline void ldmatrix_x4_trans(unsigned r[4], const void* shared) {
  cuda_on_cpu::load_matrix<4, true>(r, shared);
}
static inline void ldmatrix_x2(unsigned r[2], const void* shared) {
  cuda_on_cpu::load_matrix<2, false>(r, shared);
}
static inline void ldmatrix_x2_trans(unsigned r[2], const void* shared) {
  cuda_on_cpu::load_matrix<2, true>(r, shared);
}

static inline void cp_async_16(void* shared, const void* global, bool valid) {
  cuda_on_cpu::check_alignment(shared, "cp_async_16 to shared memory");
  if (valid) cuda_on_cpu::check_alignment(global, "cp_async_16 from global memory");
  WATCHED(watch_access(shared, 16, true));
  memset(shared, cuda_on_cpu::POISON, 16);
  cuda_on_cpu::machine.copies[cuda_on_cpu::machine.current].copies.push_back(
      {shared, global, valid});
}
static inline void cp_async_commit() {
  cuda_on_cpu::Copies& c = cuda_on_cpu::machine.copies[cuda_on_cpu::machine.current];
  c.ends.push_back(c.copies.size());
}
template <int N>
static inline void cp_async_wait() {
  cuda_on_cpu::Copies& c = cuda_on_cpu::machine.copies[cuda_on_cpu::machine.current];
  if ((int)c.ends.size() <= N) return;
  size_t groups = c.ends.size() - N;
  size_t done = c.ends[groups - 1];
  for (size_t i = 0; i < done; i++) {
    WATCHED(watch_access(c.copies[i].to, 16, true));
    if (c.copies[i].valid) {
      WATCHED(watch_access(c.copies[i].from, 16, false));
      memcpy(c.copies[i].to, c.copies[i].from, 16);
    } else {
      memset(c.copies[i].to, 0, 16);
    }
  }
  c.copies.erase(c.copies.begin(), c.copies.begin() + done);
  c.ends.erase(c.ends.begin(), c.ends.begin() + groups);
  for (size_t& end : c.ends) end -= done;
}

template <typename T>
static inline T atomicAdd(T* address, std::common_type_t<T> value) {
  T old = *address;
  *address = old + value;
  return old;
}
template <typename T>
static inline T atomicMax(T* address, std::common_type_t<T> value) {
  T old = *address;
  *address = old > value ? old : value;
  return old;
}
template <typename T>
static inline T atomicExch(T* address, std::common_type_t<T> value) {
  T old = *address;
  *address = value;
  return old;
}
template <typename T>
static inline T atomicCAS(T* address, std::common_type_t<T> expected, std::common_type_t<T> value) {
  T old = *address;
  if (old == expected) *address = value;
  return old;
}
static inline unsigned atomicInc(unsigned* address, unsigned limit) {
  unsigned old = *address;
  *address = old >= limit ? 0 : old + 1;
  return old;
}

template <typename T>
static inline T __ldg(const T* p) { return *p; }
template <typename T>
static inline T __ldcs(const T* p) { return *p; }
template <typename T>
static inline T __ldcg(const T* p) { return *p; }
template <typename T>
static inline T __ldca(const T* p) { return *p; }
template <typename T>
static inline void __stcs(T* p, T value) { *p = value; }
template <typename T>
static inline void __stcg(T* p, T value) { *p = value; }

namespace cuda_on_cpu {
template <typename To, typename From>
static inline To bits_of(From from) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
}  // namespace cuda_on_cpu

static inline float __uint_as_float(unsigned x) { return cuda_on_cpu::bits_of<float>(x); }
static inline float __int_as_float(int x) { return cuda_on_cpu::bits_of<float>(x); }
static inline unsigned __float_as_uint(float x) { return cuda_on_cpu::bits_of<unsigned>(x); }
static inline int __float_as_int(float x) { return cuda_on_cpu::bits_of<int>(x); }
static inline long long __double_as_longlong(double x) {
  return cuda_on_cpu::bits_of<long long>(x);
}
static inline double __longlong_as_double(long long x) { return cuda_on_cpu::bits_of<double>(x); }

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)((unsigned long long)a * b >> 32);
}
static inline int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
static inline int __mul24(int a, int b) { return a * b; }

// By macros, for the C library has functions of these names.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
static inline float __fdividef(float x, float y) { return x / y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __frcp_rn(float x) { return 1.0f / x; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __frsqrt_rn(float x) { return (float)(1.0 / std::sqrt((double)x)); }
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fsub_rn(float x, float y) { return x - y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline float __saturatef(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static inline float rsqrtf(float x) { return (float)(1.0 / std::sqrt((double)x)); }
static inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
static inline float normcdff(float x) { return 0.5f * erfcf(-0.70710678118654752f * x); }
static inline int __float2int_rn(float x) { return (int)nearbyintf(x); }
static inline int __float2int_rd(float x) { return (int)floorf(x); }
static inline int __float2int_ru(float x) { return (int)ceilf(x); }
static inline int __float2int_rz(float x) { return (int)x; }
static inline float __int2float_rn(int x) { return (float)x; }
static inline float __uint2float_rn(unsigned x) { return (float)x; }
using std::isfinite;
using std::isinf;
using std::isnan;

template <typename A, typename B>
static constexpr std::common_type_t<A, B> min(A a, B b) {
  typedef std::common_type_t<A, B> T;
  return (T)a < (T)b ? (T)a : (T)b;
}
template <typename A, typename B>
static constexpr std::common_type_t<A, B> max(A a, B b) {
  typedef std::common_type_t<A, B> T;
  return (T)a > (T)b ? (T)a : (T)b;
}
