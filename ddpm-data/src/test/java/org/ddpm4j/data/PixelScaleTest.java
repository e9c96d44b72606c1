package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PixelScaleTest {

  @Test
  void theEndsAreExact() {
    assertThat(PixelScale.toModel(0)).isEqualTo(-1f);
    assertThat(PixelScale.toModel(255)).isEqualTo(1f);
    assertThat(PixelScale.toModel(51)).isEqualTo(-0.6f);
    assertThat(PixelScale.toModel(128)).isCloseTo(1 / 255f, within(1e-9f));
  }

  @Test
  void everyPixelComesBack() {
    for (int pixel = 0; pixel < 256; pixel++) {
      assertThat(PixelScale.toPixel(PixelScale.toModel(pixel))).isEqualTo(pixel);
    }
  }

  @Test
  void valuesOutsideAreClipped() {
    assertThat(PixelScale.toPixel(-1.5)).isZero();
    assertThat(PixelScale.toPixel(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(PixelScale.toPixel(Double.NaN)).isZero();
    assertThat(PixelScale.toPixel(1.01)).isEqualTo(255);
    assertThat(PixelScale.toPixel(Double.POSITIVE_INFINITY)).isEqualTo(255);
    assertThatIllegalArgumentException().isThrownBy(() -> PixelScale.toModel(256));
    assertThatIllegalArgumentException().isThrownBy(() -> PixelScale.toModel(-1));
  }
}
