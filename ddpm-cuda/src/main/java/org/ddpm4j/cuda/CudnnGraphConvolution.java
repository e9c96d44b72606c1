package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;

import java.util.List;
import java.util.Optional;
import org.ddpm4j.cuda.CudnnShape.Result;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * A convolution by cuDNN's graph interface, whose kernels add bias and residual before they write
 * their result, and which has implementations that the older interface does not reach. Its methods
 * give nothing where cuDNN has no such kernel.
 */
final class CudnnGraphConvolution {

  private final CudaContext context;
  private final NvidiaDriver driver;
  private final List<Integer> x;
  private final List<Integer> w;
  private final List<Integer> y;
  private final int stride;
  private final int padding;

  /**
   * A convolution with symmetric padding.
   *
   * @param context of the plan
   * @param x input or its gradient
   * @param w weights, {@code [kH,kW,iC,oC]}
   * @param y output or its gradient
   * @param stride along both axes
   * @param padding on all sides
   */
  CudnnGraphConvolution(
      CudaContext context, Tensor x, Tensor w, Tensor y, int stride, int padding) {
    this.context = context;
    this.driver = (NvidiaDriver) context.driver();
    this.x = sizes(x);
    this.y = sizes(y);
    this.w = List.of((int) y.rowLength(), (int) x.rowLength(), w.size(0), w.size(1));
    this.stride = stride;
    this.padding = padding;
  }

  private static List<Integer> sizes(Tensor map) {
    return List.of(map.size(0), (int) map.rowLength(), map.size(1), map.size(2));
  }

  private Optional<CudnnPlan> plan(Result result) {
    int type = context.isBfloat16() ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    return driver.cudnnPlans().plan(new CudnnShape(result, type, x, w, y, stride, padding));
  }

  private Kernel kernel(CudnnPlan plan, long... addresses) {
    return kernel(plan, context.scratch(plan.workspaceBytes()), addresses);
  }

  private Kernel kernel(CudnnPlan plan, long workspace, long[] addresses) {
    CudnnDescriptor bound = plan.bind(workspace, addresses);
    context.atEnd(bound::close);
    return () -> plan.run(driver.cudnn(), bound);
  }

  /**
   * {@code y = convolution of x + bias (+ residual)}.
   *
   * @param weights address of packed ones
   * @param bias address of padded ones
   * @param residual may be null
   */
  Optional<Kernel> forward(Tensor x, long weights, long bias, Tensor residual, Tensor y) {
    if (residual == null) {
      return plan(Result.OUTPUT).map(plan -> kernel(plan, x.address(), weights, bias, y.address()));
    }
    return plan(Result.OUTPUT_AND_RESIDUAL)
        .map(plan -> kernel(plan, x.address(), weights, bias, y.address(), residual.address()));
  }

  /**
   * The gradient of x, to which the residual is added if it is not null; it may lie in dx.
   *
   * @param weights address of packed ones
   */
  Optional<Kernel> dataGradient(Tensor dy, long weights, Tensor residual, Tensor dx) {
    if (residual != null && residual.address() != dx.address()) {
      return plan(Result.DATA_GRADIENT_AND_RESIDUAL)
          .map(plan -> kernel(plan, dy.address(), weights, dx.address(), residual.address()));
    }
    return plan(residual == null ? Result.DATA_GRADIENT : Result.DATA_GRADIENT_IN_PLACE)
        .map(plan -> kernel(plan, dy.address(), weights, dx.address()));
  }

  /** The gradient of the weights, packed, in scratch memory. */
  Optional<PackedGradient> weightGradient(Tensor x, Tensor dy) {
    return plan(Result.WEIGHT_GRADIENT).map(plan -> weightGradient(plan, x, dy));
  }

  private PackedGradient weightGradient(CudnnPlan plan, Tensor x, Tensor dy) {
    long elements = (long) w.get(0) * w.get(1) * w.get(2) * w.get(3);
    long bytes = CudaContext.roundUp(elements * context.elementBytes());
    long scratch = context.scratch(bytes + plan.workspaceBytes());
    long[] addresses = {x.address(), dy.address(), scratch};
    return new PackedGradient(kernel(plan, scratch + bytes, addresses), scratch);
  }

  /**
   * A gradient of cuDNN's layout.
   *
   * @param product makes it
   * @param address where
   */
  record PackedGradient(Kernel product, long address) {}
}
