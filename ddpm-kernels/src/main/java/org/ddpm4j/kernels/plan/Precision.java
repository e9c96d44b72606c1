package org.ddpm4j.kernels.plan;

/** The number format in which convolutions multiply. */
public enum Precision {
  /** IEEE 754 single precision. */
  FLOAT32("float32"),
  /** Products of 11 bits of mantissa, summed in float32; on cards with matrix units alone. */
  TFLOAT32("tfloat32"),
  /**
   * bfloat16 products summed in float32, on cards and on processors that have instructions for
   * them; feature maps and their gradients are kept in bfloat16 too. Statistics, softmax, losses,
   * weights and their gradients are in FLOAT; weights are rounded when they are packed.
   */
  BFLOAT16("bfloat16");

  private final String label;

  Precision(String label) {
    this.label = label;
  }

  @Override
  public String toString() {
    return label;
  }
}
