package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.ops.DepthwiseConv2dGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link DepthwiseConv2dGradient} on a CPU. */
final class DepthwiseConv2dGradientKernel {

  private DepthwiseConv2dGradientKernel() {}

  static Kernel kernel(
      DepthwiseConv2dGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    ConvolutionGeometry geometry = op.geometry();
    if (geometry.stride() != 1) {
      return Conv2dGradientKernel.kernel(
          context, ConvolutionOperands.Weights.DEPTHWISE, geometry, inputs, outputs);
    }
    List<CpuTensor> onlyInput = Arrays.asList(outputs.get(0), null, null);
    Function<CpuContext, Kernel> ofInput =
        own ->
            Conv2dGradientKernel.kernel(
                own, ConvolutionOperands.Weights.DEPTHWISE, geometry, inputs, onlyInput);
    CpuTensor x = inputs.get(0);
    CpuTensor dy = inputs.get(2);
    Function<CpuContext, Kernel> ofParameters =
        own -> {
          List<Kernel> steps = new ArrayList<>();
          if (outputs.get(1) != null) {
            addWeightsGradient(steps, own, geometry, x, dy, outputs.get(1));
          }
          if (outputs.get(2) != null) {
            steps.add(new BiasGradient(own, dy, outputs.get(2)));
          }
          return Kernel.sequence(steps);
        };
    return ConvolutionGradients.kernel(
        context,
        4.0 * inputs.get(1).length() * dy.length() / dy.size(3),
        outputs.get(1) == null && outputs.get(2) == null ? null : ofParameters,
        outputs.get(0) == null ? null : ofInput);
  }

  /**
   * The gradient of the weights is again a depthwise convolution, of the input with the gradient of
   * the output as its kernel, summed over the images. oneDNN's own code for it is eight times
   * slower (measured for 7x7).
   *
   * <p>Its code for processors without AVX2 can add to nothing but aligned memory, where neither a
   * parameter nor, for some numbers of channels, a row begins; there the sum is ours.
   */
  private static void addWeightsGradient(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionGeometry geometry,
      CpuTensor x,
      CpuTensor dy,
      CpuTensor dw) {
    long channels = x.size(3);
    long[] kernel = {1, dy.size(1), dy.size(2), channels};
    ConvolutionOperands operands =
        ConvolutionOperands.ofFloats(
            ConvolutionOperands.Weights.DEPTHWISE,
            new long[] {1, x.size(1), x.size(2), channels},
            new long[] {dy.size(1), dy.size(2), channels, 1},
            new long[] {1, dw.size(0), dw.size(1), channels},
            geometry);
    boolean adds = Onednn.hasAvx2();
    var description =
        new convolution_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            algorithm.convolution_direct,
            operands.x(),
            operands.weights(),
            operands.y(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            adds ? Onednn.attributesOfAdding() : Onednn.attributes(),
            false);
    memory.desc layout = description.weights_desc();
    List<CpuTensor> scratch =
        context.scratch(layout.get_size() / Float.BYTES, adds ? 0 : dw.length());
    memory packed = context.memory(layout, scratch.get(0));
    CpuTensor ofImage = scratch.get(1);
    memory result = context.memory(operands.y(), adds ? dw : ofImage);
    convolution_forward convolution = new convolution_forward(description);
    long inputLength = x.length() / x.size(0);
    long outputLength = dy.length() / dy.size(0);
    for (int n = 0; n < x.size(0); n++) {
      CpuTensor image = x.part(n * inputLength, x.size(1), x.size(2), channels);
      CpuTensor slopes = dy.part(n * outputLength, kernel);
      memory plain = context.memory(operands.plainWeights(), slopes);
      steps.add(context.copying(plain, packed));
      steps.add(
          context
              .call(convolution)
              .with(DNNL_ARG_SRC, context.memory(operands.x(), image))
              .with(DNNL_ARG_WEIGHTS, packed)
              .with(DNNL_ARG_DST, result));
      if (!adds) {
        steps.add(ParameterGradients.adding(ofImage, dw));
      }
    }
  }
}
