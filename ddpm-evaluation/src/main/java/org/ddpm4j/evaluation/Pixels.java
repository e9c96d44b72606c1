package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Images of a model's scale as the pixels that a file would hold. */
public final class Pixels {

  private static final float MAX_PIXEL = 255;

  private Pixels() {}

  /**
   * Rounds images to pixels; NaN becomes 0, as {@link Normalization#toPixel} has it.
   *
   * @param images {@code [N,C,H,W]} in the scale of a model
   * @param normalization that scale
   * @return the nearest pixels, {@code [N,C,H,W]}, FLOAT, whole numbers from 0 to 255
   */
  public static INDArray of(INDArray images, Normalization normalization) {
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(normalization, "normalization").requireChannels(images.size(1));
    float[] values = images.castTo(DataType.FLOAT).dup('c').data().asFloat();
    int channels = (int) images.size(1);
    int plane = (int) (images.size(2) * images.size(3));
    for (int i = 0; i < values.length; i++) {
      values[i] = normalization.toPixel(values[i], i / plane % channels);
    }
    return Nd4j.create(values, images.shape().clone(), 'c');
  }

  /**
   * Pixels as if they were features, to look for the nearest images by them.
   *
   * @param pixels {@code [N,C,H,W]}, whole numbers from 0 to 255
   * @return all values of an image, from 0 to 1, a row for each
   * @throws IllegalArgumentException if there are no images
   */
  public static Features asFeatures(INDArray pixels) {
    if (Objects.requireNonNull(pixels, "pixels").rank() < 2 || pixels.length() == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "Pixels of the shape %s are of no image; expected [N,C,H,W], N at least 1.",
              Arrays.toString(pixels.shape())));
    }
    int images = (int) pixels.size(0);
    float[] values = pixels.dup('c').data().asFloat();
    int volume = values.length / images;
    float[][] rows = new float[images][volume];
    for (int i = 0; i < values.length; i++) {
      rows[i / volume][i % volume] = values[i] / MAX_PIXEL;
    }
    return Features.of(rows);
  }
}
