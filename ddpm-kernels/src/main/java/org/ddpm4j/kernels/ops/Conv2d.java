package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.ddpm4j.kernels.DnnlCall;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Two-dimensional convolution with symmetric zero padding. Inputs: x {@code [N,H,W,iC]}, weights
 * {@code [kH,kW,iC,oC]}, and a bias {@code [oC]} or none. Output: {@code [N,oH,oW,oC]}.
 */
public final class Conv2d extends FusedOp {

  /** For SameDiff. */
  public Conv2d() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,iC,oC]}
   * @param bias {@code [oC]}, or null for none
   * @param stride along both axes
   * @param padding zeros on each side
   */
  public Conv2d(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias, int stride, int padding) {
    super(1, graph, inputs(x, weights, bias));
    addIArgument(stride, padding);
  }

  static SDVariable[] inputs(SDVariable x, SDVariable weights, SDVariable bias) {
    return bias == null ? new SDVariable[] {x, weights} : new SDVariable[] {x, weights, bias};
  }

  @Override
  public String opName() {
    return "ddpm_conv2d";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    long[] w = inputs.get(1);
    return List.of(new long[] {x[0], outputSize(x[1], w[0]), outputSize(x[2], w[1]), w[3]});
  }

  private long outputSize(long size, long kernel) {
    return (size + 2L * setting(1) - kernel) / setting(0) + 1;
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0
        * Tensor.length(outputShapes(inputs).get(0))
        * Tensor.length(inputs.get(1))
        / inputs.get(1)[3];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor bias = inputs.size() > 2 ? inputs.get(2) : null;
    return kernel(
        context,
        ConvolutionOperands.Weights.DENSE,
        setting(0),
        setting(1),
        inputs.get(0),
        inputs.get(1),
        bias,
        outputs.get(0));
  }

  static Kernel kernel(
      KernelContext context,
      ConvolutionOperands.Weights kind,
      int stride,
      int padding,
      Tensor x,
      Tensor w,
      Tensor bias,
      Tensor y) {
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            kind, x.shape(), w.shape(), y.shape(), stride, padding, context.precision());
    convolution_forward.primitive_desc description = forward(operands, bias != null);
    Tensor scratch = context.scratch(operands.inputScratch(x)).get(0);
    ConvolutionOperands.Input source = operands.inputX(context, x, scratch);
    DnnlCall call =
        context
            .call(new convolution_forward(description))
            .with(DNNL_ARG_SRC, source.memory())
            .with(DNNL_ARG_WEIGHTS, operands.packedWeights(context, w, description.weights_desc()))
            .with(DNNL_ARG_DST, context.memory(operands.y(), y));
    if (bias != null) {
      call.with(DNNL_ARG_BIAS, context.memory(operands.bias(), bias));
    }
    List<Kernel> steps = new ArrayList<>(source.preparation());
    steps.add(call);
    return ConvolutionOperands.sequence(steps);
  }

  static convolution_forward.primitive_desc forward(
      ConvolutionOperands operands, boolean withBias) {
    return withBias
        ? new convolution_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            algorithm.convolution_direct,
            operands.multipliedX(),
            operands.weights(),
            operands.bias(),
            operands.y(),
            operands.strides(),
            operands.padding(),
            operands.padding())
        : new convolution_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            algorithm.convolution_direct,
            operands.multipliedX(),
            operands.weights(),
            operands.y(),
            operands.strides(),
            operands.padding(),
            operands.padding());
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable[] all =
        new Conv2dGradient(sameDiff, arg(0), arg(1), gradients.get(0), setting(0), setting(1))
            .outputVariables();
    return Arrays.asList(all).subList(0, args().length);
  }
}
