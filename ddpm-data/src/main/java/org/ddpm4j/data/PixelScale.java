package org.ddpm4j.data;

/**
 * The linear scale between pixels p in 0..255 and the values x in [-1,1] that a diffusion model
 * sees: {@code x = p/127.5 - 1} (Ho et al. 2020, "Denoising Diffusion Probabilistic Models",
 * section 3.3).
 */
public final class PixelScale {

  private static final double HALF_RANGE = 127.5;

  private PixelScale() {}

  /**
   * A pixel's value for the model.
   *
   * @param pixel 0..255
   * @return {@code pixel/127.5 - 1}, rounded to float once: exactly -1 for 0 and exactly 1 for 255
   * @throws IllegalArgumentException if the pixel is not in 0..255
   */
  public static float toModel(int pixel) {
    if (pixel < 0 || pixel > 255) {
      throw new IllegalArgumentException("The pixel is " + pixel + ", expected 0 to 255.");
    }
    return (float) (pixel / HALF_RANGE - 1);
  }

  /**
   * The pixel nearest to a model's value; the inverse of {@link #toModel}.
   *
   * @param x any value; below -1 it counts as -1, above 1 as 1, and NaN as -1
   * @return {@code (x + 1)·127.5} rounded, 0..255
   */
  public static int toPixel(double x) {
    return (int) Math.max(0, Math.min(255, Math.round((x + 1) * HALF_RANGE)));
  }
}
