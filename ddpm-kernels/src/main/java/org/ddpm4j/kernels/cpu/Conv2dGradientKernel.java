package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Conv2dGradient} on a CPU. */
final class Conv2dGradientKernel {

  private Conv2dGradientKernel() {}

  static Kernel kernel(
      Conv2dGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return kernel(context, ConvolutionOperands.Weights.DENSE, op.geometry(), inputs, outputs);
  }

  static Kernel kernel(
      CpuContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor w = inputs.get(1);
    CpuTensor dy = inputs.get(2);
    ConvolutionOperands operands =
        ConvolutionOperands.of(kind, x, w, dy, geometry, context.precision());
    convolution_forward.primitive_desc forward =
        DirectConvolution.forward(operands, operands.weights(), true, Onednn.attributes());
    CpuTensor dx = outputs.get(0);
    CpuTensor dw = outputs.get(1);
    CpuTensor db = outputs.get(2);
    boolean isWinograd = Conv2dKernel.isForWinograd(context, kind, geometry, x, w);
    boolean isWinograd1d = Conv2dKernel.isForWinograd1d(context, kind, geometry, x, w);
    if (dw != null && isWinograd && WinogradTiles.isFasterForWeights(x, w.size(3))) {
      return new WinogradGradient(context, x, w, dy, dx, dw, db);
    }
    if (dw != null && isWinograd1d && Winograd1dTiles.isFasterForWeights(x, w.size(3))) {
      return new Winograd1dGradient(context, x, w, dy, dx, dw, db);
    }
    Function<CpuContext, Kernel> ofInput =
        own -> {
          if (isWinograd) {
            return new WinogradGradient(own, x, w, dy, dx, null, null);
          }
          if (isWinograd1d) {
            return new Winograd1dGradient(own, x, w, dy, dx, null, null);
          }
          List<Kernel> steps = new ArrayList<>();
          addInputGradient(steps, own, operands, forward, w, dy, dx);
          return Kernel.sequence(steps);
        };
    Function<CpuContext, Kernel> ofParameters =
        own -> {
          List<Kernel> steps = new ArrayList<>();
          if (PointwiseParameterGradients.isFor(kind, geometry, w)) {
            PointwiseParameterGradients.addTo(steps, own, operands, x, dy, dw, db);
          } else {
            addParameterGradients(steps, own, operands, forward, x, dy, dw, db);
          }
          return Kernel.sequence(steps);
        };
    return ConvolutionGradients.kernel(
        context,
        4.0 * w.length() * dy.length() / dy.size(3),
        dw == null && db == null ? null : ofParameters,
        dx == null ? null : ofInput);
  }

  private static void addInputGradient(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      convolution_forward.primitive_desc forward,
      CpuTensor w,
      CpuTensor dy,
      CpuTensor dx) {
    var description =
        new convolution_backward_data.primitive_desc(
            Onednn.engine(),
            algorithm.convolution_direct,
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
        new convolution_backward_data(description),
        context.memory(description.diff_src_desc(), dx),
        operands.packedWeights(context, w, description.weights_desc()),
        dy);
  }

  private static void addParameterGradients(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      convolution_forward.primitive_desc forward,
      CpuTensor x,
      CpuTensor dy,
      CpuTensor dw,
      CpuTensor db) {
    var description =
        new convolution_backward_weights.primitive_desc(
            Onednn.engine(),
            algorithm.convolution_direct,
            operands.multipliedX(),
            operands.weightsGradient(),
            operands.bias(db != null),
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
        new convolution_backward_weights(description),
        description.diff_weights_desc(),
        List.of(x, dy),
        Arrays.asList(dw, db));
  }
}
