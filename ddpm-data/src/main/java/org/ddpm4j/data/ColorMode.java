package org.ddpm4j.data;

/** What image files become, whatever colours they have. */
public enum ColorMode {
  /** One channel; of a colour its luma, ITU-R BT.601's. */
  GRAYSCALE(1),
  /** Red, green and blue; a grey image has three equal channels. */
  RGB(3);

  private final int channels;

  ColorMode(int channels) {
    this.channels = channels;
  }

  /** {@return the number of channels, 1 or 3} */
  public int channels() {
    return channels;
  }
}
