package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The gradients of the weights and the bias of a convolution of kernel 1, as those of a fully
 * connected layer whose batch are all positions: one matrix product, which oneDNN does faster than
 * what it has for such convolutions.
 */
final class PointwiseParameterGradients {

  /**
   * From so many weights on, float32 products are faster into the layout of the network than into
   * oneDNN's, by up to a third; below they are slower.
   */
  private static final long LARGE = 1 << 18;

  private PointwiseParameterGradients() {}

  static boolean isFor(
      ConvolutionOperands.Weights kind, ConvolutionGeometry geometry, CpuTensor w) {
    return kind == ConvolutionOperands.Weights.DENSE
        && w.size(0) == 1
        && w.size(1) == 1
        && geometry.keepsSize(1);
  }

  /**
   * Adds the steps that add to the gradients.
   *
   * @param operands of the convolution
   * @param x input, {@code [N,H,W,iC]}
   * @param dy gradient of the output, {@code [N,H,W,oC]}
   * @param dw {@code [1,1,iC,oC]}, or null
   * @param db {@code [oC]}, or null
   */
  static void addTo(
      List<Kernel> steps,
      CpuContext context,
      ConvolutionOperands operands,
      CpuTensor x,
      CpuTensor dy,
      CpuTensor dw,
      CpuTensor db) {
    long in = x.size(3);
    long out = dy.size(3);
    memory.desc rowsOfX = Onednn.dense(operands.type(), x.length() / in, in);
    memory.desc rowsOfDy = Onednn.dense(operands.type(), dy.length() / out, out);
    memory.desc bias = operands.bias();
    memory.desc plain = Onednn.strided(new long[] {out, in}, 1, out);
    boolean staysPlain = operands.type() == memory.data_type.f32 && in * out >= LARGE;
    var description =
        description(
            rowsOfX,
            staysPlain ? plain : Onednn.any(memory.data_type.f32, out, in),
            bias,
            rowsOfDy,
            Onednn.any(operands.type(), out, in));
    memory.desc layout = description.diff_weights_desc();
    List<CpuTensor> scratch =
        context.scratch(
            layout.get_size() / Float.BYTES,
            out,
            operands.inputScratch(x),
            operands.inputScratch(dy));
    memory ofWeights = context.memory(layout, scratch.get(0));
    ConvolutionOperands.Input source = operands.inputX(context, x, scratch.get(2));
    ConvolutionOperands.Input gradient = operands.inputY(context, dy, scratch.get(3));
    steps.addAll(source.preparation());
    steps.addAll(gradient.preparation());
    steps.add(
        context
            .call(new inner_product_backward_weights(description))
            .with(DNNL_ARG_SRC, seenAs(rowsOfX, source.memory()))
            .with(DNNL_ARG_DIFF_DST, seenAs(rowsOfDy, gradient.memory()))
            .with(DNNL_ARG_DIFF_WEIGHTS, ofWeights)
            .with(DNNL_ARG_DIFF_BIAS, context.memory(bias, scratch.get(1))));
    if (dw != null) {
      steps.add(context.adding(ofWeights, context.memory(plain, dw)));
    }
    if (db != null) {
      steps.add(ParameterGradients.adding(scratch.get(1), db));
    }
  }

  private static inner_product_backward_weights.primitive_desc description(
      memory.desc x, memory.desc dw, memory.desc db, memory.desc dy, memory.desc weights) {
    var forward =
        new inner_product_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            x,
            weights,
            db,
            dy,
            Onednn.attributes(),
            false);
    return new inner_product_backward_weights.primitive_desc(
        Onednn.engine(), x, dw, db, dy, forward, Onednn.attributes(), false);
  }

  private static memory seenAs(memory.desc layout, memory memory) {
    return new memory(layout, Onednn.engine(), memory.get_data_handle());
  }
}
