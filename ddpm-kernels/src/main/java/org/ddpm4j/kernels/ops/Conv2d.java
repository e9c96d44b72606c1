package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.ddpm4j.kernels.DnnlCall;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Precision;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Two-dimensional convolution with zero padding. Inputs: x {@code [N,H,W,iC]}, weights {@code
 * [kH,kW,iC,oC]}, and a bias {@code [oC]} or none. Output: {@code [N,oH,oW,oC]}.
 */
public final class Conv2d extends FusedOp {

  /** For SameDiff. */
  public Conv2d() {
    super(1);
  }

  /**
   * Adds the operation with symmetric padding to a graph.
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
    this(graph, x, weights, bias, stride, padding, padding);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,iC,oC]}
   * @param bias {@code [oC]}, or null for none
   * @param stride along both axes
   * @param padding zeros above and on the left
   * @param endPadding zeros below and on the right
   */
  public Conv2d(
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable bias,
      int stride,
      int padding,
      int endPadding) {
    super(1, graph, inputs(x, weights, bias));
    addIArgument(
        stride, padding, endPadding, bias == null ? 0 : 1, EltwiseFunction.IDENTITY.ordinal(), 0);
  }

  private Conv2d(Conv2d other, EltwiseFunction function, boolean residual) {
    super(1);
    addIArgument(
        other.setting(0),
        other.setting(1),
        other.setting(2),
        other.setting(3),
        function.ordinal(),
        residual ? 1 : 0);
  }

  /** An activation or the addition of a residual is done by oneDNN as it writes the output. */
  @Override
  public FusedOp fusedWith(FusedOp next) {
    if (function() != EltwiseFunction.IDENTITY || addsResidual()) {
      return null;
    }
    if (next instanceof Eltwise eltwise) {
      return new Conv2d(this, eltwise.function(), false);
    }
    return next instanceof Add ? new Conv2d(this, EltwiseFunction.IDENTITY, true) : null;
  }

  private ConvolutionGeometry geometry() {
    return new ConvolutionGeometry(setting(0), setting(1), setting(2));
  }

  private boolean hasBias() {
    return setting(3) == 1;
  }

  private EltwiseFunction function() {
    return EltwiseFunction.values()[setting(4)];
  }

  private boolean addsResidual() {
    return setting(5) == 1;
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
    ConvolutionGeometry geometry = geometry();
    long height = geometry.outputSize(x[1], w[0]);
    return List.of(new long[] {x[0], height, geometry.outputSize(x[2], w[1]), w[3]});
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
    return kernel(
        context,
        ConvolutionOperands.Weights.DENSE,
        geometry(),
        inputs.get(0),
        inputs.get(1),
        hasBias() ? inputs.get(2) : null,
        outputs.get(0),
        new Ending(function(), addsResidual() ? inputs.get(inputs.size() - 1) : null));
  }

  /**
   * What is done to the result: one of both at most.
   *
   * @param function applied to it
   * @param residual added to it, or null
   */
  record Ending(EltwiseFunction function, Tensor residual) {

    static final Ending NONE = new Ending(EltwiseFunction.IDENTITY, null);

    primitive_attr attributes(ConvolutionOperands operands) {
      post_ops operations = new post_ops();
      if (function != EltwiseFunction.IDENTITY) {
        operations.append_eltwise(function.algorithm(), function.alpha(), 0f);
      }
      if (residual != null) {
        operations.append_binary(algorithm.binary_add, operands.y());
      }
      primitive_attr attributes = new primitive_attr();
      attributes.set_post_ops(operations);
      return attributes;
    }

    void addArguments(DnnlCall call, KernelContext context, ConvolutionOperands operands) {
      if (residual != null) {
        call.with(
            DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1,
            context.memory(operands.y(), residual));
      }
    }
  }

  static Kernel kernel(
      KernelContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      Tensor x,
      Tensor w,
      Tensor bias,
      Tensor y,
      Ending ending) {
    if (isForWinograd(context, kind, geometry, x, w)) {
      Kernel winograd = new Winograd(context, x, w, bias, ending.residual(), y);
      return ending.function() == EltwiseFunction.IDENTITY
          ? winograd
          : ConvolutionOperands.sequence(
              List.of(winograd, Eltwise.kernel(context, ending.function(), y, y)));
    }
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            kind, x.shape(), w.shape(), y.shape(), geometry, context.precision());
    convolution_forward.primitive_desc description =
        forward(operands, bias != null, ending.attributes(operands));
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
    ending.addArguments(call, context, operands);
    List<Kernel> steps = new ArrayList<>(source.preparation());
    steps.add(call);
    return ConvolutionOperands.sequence(steps);
  }

  static boolean isForWinograd(
      KernelContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      Tensor x,
      Tensor w) {
    return kind == ConvolutionOperands.Weights.DENSE
        && context.precision() == Precision.FLOAT32
        && geometry.keepsSizeOfKernel3()
        && w.size(0) == 3
        && WinogradSquares.win(x.size(1), x.size(2), w.size(2), w.size(3));
  }

  static convolution_forward.primitive_desc forward(
      ConvolutionOperands operands, boolean withBias, primitive_attr attributes) {
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
            operands.endPadding(),
            attributes,
            false)
        : new convolution_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            algorithm.convolution_direct,
            operands.multipliedX(),
            operands.weights(),
            operands.y(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            attributes,
            false);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable[] all =
        new Conv2dGradient(sameDiff, arg(0), arg(1), gradients.get(0), geometry())
            .outputVariables();
    return Arrays.asList(all).subList(0, args().length);
  }
}
