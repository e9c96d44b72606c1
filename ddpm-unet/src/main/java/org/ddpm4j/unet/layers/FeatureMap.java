package org.ddpm4j.unet.layers;

import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * A batch of feature maps inside a graph.
 *
 * @param values the features, {@code [N,H,W,C]}
 * @param height H, the number of rows
 * @param width W, the number of columns
 * @param channels C
 */
public record FeatureMap(SDVariable values, int height, int width, int channels) {

  /**
   * Checks that all sizes are positive.
   *
   * @throws IllegalArgumentException if a size is less than 1
   */
  public FeatureMap {
    Objects.requireNonNull(values, "values");
    if (height < 1 || width < 1 || channels < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A feature map of height %d, width %d and %d channels is empty; every size must be at least 1.",
              height, width, channels));
    }
  }

  /**
   * The same shape with other values.
   *
   * @param newValues features, {@code [N,H,W,C]}
   * @return the new feature map
   */
  public FeatureMap with(SDVariable newValues) {
    return new FeatureMap(newValues, height, width, channels);
  }

  /** Other values of half the height and width, which are even. */
  FeatureMap halved(SDVariable newValues) {
    return new FeatureMap(newValues, height / 2, width / 2, channels);
  }

  /** Other values of twice the height and width. */
  FeatureMap doubled(SDVariable newValues) {
    return new FeatureMap(newValues, 2 * height, 2 * width, channels);
  }

  /** {@return the number of positions of one map, H·W} */
  public int positions() {
    return height * width;
  }
}
