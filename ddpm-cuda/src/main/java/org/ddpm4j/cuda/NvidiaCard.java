package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudart.cuDeviceGetName;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMajor;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMinor;
import static org.bytedeco.cuda.global.cudart.cudaDeviceGetAttribute;
import static org.bytedeco.cuda.global.cudart.cudaDriverGetVersion;
import static org.bytedeco.cuda.global.cudart.cudaGetDeviceCount;
import static org.bytedeco.cuda.global.cudart.cudaGetErrorString;
import static org.bytedeco.cuda.global.cudart.cudaGetLastError;
import static org.bytedeco.cuda.global.cudart.cudaMemGetInfo;
import static org.bytedeco.cuda.global.cudart.cudaSetDevice;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cudnn;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.SizeTPointer;
import org.ddpm4j.kernels.plan.DeviceProvider;

/**
 * A card of this machine.
 *
 * @param index as in "cuda:0"
 * @param model its name
 * @param major of its compute capability
 * @param minor of its compute capability
 */
record NvidiaCard(int index, String model, int major, int minor) {

  /** The oldest that our kernels know: bfloat16 and asynchronous copies came with it. */
  private static final int OLDEST_MAJOR = 8;

  /** Whether CUDA's libraries load, and how many cards they see. */
  private static final class Availability {

    static final String OBSTACLE = findObstacle();

    private static String findObstacle() {
      try {
        Loader.load(cudart.class);
        Loader.load(nvrtc.class);
        Loader.load(cudnn.class);
      } catch (LinkageError | RuntimeException e) {
        return String.format(
            Locale.ROOT,
            "CUDA's libraries do not load (%s); ddpm4j needs NVIDIA's driver 580 or newer, and libcudart.so.13, libnvrtc.so.13 and libcudnn.so.9 on the library path: install the CUDA 13 toolkit with cuDNN 9, or let LD_LIBRARY_PATH name the folders nvidia/cu13/lib and nvidia/cudnn/lib of a PyTorch installation",
            firstLine(e));
      }
      int[] driver = new int[1];
      cudaDriverGetVersion(driver);
      if (driver[0] == 0) {
        return "there is no NVIDIA driver; install driver 580 or newer";
      }
      int[] count = new int[1];
      int code = cudaGetDeviceCount(count);
      if (code != 0) {
        cudaGetLastError();
        return String.format(
            Locale.ROOT,
            "CUDA finds no card: %s (the driver knows CUDA %d.%d, ddpm4j needs 13.0)",
            cudaGetErrorString(code).getString(),
            driver[0] / 1000,
            driver[0] % 1000 / 10);
      }
      return count[0] == 0 ? "CUDA finds no card" : null;
    }

    private static String firstLine(Throwable e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      return String.valueOf(root.getMessage()).lines().findFirst().orElse("no reason given").trim();
    }
  }

  /** Why no card can be used, or null. */
  static String obstacle() {
    return Availability.OBSTACLE;
  }

  /** The cards of this machine; none where CUDA cannot be used. */
  static List<NvidiaCard> all() {
    List<NvidiaCard> cards = new ArrayList<>();
    if (obstacle() == null) {
      int[] count = new int[1];
      cudaGetDeviceCount(count);
      for (int i = 0; i < count[0]; i++) {
        cards.add(read(i));
      }
    }
    return cards;
  }

  static NvidiaCard read(int index) {
    byte[] name = new byte[256];
    cuDeviceGetName(name, name.length, index);
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new NvidiaCard(
        index,
        new String(name, 0, length, StandardCharsets.UTF_8),
        attribute(cudaDevAttrComputeCapabilityMajor, index),
        attribute(cudaDevAttrComputeCapabilityMinor, index));
  }

  private static int attribute(int attribute, int index) {
    int[] value = new int[1];
    int code = cudaDeviceGetAttribute(value, attribute, index);
    if (code != 0) {
      throw new CudaException(
          String.format(
              Locale.ROOT,
              "Card %d cannot be described: %s.",
              index,
              cudaGetErrorString(code).getString()));
    }
    return value[0];
  }

  /** What is free and what there is, or empty if the card does not answer. */
  Optional<DeviceProvider.Memory> memory() {
    try (SizeTPointer free = new SizeTPointer(1);
        SizeTPointer total = new SizeTPointer(1)) {
      if (cudaSetDevice(index) != 0 || cudaMemGetInfo(free, total) != 0) {
        cudaGetLastError();
        return Optional.empty();
      }
      return Optional.of(new DeviceProvider.Memory(free.get(), total.get()));
    }
  }

  /** For people. */
  String description() {
    return String.format(Locale.ROOT, "%s (compute capability %d.%d)", model, major, minor);
  }

  /** Why this card cannot be used, or null. */
  String ownObstacle() {
    return major >= OLDEST_MAJOR
        ? null
        : String.format(
            Locale.ROOT,
            "%s has compute capability %d.%d; ddpm4j's kernels need %d.0 (Ampere) or newer",
            model,
            major,
            minor,
            OLDEST_MAJOR);
  }
}
