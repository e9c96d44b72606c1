package org.ddpm4j.kernels.ops;

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
import org.ddpm4j.kernels.DnnlCall;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Conv2d}. Inputs: x, weights, gradient of the output. Outputs: gradients of
 * x, weights and bias.
 */
public final class Conv2dGradient extends FusedOp {

  /** For SameDiff. */
  public Conv2dGradient() {
    super(3);
  }

  Conv2dGradient(
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable dy,
      ConvolutionGeometry geometry) {
    super(3, graph, x, weights, dy);
    addIArgument(geometry.stride(), geometry.padding(), geometry.endPadding());
  }

  @Override
  public String opName() {
    return "ddpm_conv2d_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[3]});
  }

  @Override
  public boolean addsTo(int output) {
    return output > 0;
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 4.0 * Tensor.length(inputs.get(2)) * Tensor.length(inputs.get(1)) / inputs.get(1)[3];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(
        context,
        ConvolutionOperands.Weights.DENSE,
        new ConvolutionGeometry(setting(0), setting(1), setting(2)),
        inputs,
        outputs);
  }

  static Kernel kernel(
      KernelContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      List<Tensor> inputs,
      List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor w = inputs.get(1);
    Tensor dy = inputs.get(2);
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            kind, x.shape(), w.shape(), dy.shape(), geometry, context.precision());
    convolution_forward.primitive_desc forward =
        Conv2d.forward(operands, true, new primitive_attr());
    List<Kernel> steps = new ArrayList<>();
    Tensor dx = outputs.get(0);
    Tensor dw = outputs.get(1);
    Tensor db = outputs.get(2);
    if (Conv2d.isForWinograd(context, kind, geometry, x, w)) {
      boolean allForWinograd = dw != null && WinogradSquares.winForWeights(x, w.size(3));
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
    return ConvolutionOperands.sequence(steps);
  }

  private static void addInputGradient(
      List<Kernel> steps,
      KernelContext context,
      ConvolutionOperands operands,
      convolution_forward.primitive_desc forward,
      Tensor w,
      Tensor dy,
      Tensor dx) {
    var description =
        new convolution_backward_data.primitive_desc(
            Onednn.engine(),
            algorithm.convolution_direct,
            operands.x(),
            operands.weights(),
            operands.multipliedY(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            forward);
    Tensor scratch = context.scratch(operands.inputScratch(dy)).get(0);
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch);
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(new convolution_backward_data(description))
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_WEIGHTS, operands.packedWeights(context, w, description.weights_desc()))
            .with(DNNL_ARG_DIFF_SRC, context.memory(operands.x(), dx)));
  }

  private static void addParameterGradients(
      List<Kernel> steps,
      KernelContext context,
      ConvolutionOperands operands,
      convolution_forward.primitive_desc forward,
      Tensor x,
      Tensor dy,
      Tensor dw,
      Tensor db) {
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
    List<Tensor> scratch =
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

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
