package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
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

  /** From so many weights on, float32 products are faster into the layout of the network. */
  private static final long LARGE = 1 << 18;

  /** With more outputs for each input than this, all are, if there are {@link #INPUTS}. */
  private static final int OUTPUTS_PER_INPUT = 3;

  private static final int INPUTS = 16;

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
    ConvolutionOperands layer = operands.ofPositions(x, dy);
    var description = description(layer, staysPlain(operands, x, dy), db != null);
    ConvolutionGradients.addParameterGradients(
        steps,
        context,
        layer,
        new inner_product_backward_weights(description),
        description.diff_weights_desc(),
        List.of(x, dy),
        Arrays.asList(dw, db));
  }

  /**
   * Whether the products go into the layout of the network, which is faster than into oneDNN's by
   * up to a third where rows of outputs are long and those of inputs short, and for many weights.
   * With matrix units, whose instructions have layouts of their own, nobody has measured the
   * former.
   */
  private static boolean staysPlain(ConvolutionOperands operands, CpuTensor x, CpuTensor dy) {
    long in = x.size(3);
    long out = dy.size(3);
    boolean isFloat = operands.type() == memory.data_type.f32;
    return out > OUTPUTS_PER_INPUT * in && in >= INPUTS && (isFloat || !Onednn.hasAmx())
        || isFloat && in * out >= LARGE;
  }

  private static inner_product_backward_weights.primitive_desc description(
      ConvolutionOperands layer, boolean staysPlain, boolean withBias) {
    memory.desc gradient = staysPlain ? layer.plainWeights() : layer.weightsGradient();
    var forward =
        new inner_product_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            layer.multipliedX(),
            layer.weights(),
            layer.bias(),
            layer.multipliedY(),
            Onednn.attributes(),
            false);
    return new inner_product_backward_weights.primitive_desc(
        Onednn.engine(),
        layer.multipliedX(),
        gradient,
        layer.bias(withBias),
        layer.multipliedY(),
        forward,
        Onednn.attributes(),
        false);
  }
}
