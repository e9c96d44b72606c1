package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ConvTranspose2d} on a CPU. */
final class ConvTranspose2dKernel {

  private ConvTranspose2dKernel() {}

  static Kernel kernel(
      ConvTranspose2d op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            ConvolutionOperands.Weights.TRANSPOSED,
            x,
            inputs.get(1),
            outputs.get(0),
            op.geometry(),
            context.precision());
    deconvolution_forward.primitive_desc description = forward(operands);
    CpuTensor scratch = context.scratch(operands.inputScratch(x)).get(0);
    ConvolutionOperands.Input source = operands.inputX(context, x, scratch);
    List<Kernel> steps = new ArrayList<>(source.preparation());
    steps.add(
        context
            .call(new deconvolution_forward(description))
            .with(DNNL_ARG_SRC, source.memory())
            .with(
                DNNL_ARG_WEIGHTS,
                operands.packedWeights(context, inputs.get(1), description.weights_desc()))
            .with(DNNL_ARG_BIAS, context.memory(operands.bias(), inputs.get(2)))
            .with(DNNL_ARG_DST, context.memory(operands.y(), outputs.get(0))));
    return Kernel.sequence(steps);
  }

  static deconvolution_forward.primitive_desc forward(ConvolutionOperands operands) {
    return new deconvolution_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm.deconvolution_direct,
        operands.multipliedX(),
        operands.weights(),
        operands.bias(),
        operands.y(),
        operands.strides(),
        operands.padding(),
        operands.endPadding(),
        Onednn.attributes(),
        false);
  }
}
