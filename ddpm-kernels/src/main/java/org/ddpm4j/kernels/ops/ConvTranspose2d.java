package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Transposed convolution. Inputs: x {@code [N,H,W,iC]}, weights {@code [kH,kW,oC,iC]}, bias {@code
 * [oC]}. Output: {@code [N,(H-1)s-2p+k,(W-1)s-2p+k,oC]}.
 */
public final class ConvTranspose2d extends FusedOp {

  /** For SameDiff. */
  public ConvTranspose2d() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,oC,iC]}
   * @param bias {@code [oC]}
   * @param stride along both axes
   * @param padding of the convolution whose gradient this is
   */
  public ConvTranspose2d(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias, int stride, int padding) {
    super(1, graph, x, weights, bias);
    addIArgument(stride, padding);
  }

  @Override
  public String opName() {
    return "ddpm_conv_transpose2d";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    long[] w = inputs.get(1);
    return List.of(new long[] {x[0], outputSize(x[1], w[0]), outputSize(x[2], w[1]), w[2]});
  }

  private long outputSize(long size, long kernel) {
    return (size - 1) * setting(0) - 2L * setting(1) + kernel;
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0 * Tensor.length(inputs.get(0)) * Tensor.length(inputs.get(1)) / inputs.get(1)[3];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            ConvolutionOperands.Weights.TRANSPOSED,
            x.shape(),
            inputs.get(1).shape(),
            outputs.get(0).shape(),
            ConvolutionGeometry.symmetric(setting(0), setting(1)),
            context.precision());
    deconvolution_forward.primitive_desc description = forward(operands);
    Tensor scratch = context.scratch(operands.inputScratch(x)).get(0);
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
    return ConvolutionOperands.sequence(steps);
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
        operands.endPadding());
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new ConvTranspose2dGradient(
                sameDiff, arg(0), arg(1), gradients.get(0), setting(0), setting(1))
            .outputVariables());
  }
}
