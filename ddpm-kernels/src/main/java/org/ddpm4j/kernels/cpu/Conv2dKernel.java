package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;

import java.util.List;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;

/** {@link Conv2d} on a CPU. */
final class Conv2dKernel {

  private Conv2dKernel() {}

  static Kernel kernel(
      Conv2d op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return kernel(
        context,
        ConvolutionOperands.Weights.DENSE,
        op.geometry(),
        inputs.get(0),
        inputs.get(1),
        op.hasBias() ? inputs.get(2) : null,
        outputs.get(0),
        new Epilogue(op.function(), op.addsResidual() ? inputs.get(inputs.size() - 1) : null));
  }

  /**
   * What is done to the result: one of both at most.
   *
   * @param function applied to it
   * @param residual added to it, or null
   */
  record Epilogue(Activation function, CpuTensor residual) {

    static final Epilogue NONE = new Epilogue(Activation.IDENTITY, null);

    primitive_attr attributes() {
      post_ops operations = new post_ops();
      if (function != Activation.IDENTITY) {
        operations.append_eltwise(
            OnednnFunctions.algorithm(function), OnednnFunctions.alpha(function), 0f);
      }
      if (residual != null) {
        operations.append_binary(algorithm.binary_add, layoutOfResidual());
      }
      return Onednn.attributes(operations);
    }

    /** The function applied after a kernel that adds the residual by itself. */
    Kernel after(Kernel convolution, CpuContext context, CpuTensor y) {
      return function == Activation.IDENTITY
          ? convolution
          : Kernel.sequence(List.of(convolution, EltwiseKernel.kernel(context, function, y, y)));
    }

    void addArguments(DnnlCall call, CpuContext context) {
      if (residual != null) {
        call.with(
            DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE | DNNL_ARG_SRC_1,
            context.memory(layoutOfResidual(), residual));
      }
    }

    private memory.desc layoutOfResidual() {
      return Onednn.channelsLast(residual.dataType(), residual.shape());
    }
  }

  static Kernel kernel(
      CpuContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      CpuTensor x,
      CpuTensor w,
      CpuTensor bias,
      CpuTensor y,
      Epilogue epilogue) {
    if (isForWinograd(context, kind, geometry, x, w)) {
      return epilogue.after(new Winograd(context, x, w, bias, epilogue.residual(), y), context, y);
    }
    ConvolutionRows all = ConvolutionRows.all(x, y, epilogue.residual(), geometry);
    if (isForWinograd1d(context, kind, geometry, x, w)) {
      Kernel convolution = new Winograd1d.Algorithm(w, bias).shared(context, geometry, all, w);
      return epilogue.after(convolution, context, y);
    }
    if (epilogue.function() != Activation.IDENTITY && !Onednn.hasAvx2()) {
      // There oneDNN rounds a function within a convolution otherwise than alone, as in a gradient.
      return epilogue.after(
          kernel(context, kind, geometry, x, w, bias, y, Epilogue.NONE), context, y);
    }
    return new DirectConvolution(kind, geometry, context.precision(), w, bias, epilogue.function())
        .shared(context, geometry, all, w);
  }

  static boolean isForWinograd(
      CpuContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      CpuTensor x,
      CpuTensor w) {
    return context.precision() == Precision.FLOAT32
        && isOfKernel3(kind, geometry, w)
        && WinogradTiles.isFaster(x.size(1), x.size(2), w.size(2), w.size(3));
  }

  /** Matrix units multiply faster than vector instructions transform. */
  static boolean isForWinograd1d(
      CpuContext context,
      ConvolutionOperands.Weights kind,
      ConvolutionGeometry geometry,
      CpuTensor x,
      CpuTensor w) {
    return context.precision() == Precision.BFLOAT16
        && !Onednn.hasAmx()
        && isOfKernel3(kind, geometry, w)
        && Winograd1dTiles.isFaster(x.size(1), x.size(2), w.size(2), w.size(3));
  }

  private static boolean isOfKernel3(
      ConvolutionOperands.Weights kind, ConvolutionGeometry geometry, CpuTensor w) {
    return kind == ConvolutionOperands.Weights.DENSE
        && w.size(0) == 3
        && w.size(1) == 3
        && geometry.keepsSize(3);
  }
}
