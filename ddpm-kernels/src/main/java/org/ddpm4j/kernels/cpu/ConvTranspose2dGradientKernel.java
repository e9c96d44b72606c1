package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.deconvolution_backward_data;
import org.bytedeco.dnnl.deconvolution_backward_weights;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
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
            forward,
            Onednn.attributes(),
            false);
    ConvolutionGradients.addInputGradient(
        steps,
        context,
        operands,
        new deconvolution_backward_data(description),
        context.memory(description.diff_src_desc(), dx),
        operands.packedWeights(context, inputs.get(1), description.weights_desc()),
        inputs.get(2));
  }

  private static void addParameterGradients(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      deconvolution_forward.primitive_desc forward,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
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
            forward,
            Onednn.attributes(),
            false);
    ConvolutionGradients.addParameterGradients(
        steps,
        context,
        operands,
        new deconvolution_backward_weights(description),
        description.diff_weights_desc(),
        List.of(inputs.get(0), inputs.get(2)),
        outputs.subList(1, 3));
  }
}
