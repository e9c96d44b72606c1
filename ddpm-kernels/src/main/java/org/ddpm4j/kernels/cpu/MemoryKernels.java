package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.DropMemory;
import org.ddpm4j.kernels.ops.DropMemoryGradient;
import org.ddpm4j.kernels.ops.PrependMemory;
import org.ddpm4j.kernels.ops.PrependMemoryGradient;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * {@link PrependMemory} and {@link DropMemory} on a CPU, with their gradients: an image's own
 * positions are copied as they lie.
 */
final class MemoryKernels {

  private MemoryKernels() {}

  static Kernel prepend(
      PrependMemory op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor memory = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int rows = memory.size(0);
    int width = memory.length() / rows;
    float[] all = new float[memory.length()];
    float[] first = new float[rows * y.size(3)];
    Kernel copy = copying(context, inputs.get(0), y, true);
    return () -> {
      memory.buffer().get(0, all);
      for (int row = 0; row < rows; row++) {
        System.arraycopy(all, row * width, first, (row + 1) * y.size(3) - width, width);
      }
      putFirst(y, first);
      copy.run();
    };
  }

  static Kernel prependGradient(
      PrependMemoryGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      steps.add(copying(context, outputs.get(0), inputs.get(1), false));
    }
    if (outputs.get(1) != null) {
      steps.add(summing(inputs.get(1), outputs.get(1)));
    }
    return Kernel.sequence(steps);
  }

  static Kernel drop(
      DropMemory op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return copying(context, outputs.get(0), inputs.get(0), false);
  }

  static Kernel dropGradient(
      DropMemoryGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor dy = inputs.get(1);
    CpuTensor dx = outputs.get(0);
    float[] zeros = new float[(dx.length() - dy.length()) / dx.size(0)];
    Kernel copy = copying(context, dy, dx, true);
    return () -> {
      putFirst(dx, zeros);
      copy.run();
    };
  }

  /** The same numbers before the positions of every image. */
  private static void putFirst(CpuTensor longer, float[] first) {
    int perImage = longer.length() / longer.size(0);
    for (int n = 0; n < longer.size(0); n++) {
      longer.buffer().put(n * perImage, first);
    }
  }

  /** Between all positions of images and the last ones of others. */
  private static Kernel copying(
      CpuContext context, CpuTensor images, CpuTensor longer, boolean toLonger) {
    int count = images.size(0);
    CpuTensor perImage = images.part(0, count, images.length() / count);
    CpuTensor perLonger = longer.part(0, count, longer.length() / count);
    long first = (long) perLonger.size(1) - perImage.size(1);
    return toLonger
        ? ChannelRange.scattering(context, perImage, perLonger, first)
        : ChannelRange.gathering(context, perLonger, first, perImage);
  }

  private static Kernel summing(CpuTensor dy, CpuTensor memorySlopes) {
    int rows = memorySlopes.size(0);
    int width = memorySlopes.length() / rows;
    int channels = dy.size(3);
    int perImage = dy.length() / dy.size(0);
    float[] row = new float[width];
    double[] sums = new double[memorySlopes.length()];
    return () -> {
      Arrays.fill(sums, 0);
      for (int n = 0; n < dy.size(0); n++) {
        for (int m = 0; m < rows; m++) {
          dy.buffer().get(n * perImage + (m + 1) * channels - width, row);
          for (int i = 0; i < width; i++) {
            sums[m * width + i] += row[i];
          }
        }
      }
      ParameterGradients.add(memorySlopes, sums);
    };
  }
}
