package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_gelu_erf;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_linear;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_mish;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_relu;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_swish;

import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.Onednn;

/** Functions of one element, by oneDNN. */
public enum EltwiseFunction {
  /** {@code x}. */
  IDENTITY(eltwise_linear, 1),
  /** {@code x·sigmoid(x)}, also called swish. */
  SILU(eltwise_swish, 1),
  /** {@code x·Φ(x)} with the distribution function of the normal distribution, exact. */
  GELU(eltwise_gelu_erf, 0),
  /** {@code max(x, 0)}. */
  RELU(eltwise_relu, 0),
  /** {@code x·tanh(ln(1 + e^x))} (Misra 2019). */
  MISH(eltwise_mish, 0);

  private final algorithm algorithm;
  private final float alpha;

  EltwiseFunction(algorithm algorithm, float alpha) {
    this.algorithm = algorithm;
    this.alpha = alpha;
  }

  algorithm algorithm() {
    return algorithm;
  }

  float alpha() {
    return alpha;
  }

  /** The function of n floats. */
  eltwise_forward forward(long n) {
    return new eltwise_forward(forwardDescription(n));
  }

  /** The gradient with respect to n inputs, from the inputs. */
  eltwise_backward backward(long n) {
    memory.desc d = Onednn.dense(n);
    return new eltwise_backward(
        new eltwise_backward.primitive_desc(
            Onednn.engine(), algorithm, d, d, d, alpha, 0f, forwardDescription(n)));
  }

  private eltwise_forward.primitive_desc forwardDescription(long n) {
    memory.desc d = Onednn.dense(n);
    return new eltwise_forward.primitive_desc(
        Onednn.engine(), prop_kind.forward_training, algorithm, d, d, alpha, 0f);
  }
}
