// What looks at every access to memory of kernels that run on a CPU, where EmulatedKernels compiles
// them to be watched: the compiler calls __tsan_* before each access, and __ubsan_* where what it
// assumes does not hold. It is linked into the library of the kernels instead of the runtimes of
// these sanitizers, which know nothing of blocks, warps and barriers.
//
// A race is found whatever the order in which threads ran: two threads of a block access the same two bytes,
// one of them at least writes, and between them lies neither a barrier of the block nor, if both are
// of one warp, one of the warp. Shuffles, votes, matrix units and loads of matrices are no barriers:
// CUDA promises no order of accesses by them. Threads of different blocks may not at all access what
// one of them writes.
#include "watch.h"

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#include <vector>

Watch watch;

namespace {

constexpr uintptr_t GRANULE = 2;  // a bfloat16
constexpr uintptr_t PAGE = 4096;
constexpr size_t MOST_PAGES = 256;
constexpr int LANES = 32;

// What is known of two bytes. Epochs count barriers of blocks, over all blocks and launches.
struct Cell {
  uint32_t writeEpoch;
  uint32_t writeWarpEpoch;
  uint32_t readEpoch;
  uint32_t readWarpEpoch;
  uint32_t firstReadEpoch;  // the first one of the last launch that read it
  uint32_t lanes;           // that read it in the last epoch of their warp
  uint16_t writer;
  uint8_t readWarp;
  uint8_t readByMore;  // warps, in readEpoch
  uint32_t writePlace;
  uint32_t readPlace;
};

struct Page {
  Cell cells[PAGE / GRANULE];
};

std::unordered_map<uintptr_t, Page*> pages;
uintptr_t lastNumber;
Page* lastPage;
uint32_t epoch = 1, launchEpoch = 1, blockEpoch = 1;
uint32_t warpEpochs[LANES];
char text[1000];

__attribute__((format(printf, 1, 2))) void report(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  watch.active = false;
  watch.report(text);
}

Page* page_of(uintptr_t address) {
  uintptr_t number = address / PAGE;
  if (number != lastNumber || !lastPage) {
    Page*& page = pages[number];
    if (!page) page = new Page();
    lastNumber = number;
    lastPage = page;
  }
  return lastPage;
}

bool is_shared(uintptr_t address) {
  return (address >= watch.dynamicBegin && address < watch.dynamicEnd) ||
         (address >= watch.staticBegin && address < watch.staticEnd);
}

uint32_t place_of(void* caller) { return (uint32_t)((uintptr_t)caller - watch.libraryBegin); }

void race(uintptr_t address, const char* now, void* caller, const char* before, uint32_t place, int thread) {
  char other[60] = "a thread of another block";
  if (thread >= 0) snprintf(other, sizeof other, "thread %d without a barrier between them", thread);
  report("%s %s memory at %p that %s %s (+0x%x and +0x%x).", now, is_shared(address) ? "shared" : "global",
         (void*)address, other, before, place_of(caller), place);
}

void look(uintptr_t begin, size_t bytes, bool shared, bool writes, void* caller) {
  // Other blocks have other shared memory.
  const uint32_t others = shared ? blockEpoch : launchEpoch;
  const int thread = watch.thread, warp = thread / LANES;
  const uint32_t lane = 1u << thread % LANES, warpEpoch = warpEpochs[warp];
  for (uintptr_t address = begin & ~(GRANULE - 1); address < begin + bytes; address += GRANULE) {
    Cell& cell = page_of(address)->cells[address % PAGE / GRANULE];
    // Written before?
    if (cell.writeEpoch >= others) {
      if (cell.writeEpoch < blockEpoch) {
        race(address, writes ? "writes" : "reads", caller, "wrote", cell.writePlace, -1);
        return;
      }
      bool later = cell.writer / LANES == warp && cell.writeWarpEpoch < warpEpoch;
      if (cell.writeEpoch == epoch && cell.writer != thread && !later) {
        race(address, writes ? "writes" : "reads", caller, "wrote", cell.writePlace, cell.writer);
        return;
      }
    }
    if (writes) {
      // Read before?
      if (cell.firstReadEpoch >= others && cell.firstReadEpoch < blockEpoch) {
        race(address, "writes", caller, "read", cell.readPlace, -1);
        return;
      }
      if (cell.readEpoch == epoch &&
          (cell.readByMore || cell.readWarp != warp ||
           (cell.readWarpEpoch == warpEpoch && (cell.lanes & ~lane)))) {
        int reader = cell.readWarp * LANES + (cell.lanes & ~lane ? __builtin_ctz(cell.lanes & ~lane) : 0);
        race(address, "writes", caller, "read", cell.readPlace, reader);
        return;
      }
      cell.writeEpoch = epoch;
      cell.writeWarpEpoch = warpEpoch;
      cell.writer = (uint16_t)thread;
      cell.writePlace = place_of(caller);
      continue;
    }
    if (cell.readEpoch != epoch) {
      if (cell.readEpoch < launchEpoch) cell.firstReadEpoch = epoch;
      cell.readEpoch = epoch;
      cell.readByMore = false;
      cell.lanes = 0;
    } else if (cell.readWarp != warp) {
      cell.readByMore = true;
      cell.lanes = 0;
    } else if (cell.readWarpEpoch != warpEpoch) {
      cell.lanes = 0;
    }
    cell.readWarp = (uint8_t)warp;
    cell.readWarpEpoch = warpEpoch;
    cell.lanes |= lane;
    cell.readPlace = place_of(caller);
  }
}

inline void access(void* pointer, size_t bytes, bool writes, void* caller) {
  uintptr_t address = (uintptr_t)pointer;
  if (!watch.active) return;
  bool isGlobal = address >= WATCHED_BEGIN && address < WATCHED_END;
  if (isGlobal || is_shared(address)) look(address, bytes, !isGlobal, writes, caller);
}

// What the compiler tells of the place of a mistake.
struct Place {
  const char* file;
  uint32_t line;
  uint32_t column;
};

void mistake(const Place* place, const char* what) {
  if (watch.active) report("%s in line %u of %s.", what, place->line, place->file);
}

}  // namespace

void watch_launch() {
  launchEpoch = blockEpoch = ++epoch;
  if (pages.size() > MOST_PAGES) {
    for (auto& entry : pages) delete entry.second;
    pages.clear();
    lastPage = nullptr;
  }
}

void watch_block() {
  blockEpoch = ++epoch;
  memset(warpEpochs, 0, sizeof warpEpochs);
}

void watch_barrier() { ++epoch; }

void watch_warp_barrier(int warp) { ++warpEpochs[warp]; }

void watch_access(const void* address, size_t bytes, bool writes) {
  access(const_cast<void*>(address), bytes, writes, __builtin_return_address(0));
}

#define CALLER __builtin_return_address(0)

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}

#define ACCESS(bytes)                                                               \
  void __tsan_read##bytes(void* a) { access(a, bytes, false, CALLER); }             \
  void __tsan_write##bytes(void* a) { access(a, bytes, true, CALLER); }             \
  void __tsan_unaligned_read##bytes(void* a) { access(a, bytes, false, CALLER); }   \
  void __tsan_unaligned_write##bytes(void* a) { access(a, bytes, true, CALLER); }   \
  void __tsan_volatile_read##bytes(void* a) { access(a, bytes, false, CALLER); }    \
  void __tsan_volatile_write##bytes(void* a) { access(a, bytes, true, CALLER); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
void __tsan_read_range(void* a, size_t bytes) { access(a, bytes, false, CALLER); }
void __tsan_write_range(void* a, size_t bytes) { access(a, bytes, true, CALLER); }

void __ubsan_handle_type_mismatch_v1(Place* place, uintptr_t) { mistake(place, "misaligned access"); }
void __ubsan_handle_add_overflow(Place* place, uintptr_t, uintptr_t) { mistake(place, "overflow of a sum"); }
void __ubsan_handle_sub_overflow(Place* place, uintptr_t, uintptr_t) { mistake(place, "overflow of a difference"); }
void __ubsan_handle_mul_overflow(Place* place, uintptr_t, uintptr_t) { mistake(place, "overflow of a product"); }
void __ubsan_handle_negate_overflow(Place* place, uintptr_t) { mistake(place, "overflow of a negation"); }
void __ubsan_handle_divrem_overflow(Place* place, uintptr_t, uintptr_t) { mistake(place, "division by zero"); }
void __ubsan_handle_shift_out_of_bounds(Place* place, uintptr_t, uintptr_t) { mistake(place, "shift by too much"); }
void __ubsan_handle_out_of_bounds(Place* place, uintptr_t) { mistake(place, "index beyond an array"); }
void __ubsan_handle_float_cast_overflow(Place* place, uintptr_t) { mistake(place, "float too large for an integer"); }
}
