package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link DepthwiseConv2d} on a CPU. */
final class DepthwiseConv2dKernel {

  private DepthwiseConv2dKernel() {}

  static Kernel kernel(
      DepthwiseConv2d op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return Conv2dKernel.kernel(
        context,
        ConvolutionOperands.Weights.DEPTHWISE,
        op.geometry(),
        inputs.get(0),
        inputs.get(1),
        inputs.get(2),
        outputs.get(0),
        Conv2dKernel.Epilogue.NONE);
  }
}
