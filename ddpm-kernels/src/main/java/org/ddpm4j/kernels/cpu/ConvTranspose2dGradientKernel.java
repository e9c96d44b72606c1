package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.dnnl.deconvolution_backward_data;
import org.bytedeco.dnnl.deconvolution_backward_weights;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ConvTranspose2dGradient} on a CPU. */
final class ConvTranspose2dGradientKernel {

  private ConvTranspose2dGradientKernel() {}

  static Kernel kernel(
      ConvTranspose2dGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    return kernel(context, op.geometry(), inputs, outputs);
  }

  static Kernel kernel(
      CpuContext context,
      ConvolutionGeometry geometry,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            ConvolutionOperands.Weights.TRANSPOSED,
            inputs.get(0),
            inputs.get(1),
            inputs.get(2),
            geometry,
            context.precision());
    deconvolution_forward.primitive_desc forward = ConvTranspose2dKernel.forward(operands);
    Function<CpuContext, Kernel> ofInput =
        own -> {
          List<Kernel> steps = new ArrayList<>();
          addInputGradient(steps, own, operands, forward, inputs, outputs.get(0));
          return Kernel.sequence(steps);
        };
    Function<CpuContext, Kernel> ofParameters =
        own -> {
          List<Kernel> steps = new ArrayList<>();
          if (outputs.get(1) != null) {
            addWeightsGradient(steps, own, operands, forward, inputs, outputs.get(1));
          }
          if (outputs.get(2) != null) {
            steps.add(new BiasGradient(own, inputs.get(2), outputs.get(2)));
          }
          return Kernel.sequence(steps);
        };
    CpuTensor x = inputs.get(0);
    return ConvolutionGradients.kernel(
        context,
        4.0 * inputs.get(1).length() * x.length() / x.size(3),
        outputs.get(1) == null && outputs.get(2) == null ? null : ofParameters,
        outputs.get(0) == null ? null : ofInput);
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

  /**
   * Without the bias's: oneDNN has no vector instructions for that here, and takes three times as
   * long for it as for the weights' in bfloat16 (508 and 134 µs for eight images of 14x14x28, one
   * thread; docs/optimisations.md).
   */
  private static void addWeightsGradient(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      deconvolution_forward.primitive_desc forward,
      List<CpuTensor> inputs,
      CpuTensor dw) {
    var description =
        new deconvolution_backward_weights.primitive_desc(
            Onednn.engine(),
            algorithm.deconvolution_direct,
            operands.multipliedX(),
            operands.weightsGradient(),
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
        Arrays.asList(dw, null));
  }
}
