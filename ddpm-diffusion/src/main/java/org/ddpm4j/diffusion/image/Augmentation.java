package org.ddpm4j.diffusion.image;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.ddpm4j.io.Text;

/**
 * How strongly training images are changed at random besides mirroring. A model learns to draw what
 * it is shown, changes included, so both are usually small.
 *
 * @param crop largest share of height and width that is cut away before the rest is enlarged to the
 *     whole, in 0..0.5; the share is uniform from 0 to this, and so is the place
 * @param colorJitter how far brightness, contrast and saturation go, in 0..1: contrast and
 *     saturation are multiplied by a factor that is uniform in 1 ± colorJitter, and brightness
 *     moves by up to ± colorJitter/2 of the range from black to white
 */
public record Augmentation(
    @JsonProperty("crop") double crop, @JsonProperty("color_jitter") double colorJitter) {

  /** Every image as it is. */
  public static final Augmentation NONE = new Augmentation(0, 0);

  /** Of {@code crop}. */
  public static final double MOST_CROP = 0.5;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public Augmentation {
    require("The crop", crop, MOST_CROP);
    require("The color jitter", colorJitter, 1);
  }

  private static void require(String what, double value, double most) {
    if (!(value >= 0 && value <= most)) {
      throw new IllegalArgumentException(
          Text.format("%s is %s; it must be in 0..%s.", what, value, most));
    }
  }

  /**
   * Whether images stay as they are.
   *
   * @return true if both strengths are 0
   */
  @JsonIgnore
  public boolean isNone() {
    return crop == 0 && colorJitter == 0;
  }
}
