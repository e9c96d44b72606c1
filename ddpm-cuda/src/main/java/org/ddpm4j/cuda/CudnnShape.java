package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.cuda.CudnnGraph.Operand;

/**
 * What one of cuDNN's kernels computes. The same kernel serves all convolutions of the same shape.
 *
 * @param result what is computed
 * @param type of all operands, one of cuDNN's data types
 * @param x sizes N, C, H and W of the convolution's input
 * @param w sizes oC, iC, kH and kW of its weights
 * @param y sizes of its output
 * @param stride along both axes
 * @param padding on all sides
 */
record CudnnShape(
    Result result,
    int type,
    List<Integer> x,
    List<Integer> w,
    List<Integer> y,
    int stride,
    int padding) {

  /** What is computed, with the operands in memory in their order. */
  enum Result {
    /** {@code y} of x, w, bias. */
    OUTPUT,
    /** {@code y + residual} of x, w, bias; the residual comes last. */
    OUTPUT_AND_RESIDUAL,
    /** The gradient by x, of dy and w. */
    DATA_GRADIENT,
    /** The same, added to what dx is before. */
    DATA_GRADIENT_IN_PLACE,
    /** {@code dx + residual}, of dy and w; the residual comes last. */
    DATA_GRADIENT_AND_RESIDUAL,
    /** The gradient by w, of x and dy. */
    WEIGHT_GRADIENT
  }

  /** Tells the graph what to compute. */
  void describe(CudnnGraph graph) {
    switch (result) {
      case OUTPUT, OUTPUT_AND_RESIDUAL -> describeOutput(graph);
      case WEIGHT_GRADIENT -> {
        Operand in = operand(graph, x);
        Operand dy = operand(graph, y);
        graph.weightGradient(in, dy, operand(graph, w));
      }
      default -> describeDataGradient(graph);
    }
  }

  private void describeOutput(CudnnGraph graph) {
    Operand in = operand(graph, x);
    Operand weights = operand(graph, w);
    Operand bias = operand(graph, List.of(1, w.get(0), 1, 1));
    Operand out = operand(graph, y);
    Operand product = graph.passedOn(out);
    graph.forward(in, weights, product);
    if (result == Result.OUTPUT) {
      graph.add(product, bias, out);
      return;
    }
    Operand shifted = graph.passedOn(out);
    graph.add(product, bias, shifted);
    graph.add(shifted, operand(graph, y), out);
  }

  private void describeDataGradient(CudnnGraph graph) {
    Operand dy = operand(graph, y);
    Operand weights = operand(graph, w);
    Operand dx = operand(graph, x);
    if (result != Result.DATA_GRADIENT_AND_RESIDUAL) {
      graph.dataGradient(dy, weights, result == Result.DATA_GRADIENT_IN_PLACE ? 1 : 0, dx);
      return;
    }
    Operand product = graph.passedOn(dx);
    graph.dataGradient(dy, weights, 0, product);
    graph.add(product, operand(graph, x), dx);
  }

  private Operand operand(CudnnGraph graph, List<Integer> sizes) {
    return graph.inMemory(type, sizes.stream().mapToLong(Integer::longValue).toArray());
  }
}
