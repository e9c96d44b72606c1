package org.ddpm4j.kernels.plan;

/** A number format of values in a device's memory. */
public enum ElementType {
  /** IEEE 754 single precision. */
  FLOAT32(4),
  /** The upper half of a float. */
  BFLOAT16(2);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** {@return the bytes of a number, 4 or 2} */
  public int bytes() {
    return bytes;
  }
}
