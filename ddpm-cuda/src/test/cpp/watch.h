// What cuda_on_cpu.h tells watch.cpp of the threads that run.
#pragma once

#include <cstddef>
#include <cstdint>

// Where EmulatedMachine allocates memory as long as there is room: what kernels share with each other.
constexpr uintptr_t WATCHED_BEGIN = 0x200000000000;
constexpr uintptr_t WATCHED_END = 0x300000000000;

struct Watch {
  bool active;  // whether a kernel runs
  int thread;   // of the block
  uintptr_t dynamicBegin, dynamicEnd, staticBegin, staticEnd;  // shared memory
  uintptr_t libraryBegin;
  void (*report)(const char* message);  // does not return
};

extern Watch watch;

void watch_launch();
void watch_block();
void watch_barrier();
void watch_warp_barrier(int warp);

// What no compiler sees: copies and loads that the emulation makes in a thread's name.
void watch_access(const void* address, size_t bytes, bool writes);
