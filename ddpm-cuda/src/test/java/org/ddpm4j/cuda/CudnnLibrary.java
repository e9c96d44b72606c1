package org.ddpm4j.cuda;

import com.sun.jna.NativeLibrary;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Assumptions;

/** cuDNN itself, for tests of what it does without a card. */
final class CudnnLibrary {

  private CudnnLibrary() {}

  /** Loads it, or lets the test be skipped where it is not there. */
  static void assumeLoads() {
    Assumptions.assumeTrue(EmulatedKernels.obstacle() == null, EmulatedKernels.obstacle());
    try {
      NativeLibrary.getInstance("libcudart.so.13");
      NativeLibrary.getInstance("libcudnn.so.9");
    } catch (UnsatisfiedLinkError e) {
      Assumptions.abort("cuDNN does not load: " + e.getMessage());
    }
    if (!isThere("libcuda.so.1")) {
      System.load(EmulatedKernels.withoutCard().toString());
    }
    Loader.load(cudnn.class);
  }

  private static boolean isThere(String library) {
    try {
      NativeLibrary.getInstance(library);
      return true;
    } catch (UnsatisfiedLinkError e) {
      return false;
    }
  }
}
