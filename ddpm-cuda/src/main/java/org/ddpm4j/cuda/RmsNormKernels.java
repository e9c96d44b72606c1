package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.ops.RmsNormGradient;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Root mean square normalisation, by {@code rms_norm.cu}. */
final class RmsNormKernels {

  private static final String FILE = "rms_norm.cu";
  private static final int THREADS = 256;
  private static final int WARP = 32;
  private static final int ROWS_OF_CHUNK = 128;

  private RmsNormKernels() {}

  static Kernel forward(
      RmsNorm op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    return context.launch(
        FILE,
        "rms_norm",
        warps(rows(x)),
        x,
        inputs.get(1),
        outputs.get(0),
        rows(x),
        x.size(3),
        (int) x.rowLength());
  }

  /** The gain's gradient first: that of x may take the memory of dy. */
  static Kernel backward(
      RmsNormGradient op, CudaContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor dy = inputs.get(2);
    List<Kernel> kernels = new ArrayList<>();
    if (outputs.get(1) != null) {
      gainGradient(context, x, dy, outputs.get(1), kernels);
    }
    if (outputs.get(0) != null) {
      kernels.add(
          context.launch(
              FILE,
              "rms_norm_gradient",
              warps(rows(x)),
              x,
              inputs.get(1),
              dy,
              outputs.get(0),
              rows(x),
              x.size(3),
              (int) x.rowLength()));
    }
    return Kernel.sequence(kernels);
  }

  private static void gainGradient(
      CudaContext context, Tensor x, Tensor dy, Tensor dgain, List<Kernel> kernels) {
    long rows = rows(x);
    int channels = x.size(3);
    int rowLength = (int) x.rowLength();
    int chunks = Math.toIntExact((rows + ROWS_OF_CHUNK - 1) / ROWS_OF_CHUNK);
    long scalesBytes = CudaContext.roundUp(Float.BYTES * rows);
    long scales = context.scratch(scalesBytes + (long) Float.BYTES * chunks * channels);
    long parts = scales + scalesBytes;
    kernels.add(
        context.launch(FILE, "rms_norm_scales", warps(rows), x, scales, rows, channels, rowLength));
    int threads = Math.min(THREADS, (channels + WARP - 1) / WARP * WARP);
    kernels.add(
        context.launch(
            FILE,
            "rms_norm_gain_parts",
            Launch.of(chunks, threads),
            x,
            dy,
            scales,
            parts,
            rows,
            channels,
            rowLength,
            ROWS_OF_CHUNK));
    kernels.add(
        context.launch(
            FILE,
            "rms_norm_gain_gradient",
            Launch.forElements(channels, THREADS),
            parts,
            dgain,
            chunks,
            channels));
  }

  /** A warp for each row. */
  private static Launch warps(long rows) {
    return Launch.forElements(rows * WARP, THREADS);
  }

  private static long rows(Tensor map) {
    return (long) map.size(0) * map.size(1) * map.size(2);
  }
}
