package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;

/** A way to compute a convolution, in which rows of outputs do not depend on each other. */
interface ConvolutionAlgorithm {

  /**
   * A kernel.
   *
   * @param context of the kernel alone
   * @param rows what it reads and writes
   * @param code that of these rows; its layout is that of the weights
   * @return it makes these rows of outputs
   */
  Kernel kernel(CpuContext context, ConvolutionRows rows, convolution_forward.primitive_desc code);

  /**
   * The code of oneDNN's that multiplies.
   *
   * @param rows for which
   * @param weights the weights' layout, or {@link #anyLayout}
   * @return as oneDNN chooses it
   */
  convolution_forward.primitive_desc code(ConvolutionRows rows, memory.desc weights);

  /**
   * The weights in whatever layout is fastest.
   *
   * @param rows for which
   * @return their type and shape
   */
  memory.desc anyLayout(ConvolutionRows rows);

  /**
   * How many rows of outputs belong together.
   *
   * @return at least 1
   */
  int rowsTogether();

  /**
   * The whole convolution.
   *
   * @param w its weights, {@code [kH,kW,iC,oC]}
   * @return a kernel that a team shares if that is worth it and gives the same bits
   */
  default Kernel shared(
      CpuContext context, ConvolutionGeometry geometry, ConvolutionRows all, CpuTensor w) {
    convolution_forward.primitive_desc code = code(all, anyLayout(all));
    Kernel whole = kernel(context, all, code);
    double positions = (double) all.y().length() / all.y().size(3);
    return SharedKernel.of(
        context,
        2 * positions * w.length(),
        whole,
        threads -> parts(context, cuts(geometry, all, w, threads), code));
  }

  /** Into one part for each thread, or more, or else fewer; each cut once. */
  private List<List<ConvolutionRows>> cuts(
      ConvolutionGeometry geometry, ConvolutionRows all, CpuTensor w, int threads) {
    Map<Integer, List<ConvolutionRows>> cuts = new LinkedHashMap<>();
    IntStream.concat(
            IntStream.rangeClosed(threads, 2 * threads),
            IntStream.range(2, threads).map(fewer -> threads + 1 - fewer))
        .mapToObj(count -> all.cut(geometry, w, rowsTogether(), count))
        .forEach(cut -> cuts.putIfAbsent(cut.size(), cut));
    cuts.remove(1);
    return List.copyOf(cuts.values());
  }

  /** The parts of the first cut for which oneDNN has the code that computes the whole. */
  private List<Kernel> parts(
      CpuContext context,
      List<List<ConvolutionRows>> cuts,
      convolution_forward.primitive_desc code) {
    for (List<ConvolutionRows> cut : cuts) {
      List<Kernel> parts = new ArrayList<>();
      for (ConvolutionRows rows : cut) {
        convolution_forward.primitive_desc ofPart = code(rows, code.weights_desc());
        if (!isSame(ofPart, code)) {
          break;
        }
        parts.add(kernel(context.ofPart(parts.size()), rows, ofPart));
      }
      if (parts.size() == cut.size()) {
        return parts;
      }
    }
    return List.of();
  }

  /**
   * Whether two pieces of code may add in the same order; that they do is what tests say. oneDNN
   * has none for some sizes, and its convolutions by general matrix products choose another product
   * for other numbers of rows.
   */
  private static boolean isSame(
      convolution_forward.primitive_desc a, convolution_forward.primitive_desc b) {
    String name = a.impl_info_str().getString();
    return name.equals(b.impl_info_str().getString()) && !name.startsWith("gemm");
  }
}
