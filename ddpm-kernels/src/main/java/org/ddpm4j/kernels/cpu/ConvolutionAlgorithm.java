package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
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
   * @param weights in which layout it reads the weights
   * @return it makes these rows of outputs
   */
  Kernel kernel(CpuContext context, ConvolutionRows rows, memory.desc weights);

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
   * @return their type and shape
   */
  memory.desc anyLayout();

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
    convolution_forward.primitive_desc code = code(all, anyLayout());
    memory.desc weights = code.weights_desc();
    Kernel whole = kernel(context, all, weights);
    double positions = (double) all.y().length() / all.y().size(3);
    if (2 * positions * w.length() < SharedKernel.LEAST_FLOPS) {
      return whole;
    }
    return new SharedKernel(
        context,
        whole,
        threads ->
            numbersOfParts(threads)
                .mapToObj(count -> all.cut(geometry, w.size(0), rowsTogether(), count))
                .filter(cut -> cut.stream().allMatch(rows -> isSame(code(rows, weights), code)))
                .findFirst()
                .map(cut -> parts(context, cut, weights))
                .orElse(List.of()));
  }

  /** One for each thread, or more, or else fewer. */
  private static IntStream numbersOfParts(int threads) {
    return IntStream.concat(
        IntStream.rangeClosed(threads, 2 * threads),
        IntStream.range(2, threads).map(fewer -> threads + 1 - fewer));
  }

  private List<Kernel> parts(CpuContext context, List<ConvolutionRows> cut, memory.desc weights) {
    List<Kernel> parts = new ArrayList<>();
    for (ConvolutionRows rows : cut) {
      parts.add(kernel(context.ofPart(parts.size()), rows, weights));
    }
    return parts;
  }

  /** Whether two pieces of code of oneDNN's add in the same order; it has none for some sizes. */
  private static boolean isSame(
      convolution_forward.primitive_desc a, convolution_forward.primitive_desc b) {
    return a.impl_info_str().getString().equals(b.impl_info_str().getString());
  }
}
