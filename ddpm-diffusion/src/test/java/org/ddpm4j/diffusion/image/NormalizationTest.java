package org.ddpm4j.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.util.List;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NormalizationTest {

  private static final Normalization NEITHER =
      new Normalization(List.of(0.1, 0.5, 0.9), List.of(0.01, 0.3, 2.0));

  @Test
  void everyLevelOfEveryChannelComesBack() {
    for (Normalization normalization :
        List.of(Normalization.SYMMETRIC, Normalization.IMAGENET, NEITHER)) {
      for (int channel = 0; channel < 3; channel++) {
        for (int pixel = 0; pixel < 256; pixel++) {
          float x = normalization.toModel(pixel, channel);
          assertThat(normalization.toPixel(x, channel)).isEqualTo(pixel);
        }
      }
    }
  }

  /** Runs that were trained before there was a choice see the same bits. */
  @Test
  void symmetricIsPixelOver127AndAHalfMinusOne() {
    for (int pixel = 0; pixel < 256; pixel++) {
      assertThat(Normalization.SYMMETRIC.toModel(pixel, 2)).isEqualTo((float) (pixel / 127.5 - 1));
    }
    assertThat(Normalization.SYMMETRIC.toModel(0, 0)).isEqualTo(-1f);
    assertThat(Normalization.SYMMETRIC.toModel(255, 0)).isEqualTo(1f);
    assertThat(Normalization.SYMMETRIC.lower(0)).isEqualTo(-1);
    assertThat(Normalization.SYMMETRIC.upper(0)).isEqualTo(1);
    assertThat(Normalization.SYMMETRIC.step(0)).isCloseTo(2 / 255.0, within(1e-16));
  }

  /** By hand: 0.485/0.229 = 2.1179, 0.515/0.229 = 2.2489, 0.594/0.225 = 2.64. */
  @Test
  void imagenetReachesFurtherThanOne() {
    assertThat(Normalization.IMAGENET.lower(0)).isCloseTo(-2.1179, within(1e-4));
    assertThat(Normalization.IMAGENET.upper(0)).isCloseTo(2.2489, within(1e-4));
    assertThat(Normalization.IMAGENET.lower(2)).isCloseTo(-1.8044, within(1e-4));
    assertThat(Normalization.IMAGENET.upper(2)).isCloseTo(2.64, within(1e-4));
    for (int c = 0; c < 3; c++) {
      double span = Normalization.IMAGENET.upper(c) - Normalization.IMAGENET.lower(c);
      assertThat(255 * Normalization.IMAGENET.step(c)).isCloseTo(span, within(1e-12));
    }
  }

  @Test
  void whatLiesOutsideIsClippedAndNeverWrapped() {
    for (int channel = 0; channel < 3; channel++) {
      assertThat(NEITHER.toPixel(-1e30, channel)).isZero();
      assertThat(NEITHER.toPixel(Double.NEGATIVE_INFINITY, channel)).isZero();
      assertThat(NEITHER.toPixel(Double.NaN, channel)).isZero();
      assertThat(NEITHER.toPixel(1e30, channel)).isEqualTo(255);
      assertThat(NEITHER.toPixel(Double.POSITIVE_INFINITY, channel)).isEqualTo(255);
      assertThat(NEITHER.toPixel(NEITHER.upper(channel) + NEITHER.step(channel), channel))
          .isEqualTo(255);
      assertThat(NEITHER.toPixel(NEITHER.lower(channel) - NEITHER.step(channel), channel)).isZero();
    }
  }

  /** Four levels in each channel, darkest and brightest among them. */
  private static INDArray photograph(Normalization normalization) {
    float[] values = new float[12];
    for (int i = 0; i < 12; i++) {
      values[i] = normalization.toModel(85 * (i % 4), i / 4);
    }
    return Nd4j.create(values, new long[] {1, 3, 2, 2}, 'c');
  }

  @Test
  void aPictureOfNormalisedDataIsTheOriginal() {
    INDArray image = photograph(Normalization.IMAGENET);
    BufferedImage picture = Images.toPicture(image.slice(0), Normalization.IMAGENET);
    for (int band = 0; band < 3; band++) {
      assertThat(picture.getRaster().getSamples(0, 0, 2, 2, band, (int[]) null))
          .containsExactly(0, 85, 170, 255);
    }
    BufferedImage grid = Images.grid(image, 1, 1, Normalization.IMAGENET);
    assertThat(grid.getRaster().getSamples(1, 1, 2, 2, 2, (int[]) null))
        .containsExactly(0, 85, 170, 255);
  }

  @Test
  void clippingKeepsEveryPossiblePixelAndNoOther() {
    X0Constraint clip = X0Constraint.clip(Normalization.IMAGENET);
    INDArray image = Nd4j.concat(0, photograph(Normalization.IMAGENET), photograph(NEITHER));
    INDArray before = image.dup();
    INDArray clipped = clip.apply(image);
    assertThat(image).isEqualTo(before);
    assertThat(clipped.slice(0)).isEqualTo(photograph(Normalization.IMAGENET).slice(0));

    INDArray wild = Nd4j.linspace(-30, 30, 24).reshape(2, 3, 2, 2);
    INDArray tamed = clip.apply(wild);
    for (int n = 0; n < 2; n++) {
      for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 4; i++) {
          double expected =
              Math.max(
                  Normalization.IMAGENET.lower(c),
                  Math.min(Normalization.IMAGENET.upper(c), wild.getDouble(n, c, i / 2, i % 2)));
          assertThat(tamed.getDouble(n, c, i / 2, i % 2)).isCloseTo(expected, within(1e-6));
        }
      }
    }
    // What [-1,1] would have made of a white pixel.
    assertThat(Normalization.IMAGENET.toPixel(1, 0)).isEqualTo(182);
    assertThatThrownBy(() -> clip.apply(Nd4j.zeros(1, 1, 2, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("each of 3 channels, but the images have 1");
  }

  @Test
  void impossibleOnesAreRefused() {
    assertThatThrownBy(() -> new Normalization(List.of(0.5), List.of(0.0)))
        .hasMessageContaining("standard deviation 0.0");
    assertThatThrownBy(() -> new Normalization(List.of(Double.NaN), List.of(1.0)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Normalization(List.of(0.5, 0.5), List.of(1.0)))
        .hasMessageContaining("2 means and 1");
    assertThatThrownBy(() -> new Normalization(List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Normalization.SYMMETRIC.toModel(256, 0))
        .hasMessage("The pixel is 256, expected 0 to 255.");
    assertThatThrownBy(() -> Images.grid(Nd4j.zeros(1, 1, 2, 2), 1, 1, Normalization.IMAGENET))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
