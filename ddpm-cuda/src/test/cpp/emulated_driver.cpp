// What EmulatedDriver needs of the machine: libraries of kernels and memory at addresses.

#include <dlfcn.h>
#include <jni.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "watch.h"

namespace {

constexpr uintptr_t PAGE = 4096;
constexpr uintptr_t ALIGNMENT = 256;

// On each side of an allocation, addresses that nobody may touch.
constexpr uintptr_t GUARD_BYTES = 16384 * PAGE;

// In what is left of an allocation's pages. As floats of any type these are NaN.
constexpr int POISON = 0xff;

typedef const char* (*Launch)(int, int, int, int, int, void**);
typedef const char* (*Signature)();

void fail(JNIEnv* env, const char* message) {
  env->ThrowNew(env->FindClass("java/lang/IllegalStateException"), message);
}

uintptr_t pages(uintptr_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

uintptr_t aligned(uintptr_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

// Looked at after each launch, for all allocations: by as many bytes at once as the machine compares.
bool poisoned(uintptr_t from, uintptr_t to) {
  static const struct Poison {
    unsigned char bytes[PAGE + ALIGNMENT];
    Poison() { memset(bytes, POISON, sizeof bytes); }
  } poison;
  return memcmp(reinterpret_cast<void*>(from), poison.bytes, to - from) == 0;
}

// What a launch needs to survive the access of a kernel to memory that is not there.
struct Running {
  pthread_t thread;
  sigjmp_buf before;
  void* address;
};

Running* running;
struct sigaction javas;

// Faults of other threads are Java's business.
void onFault(int signal, siginfo_t* info, void* context) {
  if (running && pthread_equal(pthread_self(), running->thread)) {
    running->address = info->si_addr;
    siglongjmp(running->before, 1);
  }
  if (javas.sa_flags & SA_SIGINFO) {
    javas.sa_sigaction(signal, info, context);
  } else if (javas.sa_handler != SIG_DFL && javas.sa_handler != SIG_IGN) {
    javas.sa_handler(signal);
  }
}

}  // namespace

#define NATIVE(type, name) \
  extern "C" JNIEXPORT type JNICALL Java_org_ddpm4j_cuda_EmulatedMachine_##name

NATIVE(jlong, open)(JNIEnv* env, jclass, jstring path) {
  const char* text = env->GetStringUTFChars(path, nullptr);
  void* library = dlopen(text, RTLD_NOW | RTLD_LOCAL);
  env->ReleaseStringUTFChars(path, text);
  if (!library) fail(env, dlerror());
  return reinterpret_cast<jlong>(library);
}

// 0 if there is none
NATIVE(jlong, symbol)(JNIEnv* env, jclass, jlong library, jstring name) {
  const char* text = env->GetStringUTFChars(name, nullptr);
  void* symbol = dlsym(reinterpret_cast<void*>(library), text);
  env->ReleaseStringUTFChars(name, text);
  return reinterpret_cast<jlong>(symbol);
}

NATIVE(jstring, signature)(JNIEnv* env, jclass, jlong function) {
  return env->NewStringUTF(reinterpret_cast<Signature>(function)());
}

// null if all went well; one launch at a time
NATIVE(jstring, launch)
(JNIEnv* env, jclass, jlong function, jint x, jint y, jint z, jint threads, jint sharedBytes,
 jlong arguments) {
  static char text[200];
  Running current;
  current.thread = pthread_self();
  struct sigaction ours = {};
  ours.sa_sigaction = onFault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  const char* volatile message;
  if (sigsetjmp(current.before, 1) == 0) {
    running = &current;
    sigaction(SIGSEGV, &ours, &javas);
    message = reinterpret_cast<Launch>(function)(
        x, y, z, threads, sharedBytes, reinterpret_cast<void**>(arguments));
  } else {
    snprintf(text, sizeof text, "read or wrote at %p, where no memory is.", current.address);
    message = text;
  }
  running = nullptr;
  sigaction(SIGSEGV, &javas, nullptr);
  return message ? env->NewStringUTF(message) : nullptr;
}

// Its end lies as near to the guard behind it as its alignment allows.
NATIVE(jlong, allocate)(JNIEnv*, jclass, jlong bytes) {
  static std::atomic<uintptr_t> next(WATCHED_BEGIN);
  uintptr_t length = pages(aligned(bytes));
  uintptr_t wanted = next.fetch_add(length + 2 * GUARD_BYTES);
  if (wanted + length + 2 * GUARD_BYTES > WATCHED_END) {
    next = wanted = WATCHED_BEGIN;
  }
  // Where there is something already, it comes to lie elsewhere, and is not watched.
  void* memory = mmap(reinterpret_cast<void*>(wanted), length + 2 * GUARD_BYTES, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 0;
  uintptr_t begin = reinterpret_cast<uintptr_t>(memory) + GUARD_BYTES;
  mprotect(reinterpret_cast<void*>(begin), length, PROT_READ | PROT_WRITE);
  uintptr_t address = begin + length - aligned(bytes);
  memset(reinterpret_cast<void*>(begin), POISON, address - begin);
  memset(reinterpret_cast<void*>(address + bytes), POISON, begin + length - address - bytes);
  return address;
}

NATIVE(void, release)(JNIEnv*, jclass, jlong address, jlong bytes) {
  uintptr_t length = pages(aligned(bytes));
  uintptr_t begin = address + aligned(bytes) - length;
  munmap(reinterpret_cast<void*>(begin - GUARD_BYTES), length + 2 * GUARD_BYTES);
}

// Whether nobody wrote beside an allocation.
NATIVE(jboolean, intact)(JNIEnv*, jclass, jlong address, jlong bytes) {
  uintptr_t end = address + aligned(bytes);
  return poisoned(end - pages(aligned(bytes)), address) && poisoned(address + bytes, end);
}

NATIVE(jlong, addressOf)(JNIEnv* env, jclass, jobject buffer) {
  return reinterpret_cast<jlong>(env->GetDirectBufferAddress(buffer));
}

NATIVE(void, copy)(JNIEnv*, jclass, jlong from, jlong to, jlong bytes) {
  memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
}

NATIVE(void, fill)(JNIEnv*, jclass, jlong address, jint value, jlong bytes) {
  memset(reinterpret_cast<void*>(address), value, bytes);
}
