package org.ddpm4j.kernels.ops;

/** Functions of one element. */
public enum EltwiseFunction {
  /** {@code x}. */
  IDENTITY,
  /** {@code x·sigmoid(x)}, also called swish. */
  SILU,
  /** {@code x·Φ(x)} with the distribution function of the normal distribution, exact. */
  GELU,
  /** {@code max(x, 0)}. */
  RELU,
  /** {@code x·tanh(ln(1 + e^x))} (Misra 2019). */
  MISH
}
