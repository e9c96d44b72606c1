package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.deconvolution_backward_data;
import org.bytedeco.dnnl.deconvolution_backward_weights;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ConvTranspose2dGradient} on a CPU. */
final class ConvTranspose2dGradientKernel {

  private ConvTranspose2dGradientKernel() {}

  static Kernel kernel(
      ConvTranspose2dGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            ConvolutionOperands.Weights.TRANSPOSED,
            inputs.get(0),
            inputs.get(1),
            inputs.get(2),
            op.geometry(),
            context.precision());
    deconvolution_forward.primitive_desc forward = ConvTranspose2dKernel.forward(operands);
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      addInputGradient(steps, context, operands, forward, inputs, outputs.get(0));
    }
    if (outputs.get(1) != null || outputs.get(2) != null) {
      addParameterGradients(steps, context, operands, forward, inputs, outputs);
    }
    return Kernel.sequence(steps);
  }

  private static void addInputGradient(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      deconvolution_forward.primitive_desc forward,
      List<CpuTensor> inputs,
      CpuTensor dx) {
    CpuTensor dy = inputs.get(2);
    var description =
        new deconvolution_backward_data.primitive_desc(
            Onednn.engine(),
            algorithm.deconvolution_direct,
            Onednn.channelsLast(dx.dataType(), dx.shape()),
            operands.weights(),
            operands.multipliedY(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            forward);
    CpuTensor scratch = context.scratch(operands.inputScratch(dy)).get(0);
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch);
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(new deconvolution_backward_data(description))
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(
                DNNL_ARG_WEIGHTS,
                operands.packedWeights(context, inputs.get(1), description.weights_desc()))
            .with(DNNL_ARG_DIFF_SRC, context.memory(description.diff_src_desc(), dx)));
  }

  private static void addParameterGradients(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      deconvolution_forward.primitive_desc forward,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor dy = inputs.get(2);
    var description =
        new deconvolution_backward_weights.primitive_desc(
            Onednn.engine(),
            algorithm.deconvolution_direct,
            operands.multipliedX(),
            operands.weightsGradient(),
            operands.bias(),
            operands.multipliedY(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            forward);
    memory.desc layout = description.diff_weights_desc();
    long channels = dy.size(3);
    List<CpuTensor> scratch =
        context.scratch(
            layout.get_size() / Float.BYTES,
            channels,
            operands.inputScratch(x),
            operands.inputScratch(dy));
    memory sum = context.memory(layout, scratch.get(0));
    ConvolutionOperands.Input source = operands.inputX(context, x, scratch.get(2));
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch.get(3));
    steps.addAll(source.preparation());
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(new deconvolution_backward_weights(description))
            .with(DNNL_ARG_SRC, source.memory())
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_DIFF_WEIGHTS, sum)
            .with(DNNL_ARG_DIFF_BIAS, context.memory(operands.bias(), scratch.get(1))));
    if (outputs.get(1) != null) {
      steps.add(operands.addToPlainWeights(context, sum, outputs.get(1)));
    }
    if (outputs.get(2) != null) {
      steps.add(ParameterGradients.adding(scratch.get(1), outputs.get(2)));
    }
  }
}
