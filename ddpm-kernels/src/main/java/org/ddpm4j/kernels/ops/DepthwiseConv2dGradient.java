package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.ChannelTiles;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Precision;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link DepthwiseConv2d}. Inputs: x, weights, gradient of the output. Outputs:
 * gradients of x, weights and bias.
 */
public final class DepthwiseConv2dGradient extends FusedOp {

  /** For SameDiff. */
  public DepthwiseConv2dGradient() {
    super(3);
  }

  DepthwiseConv2dGradient(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable dy, int stride, int padding) {
    super(3, graph, x, weights, dy);
    addIArgument(stride, padding);
  }

  @Override
  public String opName() {
    return "ddpm_depthwise_conv2d_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[2]});
  }

  @Override
  public boolean addsTo(int output) {
    return output > 0;
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return 4.0 * Tensor.length(inputs.get(2)) * weights[0] * weights[1];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    ConvolutionGeometry geometry = ConvolutionGeometry.symmetric(setting(0), setting(1));
    if (geometry.stride() != 1) {
      return Conv2dGradient.kernel(
          context, ConvolutionOperands.Weights.DEPTHWISE, geometry, inputs, outputs);
    }
    List<Tensor> onlyInput = Arrays.asList(outputs.get(0), null, null);
    List<Kernel> steps = new ArrayList<>();
    steps.add(
        Conv2dGradient.kernel(
            context, ConvolutionOperands.Weights.DEPTHWISE, geometry, inputs, onlyInput));
    if (outputs.get(1) != null) {
      addWeightsGradient(steps, context, inputs.get(0), inputs.get(2), outputs.get(1));
    }
    if (outputs.get(2) != null) {
      steps.add(new SumOverPositions(inputs.get(2), outputs.get(2)));
    }
    return ConvolutionOperands.sequence(steps);
  }

  /**
   * The gradient of the weights is again a depthwise convolution, of the input with the gradient of
   * the output as its kernel, summed over the images. oneDNN's own code for it is eight times
   * slower (measured for 7x7).
   */
  private void addWeightsGradient(
      List<Kernel> steps, KernelContext context, Tensor x, Tensor dy, Tensor dw) {
    long channels = x.size(3);
    long[] kernel = {1, dy.size(1), dy.size(2), channels};
    ConvolutionOperands operands =
        ConvolutionOperands.of(
            ConvolutionOperands.Weights.DEPTHWISE,
            new long[] {1, x.size(1), x.size(2), channels},
            new long[] {dy.size(1), dy.size(2), channels, 1},
            new long[] {1, dw.size(0), dw.size(1), channels},
            ConvolutionGeometry.symmetric(1, setting(1)),
            Precision.FLOAT32);
    post_ops addToDestination = new post_ops();
    addToDestination.append_sum();
    primitive_attr attributes = new primitive_attr();
    attributes.set_post_ops(addToDestination);
    var description =
        new convolution_forward.primitive_desc(
            Onednn.engine(),
            prop_kind.forward_training,
            algorithm.convolution_direct,
            operands.x(),
            operands.weights(),
            operands.y(),
            operands.strides(),
            operands.padding(),
            operands.endPadding(),
            attributes,
            false);
    memory.desc layout = description.weights_desc();
    Tensor scratch = context.scratch(layout.get_size() / Float.BYTES).get(0);
    memory packed = context.memory(layout, scratch);
    memory sum = context.memory(operands.y(), dw);
    convolution_forward convolution = new convolution_forward(description);
    long inputLength = x.length() / x.size(0);
    long outputLength = dy.length() / dy.size(0);
    for (int n = 0; n < x.size(0); n++) {
      Tensor image = x.part(n * inputLength, x.size(1), x.size(2), channels);
      Tensor slopes = dy.part(n * outputLength, kernel);
      memory plain = context.memory(operands.plainWeights(), slopes);
      steps.add(
          context
              .call(new reorder(plain, packed))
              .with(DNNL_ARG_SRC, plain)
              .with(DNNL_ARG_DST, packed));
      steps.add(
          context
              .call(convolution)
              .with(DNNL_ARG_SRC, context.memory(operands.x(), image))
              .with(DNNL_ARG_WEIGHTS, packed)
              .with(DNNL_ARG_DST, sum));
    }
  }

  /** Adds the sum over all images and positions to the gradient of the bias. */
  private static final class SumOverPositions implements Kernel {

    private final Tensor dy;
    private final Tensor db;
    private final ChannelTiles tiles;
    private final float[] values;
    private final float[] sums;
    private final double[] perChannel;

    SumOverPositions(Tensor dy, Tensor db) {
      this.dy = dy;
      this.db = db;
      int channels = db.length();
      tiles = new ChannelTiles(dy.length() / channels, channels);
      values = tiles.array();
      sums = tiles.array();
      perChannel = new double[channels];
    }

    @Override
    public void run() {
      Arrays.fill(sums, 0);
      tiles.forEach(
          (offset, length) -> {
            dy.buffer().get(offset, values, 0, length);
            Loops.add(sums, values, length);
          });
      tiles.sum(sums, perChannel);
      ParameterGradients.add(db, perChannel);
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
