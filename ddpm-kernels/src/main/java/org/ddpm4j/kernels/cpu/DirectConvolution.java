package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;

/**
 * Convolution by oneDNN, as it is defined.
 *
 * @param kind how the weights lie
 * @param geometry steps and padding
 * @param precision of the multiplications
 * @param w the weights
 * @param bias one number per output channel, or null
 * @param function applied to the results; there is no residual then
 */
record DirectConvolution(
    ConvolutionOperands.Weights kind,
    ConvolutionGeometry geometry,
    Precision precision,
    CpuTensor w,
    CpuTensor bias,
    Activation function)
    implements ConvolutionAlgorithm {

  @Override
  public Kernel kernel(
      CpuContext context, ConvolutionRows rows, convolution_forward.primitive_desc code) {
    ConvolutionOperands operands = operands(rows);
    CpuTensor scratch = context.scratch(operands.inputScratch(rows.x())).get(0);
    ConvolutionOperands.Input source = operands.inputX(context, rows.x(), scratch);
    DnnlCall call =
        context
            .call(new convolution_forward(code))
            .with(DNNL_ARG_SRC, source.memory())
            .with(DNNL_ARG_WEIGHTS, operands.packedWeights(context, w, code.weights_desc()))
            .with(DNNL_ARG_DST, context.memory(operands.y(), rows.y()));
    if (bias != null) {
      call.with(DNNL_ARG_BIAS, context.memory(operands.bias(), bias));
    }
    epilogue(rows).addArguments(call, context);
    List<Kernel> steps = new ArrayList<>(source.preparation());
    steps.add(call);
    return Kernel.sequence(steps);
  }

  @Override
  public convolution_forward.primitive_desc code(ConvolutionRows rows, memory.desc weights) {
    return forward(operands(rows), weights, bias != null, epilogue(rows).attributes());
  }

  @Override
  public memory.desc anyLayout(ConvolutionRows rows) {
    return operands(rows).weights();
  }

  @Override
  public int rowsTogether() {
    return 1;
  }

  private ConvolutionOperands operands(ConvolutionRows rows) {
    return ConvolutionOperands.of(kind, rows.x(), w, rows.y(), geometry, precision)
        .withRowsAround(rows.above(), rows.below());
  }

  private Conv2dKernel.Epilogue epilogue(ConvolutionRows rows) {
    return new Conv2dKernel.Epilogue(function, rows.residual());
  }

  static convolution_forward.primitive_desc forward(
      ConvolutionOperands operands,
      memory.desc weights,
      boolean withBias,
      primitive_attr attributes) {
    return new convolution_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm.convolution_direct,
        operands.multipliedX(),
        weights,
        operands.bias(withBias),
        operands.y(),
        operands.strides(),
        operands.padding(),
        operands.endPadding(),
        attributes,
        false);
  }
}
