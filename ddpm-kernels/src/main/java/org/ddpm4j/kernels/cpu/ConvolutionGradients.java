package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.ddpm4j.kernels.plan.Kernel;

/** The steps around oneDNN's gradients of convolutions and transposed convolutions. */
final class ConvolutionGradients {

  private ConvolutionGradients() {}

  /**
   * Both gradients, which two threads of a team make at the same time.
   *
   * @param flops floating-point operations of both
   * @param ofParameters that of the weights and the bias, or null if nobody wants it
   * @param ofInput that of the input, or null
   */
  static Kernel kernel(
      CpuContext context,
      double flops,
      Function<CpuContext, Kernel> ofParameters,
      Function<CpuContext, Kernel> ofInput) {
    if (ofParameters == null || ofInput == null) {
      Function<CpuContext, Kernel> only = ofParameters == null ? ofInput : ofParameters;
      return only == null ? () -> {} : only.apply(context);
    }
    return SharedKernel.of(
        context,
        flops,
        Kernel.sequence(List.of(ofInput.apply(context), ofParameters.apply(context))),
        threads ->
            List.of(ofParameters.apply(context.ofPart(0)), ofInput.apply(context.ofPart(1))));
  }

  /** Adds the steps of the gradient of the input. */
  static void addInputGradient(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      primitive gradientOfInput,
      memory dx,
      memory weights,
      CpuTensor dy) {
    CpuTensor scratch = context.scratch(operands.inputScratch(dy)).get(0);
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch);
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(gradientOfInput)
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_WEIGHTS, weights)
            .with(DNNL_ARG_DIFF_SRC, dx));
  }

  /**
   * Adds the steps that add to the gradients of weights and bias, {@code sums}, either of which may
   * be null, or blank. {@code layout} is oneDNN's of the weights' gradient, {@code maps} are x and
   * dy; the primitive computes the bias's gradient where it is wanted.
   */
  static void addParameterGradients(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      primitive gradientOfParameters,
      memory.desc layout,
      List<CpuTensor> maps,
      List<CpuTensor> sums) {
    CpuTensor x = maps.get(0);
    CpuTensor dy = maps.get(1);
    CpuTensor dw = sums.get(0);
    CpuTensor db = sums.get(1);
    boolean isWhereItShouldBe =
        dw != null && dw.isBlank() && layout.equals(operands.plainWeights());
    boolean isBiasWhereItShouldBe = db != null && db.isBlank();
    List<CpuTensor> scratch =
        context.scratch(
            isWhereItShouldBe ? 0 : layout.get_size() / Float.BYTES,
            dy.size(3),
            operands.inputScratch(x),
            operands.inputScratch(dy));
    memory ofWeights = context.memory(layout, isWhereItShouldBe ? dw : scratch.get(0));
    CpuTensor ofBias = isBiasWhereItShouldBe ? db : scratch.get(1);
    ConvolutionOperands.Input source = operands.inputX(context, x, scratch.get(2));
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch.get(3));
    steps.addAll(source.preparation());
    steps.addAll(gradient.preparation());
    DnnlCall call =
        context
            .call(gradientOfParameters)
            .with(DNNL_ARG_SRC, source.memory())
            .with(DNNL_ARG_DIFF_DST, gradient.memory())
            .with(DNNL_ARG_DIFF_WEIGHTS, ofWeights);
    if (db != null) {
      call.with(DNNL_ARG_DIFF_BIAS, context.memory(operands.bias(), ofBias));
    }
    steps.add(call);
    if (dw != null && !isWhereItShouldBe) {
      steps.add(operands.addToPlainWeights(context, ofWeights, dw));
    }
    if (db != null && !isBiasWhereItShouldBe) {
      steps.add(ParameterGradients.adding(ofBias, db));
    }
  }
}
