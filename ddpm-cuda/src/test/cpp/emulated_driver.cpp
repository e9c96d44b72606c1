// What EmulatedDriver needs of the machine: libraries of kernels and memory at addresses.

#include <dlfcn.h>
#include <jni.h>

#include <cstdlib>
#include <cstring>

namespace {

// Beside every allocation, to see kernels write there. As floats of any type these are NaN.
constexpr size_t GUARD_BYTES = 4096;
constexpr int GUARD = 0xff;

typedef const char* (*Launch)(int, int, int, int, int, void**);
typedef const char* (*Signature)();

void fail(JNIEnv* env, const char* message) {
  env->ThrowNew(env->FindClass("java/lang/IllegalStateException"), message);
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

// null if all went well
NATIVE(jstring, launch)
(JNIEnv* env, jclass, jlong function, jint x, jint y, jint z, jint threads, jint sharedBytes,
 jlong arguments) {
  const char* message = reinterpret_cast<Launch>(function)(
      x, y, z, threads, sharedBytes, reinterpret_cast<void**>(arguments));
  return message ? env->NewStringUTF(message) : nullptr;
}

NATIVE(jlong, allocate)(JNIEnv*, jclass, jlong bytes) {
  size_t whole = (bytes + 2 * GUARD_BYTES + 255) / 256 * 256;
  char* memory = static_cast<char*>(aligned_alloc(256, whole));
  if (!memory) return 0;
  memset(memory, GUARD, GUARD_BYTES);
  memset(memory + GUARD_BYTES, 0, bytes);
  memset(memory + GUARD_BYTES + bytes, GUARD, whole - GUARD_BYTES - bytes);
  return reinterpret_cast<jlong>(memory + GUARD_BYTES);
}

NATIVE(void, release)(JNIEnv*, jclass, jlong address) {
  free(reinterpret_cast<char*>(address) - GUARD_BYTES);
}

// Whether nobody wrote beside an allocation.
NATIVE(jboolean, intact)(JNIEnv*, jclass, jlong address, jlong bytes) {
  const unsigned char* before = reinterpret_cast<unsigned char*>(address) - GUARD_BYTES;
  const unsigned char* after = reinterpret_cast<unsigned char*>(address) + bytes;
  for (size_t i = 0; i < GUARD_BYTES; i++) {
    if (before[i] != GUARD || after[i] != GUARD) return JNI_FALSE;
  }
  return JNI_TRUE;
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
