package org.ddpm4j.cuda;

import java.util.List;
import java.util.Locale;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannelGradient;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** One number for each image and channel, by {@code per_channel.cu}. */
final class PerChannelKernels {

  private static final String FILE = "per_channel.cu";
  private static final int THREADS = 256;
  private static final int LARGEST_BLOCK = 1024;
  private static final int ROWS_OF_THREAD = 4;

  /** The bytes of a row that one block sums up. */
  private static final int BYTES_OF_PART = 64;

  private static final int BYTES_OF_PACK = 16;

  private PerChannelKernels() {}

  static Kernel add(
      AddPerChannel op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return onChunks(context, "add_per_channel", inputs, outputs.get(0));
  }

  static Kernel scaleShift(
      ScaleShiftPerChannel op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return onChunks(context, "scale_shift_per_channel", inputs, outputs.get(0));
  }

  private static Kernel onChunks(
      CudaContext context, String kernel, List<Tensor> inputs, Tensor y) {
    Tensor x = inputs.get(0);
    int positions = x.size(1) * x.size(2);
    int packs = packs(context, x);
    int threads = Math.max(THREADS, ceil(packs, 32) * 32);
    int rows = threads / packs * ROWS_OF_THREAD;
    Launch launch = Launch.of(x.size(0) * ceil(positions, rows), threads);
    return context.launch(
        FILE, kernel, launch, x, inputs.get(1), y, positions, x.size(3), (int) x.rowLength(), rows);
  }

  private static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }

  private static int packs(CudaContext context, Tensor x) {
    int packs = (int) (x.rowLength() * context.elementBytes() / BYTES_OF_PACK);
    if (packs > LARGEST_BLOCK) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A map has %d channels; on a GPU there may be up to %d.",
              x.size(3),
              LARGEST_BLOCK * BYTES_OF_PACK / context.elementBytes()));
    }
    return packs;
  }

  static Kernel sum(
      SumPerChannel op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return sum(context, inputs.get(0), outputs.get(0));
  }

  /** Sums of a map {@code [N,H,W,C]} over its positions. */
  static Kernel sum(CudaContext context, Tensor x, Tensor sums) {
    Parts parts = Parts.of(context, x);
    return context.launch(
        FILE,
        "sum_per_channel",
        parts.launch(),
        x,
        sums,
        parts.positions(),
        x.size(3),
        (int) x.rowLength(),
        parts.packs());
  }

  static Kernel scaleShiftGradient(
      ScaleShiftPerChannelGradient op,
      CudaContext context,
      List<Tensor> inputs,
      List<Tensor> outputs) {
    if (outputs.get(0) == null && outputs.get(1) == null) {
      return () -> {};
    }
    Tensor x = inputs.get(0);
    Parts parts = Parts.of(context, x);
    return context.launch(
        FILE,
        "scale_shift_per_channel_gradient",
        parts.launch(),
        x,
        inputs.get(1),
        inputs.get(2),
        outputs.get(0),
        outputs.get(1),
        parts.positions(),
        x.size(3),
        (int) x.rowLength(),
        parts.packs());
  }

  /** How an image's channels are cut in parts, of which each has a block: whatever the batch. */
  private record Parts(int positions, int packs, Launch launch) {

    static Parts of(CudaContext context, Tensor x) {
      int positions = x.size(1) * x.size(2);
      int pack = BYTES_OF_PACK / context.elementBytes();
      int rowPacks = PerChannelKernels.packs(context, x);
      int packs = Math.min(rowPacks, BYTES_OF_PART / BYTES_OF_PACK);
      int threads = 128;
      while (threads < LARGEST_BLOCK && threads * 8 < positions * packs) {
        threads *= 2;
      }
      int blocks = x.size(0) * ceil(rowPacks, packs);
      int bytes = Float.BYTES * pack * (threads + packs);
      return new Parts(positions, packs, Launch.of(blocks, threads).withShared(bytes));
    }
  }
}
