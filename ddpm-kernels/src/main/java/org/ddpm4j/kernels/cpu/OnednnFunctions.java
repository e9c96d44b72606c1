package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_gelu_tanh;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_mish;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_relu;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_swish;

import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Activation;

/** Functions of one element, by oneDNN. */
final class OnednnFunctions {

  private OnednnFunctions() {}

  static algorithm algorithm(Activation function) {
    return switch (function) {
      case IDENTITY -> eltwise_linear;
      case SILU -> eltwise_swish;
      case GELU -> eltwise_gelu_erf;
      case RELU -> eltwise_relu;
      case MISH -> eltwise_mish;
      case GELU_TANH -> eltwise_gelu_tanh;
    };
  }

  /** oneDNN's first parameter of the function. */
  static float alpha(Activation function) {
    return switch (function) {
      case IDENTITY, SILU -> 1;
      case GELU, RELU, MISH, GELU_TANH -> 0;
    };
  }

  /** The function of n floats. */
  static eltwise_forward forward(Activation function, long n) {
    return forward(function, Onednn.dense(n));
  }

  /** The function of numbers, in place or not. */
  static eltwise_forward forward(Activation function, memory.desc layout) {
    return new eltwise_forward(forwardDescription(function, layout));
  }

  /** The gradient with respect to n inputs, from the inputs. */
  static eltwise_backward backward(Activation function, long n) {
    return backward(function, Onednn.dense(n));
  }

  /** The gradient with respect to the inputs, from the inputs. */
  static eltwise_backward backward(Activation function, memory.desc d) {
    return new eltwise_backward(
        new eltwise_backward.primitive_desc(
            Onednn.engine(),
            algorithm(function),
            d,
            d,
            d,
            alpha(function),
            0f,
            forwardDescription(function, d),
            Onednn.attributes(),
            false));
  }

  private static eltwise_forward.primitive_desc forwardDescription(
      Activation function, memory.desc d) {
    return new eltwise_forward.primitive_desc(
        Onednn.engine(),
        prop_kind.forward_training,
        algorithm(function),
        d,
        d,
        alpha(function),
        0f,
        Onednn.attributes(),
        false);
  }
}
