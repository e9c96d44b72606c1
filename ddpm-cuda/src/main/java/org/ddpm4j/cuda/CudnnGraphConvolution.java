package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;

import java.util.Optional;
import org.ddpm4j.cuda.CudnnGraph.Operand;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * A convolution by cuDNN's graph interface, whose kernels add bias and residual before they write
 * their result, and which has implementations that the older interface does not reach.
 */
final class CudnnGraphConvolution {

  private final CudaContext context;
  private final NvidiaDriver driver;
  private final int type;
  private final long[] weightSizes;
  private final int stride;
  private final int padding;

  /**
   * A convolution with symmetric padding.
   *
   * @param context of the plan
   * @param weightSizes oC, iC, kH and kW, padded channels included
   * @param stride along both axes
   * @param padding on all sides
   */
  CudnnGraphConvolution(CudaContext context, long[] weightSizes, int stride, int padding) {
    this.context = context;
    this.driver = (NvidiaDriver) context.driver();
    this.type = context.isBfloat16() ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    this.weightSizes = weightSizes;
    this.stride = stride;
    this.padding = padding;
  }

  private CudnnGraph graph() {
    CudnnGraph graph = new CudnnGraph(CudnnCard.of(driver.cudnn()), stride, padding);
    context.keep(graph);
    return graph;
  }

  private Operand map(CudnnGraph graph, Tensor map) {
    return graph.inMemory(type, map.size(0), map.rowLength(), map.size(1), map.size(2));
  }

  private Kernel kernel(CudnnPlan plan, long... addresses) {
    return plan.kernel(driver::cudnn, context.scratch(plan.workspaceBytes()), addresses);
  }

  /**
   * {@code y = convolution of x + bias (+ residual)}.
   *
   * @param weights address of packed ones
   * @param bias address of padded ones
   * @param residual may be null
   * @return nothing where cuDNN has no such kernel
   */
  Optional<Kernel> forward(Tensor x, long weights, long bias, Tensor residual, Tensor y) {
    CudnnGraph graph = graph();
    Operand in = map(graph, x);
    Operand w = graph.inMemory(type, weightSizes);
    Operand shift = graph.inMemory(type, 1, weightSizes[0], 1, 1);
    Operand out = map(graph, y);
    Operand product = graph.passedOn(out);
    graph.forward(in, w, product);
    if (residual == null) {
      graph.add(product, shift, out);
      return graph.plan().map(plan -> kernel(plan, x.address(), weights, bias, y.address()));
    }
    Operand summand = map(graph, residual);
    Operand shifted = graph.passedOn(out);
    graph.add(product, shift, shifted);
    graph.add(shifted, summand, out);
    return graph
        .plan()
        .map(plan -> kernel(plan, x.address(), weights, bias, y.address(), residual.address()));
  }

  /**
   * The gradient of x, to which the residual is added if it is not null; it may lie in dx.
   *
   * @return nothing where cuDNN has no such kernel
   */
  Optional<Kernel> dataGradient(Tensor dy, long weights, Tensor residual, Tensor dx) {
    CudnnGraph graph = graph();
    Operand slopes = map(graph, dy);
    Operand w = graph.inMemory(type, weightSizes);
    Operand out = map(graph, dx);
    if (residual == null || residual.address() == dx.address()) {
      graph.dataGradient(slopes, w, residual == null ? 0 : 1, out);
      return graph.plan().map(plan -> kernel(plan, dy.address(), weights, dx.address()));
    }
    Operand summand = map(graph, residual);
    Operand product = graph.passedOn(out);
    graph.dataGradient(slopes, w, 0, product);
    graph.add(product, summand, out);
    return graph
        .plan()
        .map(plan -> kernel(plan, dy.address(), weights, dx.address(), residual.address()));
  }

  /**
   * The gradient of the weights, packed, in scratch memory.
   *
   * @return nothing where cuDNN has no such kernel
   */
  Optional<PackedGradient> weightGradient(Tensor x, Tensor dy) {
    CudnnGraph graph = graph();
    Operand in = map(graph, x);
    Operand slopes = map(graph, dy);
    Operand gradient = graph.inMemory(type, weightSizes);
    graph.weightGradient(in, slopes, gradient);
    return graph
        .plan()
        .map(
            plan -> {
              long elements = weightSizes[0] * weightSizes[1] * weightSizes[2] * weightSizes[3];
              long bytes = CudaContext.roundUp(elements * context.elementBytes());
              long scratch = context.scratch(bytes + plan.workspaceBytes());
              Kernel product =
                  plan.kernel(driver::cudnn, scratch + bytes, x.address(), dy.address(), scratch);
              return new PackedGradient(product, scratch);
            });
  }

  /**
   * A gradient of cuDNN's layout.
   *
   * @param product makes it
   * @param address where
   */
  record PackedGradient(Kernel product, long address) {}
}
