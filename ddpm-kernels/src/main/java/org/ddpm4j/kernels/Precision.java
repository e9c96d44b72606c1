package org.ddpm4j.kernels;

/** The number format in which convolutions multiply. Everything else is in FLOAT. */
public enum Precision {
  /** IEEE 754 single precision. */
  FLOAT32("float32"),
  /**
   * bfloat16 products summed in float32, on processors that have instructions for them. Weights are
   * kept in FLOAT and rounded when they are packed.
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
