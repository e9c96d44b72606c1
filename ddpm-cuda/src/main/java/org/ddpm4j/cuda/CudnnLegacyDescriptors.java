package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ACTIVATION_IDENTITY;
import static org.bytedeco.cuda.global.cudnn.CUDNN_CROSS_CORRELATION;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_FLOAT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_FMA_MATH;
import static org.bytedeco.cuda.global.cudnn.CUDNN_NOT_PROPAGATE_NAN;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_NHWC;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TENSOR_OP_MATH;
import static org.ddpm4j.cuda.CudnnDescriptor.check;

import java.util.function.ToIntFunction;
import org.bytedeco.cuda.cudnn.cudnnActivationStruct;
import org.bytedeco.cuda.cudnn.cudnnConvolutionStruct;
import org.bytedeco.cuda.cudnn.cudnnFilterStruct;
import org.bytedeco.cuda.cudnn.cudnnTensorStruct;
import org.bytedeco.cuda.global.cudnn;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * What cuDNN's older interface is told of a convolution. They live as long as the plan, whose
 * kernels read them.
 */
@SuppressWarnings("deprecation")
final class CudnnLegacyDescriptors {

  private final cudnnTensorStruct x;
  private final cudnnTensorStruct y;
  private final cudnnTensorStruct bias;
  private final cudnnFilterStruct filter;
  private final cudnnConvolutionStruct convolution;
  private final cudnnActivationStruct identity;

  /**
   * The descriptors of a convolution with symmetric padding.
   *
   * @param context of the plan
   * @param x input or its gradient
   * @param w weights, {@code [kH,kW,iC,oC]}
   * @param y output or its gradient
   * @param stride along both axes
   * @param padding on all sides
   */
  CudnnLegacyDescriptors(
      CudaContext context, Tensor x, Tensor w, Tensor y, int stride, int padding) {
    int type = context.isBfloat16() ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    int inner = (int) x.rowLength();
    int outer = (int) y.rowLength();
    this.x = tensor(context, type, x.size(0), inner, x.size(1), x.size(2));
    this.y = tensor(context, type, y.size(0), outer, y.size(1), y.size(2));
    bias = tensor(context, type, 1, outer, 1, 1);
    filter =
        made(
            context,
            new cudnnFilterStruct(),
            cudnn::cudnnCreateFilterDescriptor,
            cudnn::cudnnDestroyFilterDescriptor);
    check(
        cudnn.cudnnSetFilter4dDescriptor(
            filter, type, CUDNN_TENSOR_NHWC, outer, inner, w.size(0), w.size(1)));
    convolution =
        made(
            context,
            new cudnnConvolutionStruct(),
            cudnn::cudnnCreateConvolutionDescriptor,
            cudnn::cudnnDestroyConvolutionDescriptor);
    check(
        cudnn.cudnnSetConvolution2dDescriptor(
            convolution,
            padding,
            padding,
            stride,
            stride,
            1,
            1,
            CUDNN_CROSS_CORRELATION,
            CUDNN_DATA_FLOAT));
    check(
        cudnn.cudnnSetConvolutionMathType(
            convolution,
            context.precision() == Precision.FLOAT32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH));
    identity =
        made(
            context,
            new cudnnActivationStruct(),
            cudnn::cudnnCreateActivationDescriptor,
            cudnn::cudnnDestroyActivationDescriptor);
    check(
        cudnn.cudnnSetActivationDescriptor(
            identity, CUDNN_ACTIVATION_IDENTITY, CUDNN_NOT_PROPAGATE_NAN, 0));
  }

  private static cudnnTensorStruct tensor(
      CudaContext context, int type, int images, int channels, int height, int width) {
    cudnnTensorStruct tensor =
        made(
            context,
            new cudnnTensorStruct(),
            cudnn::cudnnCreateTensorDescriptor,
            cudnn::cudnnDestroyTensorDescriptor);
    check(
        cudnn.cudnnSetTensor4dDescriptor(
            tensor, CUDNN_TENSOR_NHWC, type, images, channels, height, width));
    return tensor;
  }

  /**
   * Makes an object of cuDNN's, which is destroyed with the plan, also where what follows fails.
   *
   * @param context of the plan
   * @param descriptor that points nowhere yet
   * @param create gives a status of cuDNN's, as the next does
   * @param destroy what was created
   * @return the descriptor
   * @throws CudaException if cuDNN refuses
   */
  static <T> T made(
      CudaContext context, T descriptor, ToIntFunction<T> create, ToIntFunction<T> destroy) {
    check(create.applyAsInt(descriptor));
    context.atEnd(() -> check(destroy.applyAsInt(descriptor)));
    return descriptor;
  }

  cudnnTensorStruct x() {
    return x;
  }

  cudnnTensorStruct y() {
    return y;
  }

  /** One number a channel of the output. */
  cudnnTensorStruct bias() {
    return bias;
  }

  cudnnFilterStruct filter() {
    return filter;
  }

  cudnnConvolutionStruct convolution() {
    return convolution;
  }

  /** An activation that changes nothing. */
  cudnnActivationStruct identity() {
    return identity;
  }
}
