package org.ddpm4j.cuda;

import java.util.Locale;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.ddpm4j.kernels.cpu.Unscoped;
import org.ddpm4j.kernels.plan.Tensor;

/** The arguments of a launch, outside the Java heap, as drivers take them: a pointer to each. */
final class CudaArguments {

  /** Each argument in eight bytes of its own. */
  private final LongPointer values;

  private final PointerPointer<LongPointer> pointers;

  /**
   * Arguments.
   *
   * @param arguments tensors, longs and nulls become pointers, the others what they are
   */
  CudaArguments(Object... arguments) {
    int length = Math.max(1, arguments.length);
    values = Unscoped.make(() -> new LongPointer(length));
    pointers = Unscoped.make(() -> new PointerPointer<LongPointer>(length));
    for (int i = 0; i < arguments.length; i++) {
      values.put(i, bits(arguments[i]));
      pointers.put(i, values.getPointer(i));
    }
  }

  /** The first bytes of the result hold the value: all processors with CUDA are little-endian. */
  private static long bits(Object argument) {
    if (argument == null) {
      return 0;
    }
    if (argument instanceof Tensor tensor) {
      return tensor.address();
    }
    if (argument instanceof Long address) {
      return address;
    }
    if (argument instanceof Integer number) {
      return number & 0xFFFFFFFFL;
    }
    if (argument instanceof Float number) {
      return Float.floatToRawIntBits(number) & 0xFFFFFFFFL;
    }
    if (argument instanceof Double number) {
      return Double.doubleToRawLongBits(number);
    }
    throw new IllegalArgumentException(
        String.format(Locale.ROOT, "A kernel takes no %s.", argument.getClass().getName()));
  }

  /** What drivers take. */
  PointerPointer<LongPointer> pointers() {
    return pointers;
  }
}
