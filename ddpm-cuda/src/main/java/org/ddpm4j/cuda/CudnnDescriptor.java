package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_STATUS_SUCCESS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BACKEND_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_BOOLEAN;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_CHAR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_INT64;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendCreateDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendDestroyDescriptor;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendFinalize;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendGetAttribute;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendSetAttribute;
import static org.bytedeco.cuda.global.cudnn.cudnnGetErrorString;

import java.util.List;
import java.util.Locale;
import org.bytedeco.cuda.cudnn.cudnnBackendDescriptor_t;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.ddpm4j.kernels.cpu.Unscoped;

/**
 * An object of cuDNN's graph interface: it is given attributes and then made final, after which
 * others may refer to it and its results be read.
 */
final class CudnnDescriptor implements AutoCloseable {

  private final cudnnBackendDescriptor_t handle = Unscoped.make(cudnnBackendDescriptor_t::new);

  /**
   * An object without attributes.
   *
   * @param type one of {@code CUDNN_BACKEND_…_DESCRIPTOR}
   */
  CudnnDescriptor(int type) {
    check(cudnnBackendCreateDescriptor(type, handle));
  }

  static void check(int code) {
    if (code != CUDNN_STATUS_SUCCESS) {
      throw new CudaException(
          String.format(
              Locale.ROOT, "cuDNN refused: %s (%d).", cudnnGetErrorString(code).getString(), code));
    }
  }

  cudnnBackendDescriptor_t handle() {
    return handle;
  }

  private CudnnDescriptor set(int attribute, int type, long count, Pointer values) {
    check(cudnnBackendSetAttribute(handle, attribute, type, count, values));
    return this;
  }

  /** An attribute of whole numbers. */
  CudnnDescriptor with(int attribute, long... values) {
    try (LongPointer all = new LongPointer(values)) {
      return set(attribute, CUDNN_TYPE_INT64, values.length, all);
    }
  }

  /** An attribute of one of cuDNN's enumerations. */
  CudnnDescriptor withChoice(int attribute, int enumeration, int value) {
    try (IntPointer one = new IntPointer(new int[] {value})) {
      return set(attribute, enumeration, 1, one);
    }
  }

  CudnnDescriptor withFactor(int attribute, float value) {
    try (FloatPointer one = new FloatPointer(new float[] {value})) {
      return set(attribute, CUDNN_TYPE_FLOAT, 1, one);
    }
  }

  CudnnDescriptor withFlag(int attribute, boolean value) {
    try (BoolPointer one = new BoolPointer(1)) {
      return set(attribute, CUDNN_TYPE_BOOLEAN, 1, one.put(value));
    }
  }

  CudnnDescriptor withText(int attribute, String text) {
    try (BytePointer bytes = new BytePointer(text)) {
      return set(attribute, CUDNN_TYPE_CHAR, bytes.limit() - 1, bytes);
    }
  }

  CudnnDescriptor with(int attribute, CudnnDescriptor... others) {
    Pointer[] all = new Pointer[others.length];
    for (int i = 0; i < others.length; i++) {
      all[i] = others[i].handle;
    }
    return withPointers(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, all);
  }

  /**
   * An attribute of pointers.
   *
   * @param type to what
   */
  CudnnDescriptor withPointers(int attribute, int type, Pointer... pointers) {
    try (PointerPointer<Pointer> all = new PointerPointer<>(pointers)) {
      return set(attribute, type, pointers.length, all);
    }
  }

  /** Makes it final. */
  CudnnDescriptor made() {
    check(cudnnBackendFinalize(handle));
    return this;
  }

  /** Makes it final if cuDNN can. */
  boolean canBeMade() {
    return cudnnBackendFinalize(handle) == CUDNN_STATUS_SUCCESS;
  }

  long number(int attribute) {
    try (LongPointer value = new LongPointer(1);
        LongPointer count = new LongPointer(1)) {
      check(cudnnBackendGetAttribute(handle, attribute, CUDNN_TYPE_INT64, 1, count, value));
      return value.get();
    }
  }

  /** Whether a list of an enumeration's values has one. */
  boolean lists(int attribute, int enumeration, int value) {
    int most = 64;
    try (IntPointer values = new IntPointer(most);
        LongPointer count = new LongPointer(1)) {
      check(cudnnBackendGetAttribute(handle, attribute, enumeration, most, count, values));
      for (int i = 0; i < count.get(); i++) {
        if (values.get(i) == value) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * Fills objects with what this one refers to.
   *
   * @return those that were filled, the first ones
   */
  List<CudnnDescriptor> fill(int attribute, List<CudnnDescriptor> results) {
    Pointer[] all = new Pointer[results.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = results.get(i).handle;
    }
    try (PointerPointer<Pointer> pointers = new PointerPointer<>(all);
        LongPointer count = new LongPointer(1)) {
      check(
          cudnnBackendGetAttribute(
              handle, attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, all.length, count, pointers));
      return results.subList(0, (int) Math.min(count.get(), all.length));
    }
  }

  @Override
  public void close() {
    check(cudnnBackendDestroyDescriptor(handle));
  }
}
