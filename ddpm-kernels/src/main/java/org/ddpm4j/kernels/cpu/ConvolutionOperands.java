package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;

/**
 * oneDNN's descriptions of what a convolution reads and writes.
 *
 * @param type of the numbers that are multiplied
 * @param x input, N, C, H, W in oneDNN's order
 * @param multipliedX input in the type of the multiplications
 * @param y output
 * @param multipliedY output in the type of the multiplications, for gradients
 * @param plainWeights the weights as the network keeps them
 * @param weights the weights in whatever layout is fastest
 * @param weightsGradient their gradient in whatever layout is fastest
 * @param bias one number per output channel
 * @param strides along height and width
 * @param padding above and on the left
 * @param endPadding below and on the right
 */
record ConvolutionOperands(
    memory.data_type type,
    memory.desc x,
    memory.desc multipliedX,
    memory.desc y,
    memory.desc multipliedY,
    memory.desc plainWeights,
    memory.desc weights,
    memory.desc weightsGradient,
    memory.desc bias,
    long[] strides,
    long[] padding,
    long[] endPadding) {

  /** How the axes of the weights lie. */
  enum Weights {
    /** {@code [kH,kW,iC,oC]}. */
    DENSE {
      @Override
      long[] shape(long[] w) {
        return new long[] {w[3], w[2], w[0], w[1]};
      }

      @Override
      long[] strides(long[] w) {
        return new long[] {1, w[3], w[1] * w[2] * w[3], w[2] * w[3]};
      }
    },
    /** {@code [kH,kW,oC,iC]}. */
    TRANSPOSED {
      @Override
      long[] shape(long[] w) {
        return new long[] {w[2], w[3], w[0], w[1]};
      }

      @Override
      long[] strides(long[] w) {
        return new long[] {w[3], 1, w[1] * w[2] * w[3], w[2] * w[3]};
      }
    },
    /** {@code [kH,kW,C,1]}. */
    DEPTHWISE {
      @Override
      long[] shape(long[] w) {
        return new long[] {w[2], 1, 1, w[0], w[1]};
      }

      @Override
      long[] strides(long[] w) {
        return new long[] {1, 1, 1, w[1] * w[2], w[2]};
      }
    };

    /** In oneDNN's order: groups if any, output channels, input channels, height, width. */
    abstract long[] shape(long[] w);

    abstract long[] strides(long[] w);
  }

  /** Of feature maps in float32. */
  static ConvolutionOperands ofFloats(
      Weights kind, long[] x, long[] w, long[] y, ConvolutionGeometry geometry) {
    memory.data_type type = memory.data_type.f32;
    return of(kind, type, x, type, w, y, type, geometry);
  }

  /** Of these feature maps. */
  static ConvolutionOperands of(
      Weights kind,
      CpuTensor x,
      CpuTensor w,
      CpuTensor y,
      ConvolutionGeometry geometry,
      Precision precision) {
    // Depthwise convolution is bound by memory, not by multiplications.
    memory.data_type type =
        precision == Precision.BFLOAT16 && kind != Weights.DEPTHWISE
            ? memory.data_type.bf16
            : memory.data_type.f32;
    return of(kind, type, x.shape(), x.dataType(), w.shape(), y.shape(), y.dataType(), geometry);
  }

  private static ConvolutionOperands of(
      Weights kind,
      memory.data_type type,
      long[] x,
      memory.data_type typeOfX,
      long[] w,
      long[] y,
      memory.data_type typeOfY,
      ConvolutionGeometry geometry) {
    return new ConvolutionOperands(
        type,
        Onednn.channelsLast(typeOfX, x),
        Onednn.channelsLast(type, x),
        Onednn.channelsLast(typeOfY, y),
        Onednn.channelsLast(type, y),
        Onednn.strided(kind.shape(w), kind.strides(w)),
        Onednn.any(type, kind.shape(w)),
        Onednn.any(memory.data_type.f32, kind.shape(w)),
        Onednn.dense(y[3]),
        new long[] {geometry.stride(), geometry.stride()},
        new long[] {geometry.padding(), geometry.padding()},
        new long[] {geometry.endPadding(), geometry.endPadding()});
  }

  /** The bias, or oneDNN's description of what there is not. */
  memory.desc bias(boolean isThere) {
    return isThere ? bias : new memory.desc();
  }

  /**
   * Those of a dense convolution of kernel 1 as a fully connected layer has them, whose batch are
   * all positions: {@code [positions,iC]}, {@code [positions,oC]} and weights {@code [oC,iC]}.
   */
  ConvolutionOperands ofPositions(CpuTensor xs, CpuTensor ys) {
    long in = xs.size(3);
    long out = ys.size(3);
    long positions = xs.length() / in;
    return new ConvolutionOperands(
        type,
        Onednn.dense(xs.dataType(), positions, in),
        Onednn.dense(type, positions, in),
        Onednn.dense(ys.dataType(), positions, out),
        Onednn.dense(type, positions, out),
        Onednn.strided(new long[] {out, in}, 1, out),
        Onednn.any(type, out, in),
        Onednn.any(memory.data_type.f32, out, in),
        bias,
        strides,
        padding,
        endPadding);
  }

  /** The same with other numbers of rows of zeros above and below. */
  ConvolutionOperands withRowsAround(int above, int below) {
    return new ConvolutionOperands(
        type,
        x,
        multipliedX,
        y,
        multipliedY,
        plainWeights,
        weights,
        weightsGradient,
        bias,
        strides,
        new long[] {above, padding[1]},
        new long[] {below, endPadding[1]});
  }

  /** Feature maps ready to be multiplied, and what makes them so. */
  record Input(memory memory, List<Kernel> preparation) {}

  /** The floats of scratch memory that {@link #input} needs. */
  long inputScratch(CpuTensor tensor) {
    return type == tensor.dataType() ? 0 : CpuTensor.floatsFor(tensor.length());
  }

  /** The input, ready to be multiplied. */
  Input inputX(CpuContext context, CpuTensor tensor, CpuTensor scratch) {
    return input(context, x, multipliedX, tensor, scratch);
  }

  /** The gradient of the output, ready to be multiplied. */
  Input inputY(CpuContext context, CpuTensor tensor, CpuTensor scratch) {
    return input(context, y, multipliedY, tensor, scratch);
  }

  private Input input(
      CpuContext context,
      memory.desc layout,
      memory.desc multiplied,
      CpuTensor tensor,
      CpuTensor scratch) {
    memory plain = context.memory(layout, tensor);
    if (type == tensor.dataType()) {
      return new Input(plain, List.of());
    }
    memory rounded = context.memory(multiplied, scratch);
    return new Input(rounded, List.of(context.copying(plain, rounded)));
  }

  memory packedWeights(CpuContext context, CpuTensor weights, memory.desc wanted) {
    return context.packed(weights, plainWeights, wanted);
  }

  /** Adds a gradient in oneDNN's layout to the plain one, or writes it where that is blank. */
  Kernel addToPlainWeights(CpuContext context, memory gradient, CpuTensor sum) {
    memory plain = context.memory(plainWeights, sum);
    return context
        .call(
            new reorder(
                new reorder.primitive_desc(
                    Onednn.engine(),
                    gradient.get_desc(),
                    Onednn.engine(),
                    plainWeights,
                    Onednn.attributesOfAddingTo(sum),
                    false)))
        .with(DNNL_ARG_SRC, gradient)
        .with(DNNL_ARG_DST, plain);
  }
}
