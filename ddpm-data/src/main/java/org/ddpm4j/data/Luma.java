package org.ddpm4j.data;

/** The grey of a colour. */
final class Luma {

  private Luma() {}

  /** ITU-R BT.601's weights of red, green and blue; equal parts stay as they are. */
  static float of(float red, float green, float blue) {
    return (299 * red + 587 * green + 114 * blue) / 1000;
  }
}
