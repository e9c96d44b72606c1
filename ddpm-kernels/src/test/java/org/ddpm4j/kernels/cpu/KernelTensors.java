package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.plan.ElementType;

/**
 * What a test gives to single kernels. Kernels know addresses alone: nothing of it may be collected
 * before they have run, so that this is held as long.
 */
final class KernelTensors {

  private final List<CpuTensor> kept = new ArrayList<>();

  CpuTensor floats(Values values) {
    CpuTensor tensor = values.toTensor();
    kept.add(tensor);
    return tensor;
  }

  CpuTensor of(CpuContext context, Values values, ElementType type) {
    CpuTensor floats = floats(values);
    if (type == ElementType.FLOAT32) {
      return floats;
    }
    CpuTensor memory = floats(Values.zeros(CpuTensor.floatsFor(floats.length())));
    CpuTensor tensor = memory.asBfloat16(values.shape());
    context.copying(floats, tensor).run();
    return tensor;
  }

  Values values(CpuContext context, CpuTensor tensor) {
    if (tensor.isFloat()) {
      return Values.of(tensor);
    }
    CpuTensor floats = floats(Values.zeros(tensor.shape()));
    context.copying(tensor, floats).run();
    return Values.of(floats);
  }

  /** Scratch memory that another kernel has left behind. */
  static void poison(CpuContext context) {
    CpuTensor scratch = context.scratch(1 << 21).get(0);
    float[] notNumbers = new float[scratch.length()];
    Arrays.fill(notNumbers, Float.NaN);
    scratch.buffer().put(0, notNumbers);
  }
}
