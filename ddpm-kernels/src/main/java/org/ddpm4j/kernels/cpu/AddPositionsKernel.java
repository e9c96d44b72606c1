package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AddPositions;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AddPositions} on a CPU. */
final class AddPositionsKernel {

  private static final int PIECE = 1024;

  private AddPositionsKernel() {}

  static Kernel kernel(
      AddPositions op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor table = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int perImage = table.length();
    float[] values = new float[PIECE];
    float[] summands = new float[PIECE];
    return () -> {
      for (int start = 0; start < x.length(); start += perImage) {
        for (int i = 0; i < perImage; i += PIECE) {
          int length = Math.min(PIECE, perImage - i);
          x.buffer().get(start + i, values, 0, length);
          table.buffer().get(i, summands, 0, length);
          Loops.add(values, summands, length);
          y.buffer().put(start + i, values, 0, length);
        }
      }
    };
  }
}
