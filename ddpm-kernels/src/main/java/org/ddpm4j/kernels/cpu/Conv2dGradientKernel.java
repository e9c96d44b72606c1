package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
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
        Conv2dKernel.forward(operands, true, new primitive_attr());
    List<Kernel> steps = new ArrayList<>();
    CpuTensor dx = outputs.get(0);
    CpuTensor dw = outputs.get(1);
    CpuTensor db = outputs.get(2);
    if (Conv2dKernel.isForWinograd(context, kind, geometry, x, w)) {
      boolean allForWinograd = dw != null && WinogradTiles.isFasterForWeights(x, w.size(3));
      if (allForWinograd) {
        return new WinogradGradient(context, x, w, dy, dx, dw, db);
      }
      if (dx != null) {
        steps.add(new WinogradGradient(context, x, w, dy, dx, null, null));
      }
    } else if (dx != null) {
      addInputGradient(steps, context, operands, forward, w, dy, dx);
    }
    if (dw != null || db != null) {
      addParameterGradients(steps, context, operands, forward, x, dy, dw, db);
    }
    return Kernel.sequence(steps);
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
            forward);
    CpuTensor scratch = context.scratch(operands.inputScratch(dy)).get(0);
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch);
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(new convolution_backward_data(description))
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_WEIGHTS, operands.packedWeights(context, w, description.weights_desc()))
            .with(DNNL_ARG_DIFF_SRC, context.memory(description.diff_src_desc(), dx)));
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
    DnnlCall call =
        context
            .call(new convolution_backward_weights(description))
            .with(DNNL_ARG_SRC, source.memory())
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_DIFF_WEIGHTS, sum)
            .with(DNNL_ARG_DIFF_BIAS, context.memory(operands.bias(), scratch.get(1)));
    steps.add(call);
    if (dw != null) {
      steps.add(operands.addToPlainWeights(context, sum, dw));
    }
    if (db != null) {
      steps.add(ParameterGradients.adding(scratch.get(1), db));
    }
  }
}
