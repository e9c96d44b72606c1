package org.ddpm4j.kernels.ops;

/** Point-wise activation functions. */
public enum Activation {
  /** {@code x}. */
  IDENTITY,
  /** {@code x·sigmoid(x)}, also called swish (Ramachandran et al. 2017). */
  SILU,
  /** {@code x·Φ(x)} with the exact Gaussian distribution function, as PyTorch's default. */
  GELU,
  /** {@code max(x, 0)}; its slope at 0 is 0. */
  RELU,
  /** {@code x·tanh(ln(1 + e^x))} (Misra 2019). */
  MISH,
  /**
   * {@code x·(1 + tanh(√(2/π)(x + 0.044715 x³)))/2}, which is nearly {@link #GELU} (Hendrycks and
   * Gimpel 2016).
   */
  GELU_TANH
}
