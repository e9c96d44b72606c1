package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CosineScheduleTest {

  /** Eq. 17 by the half-angle formula, cos²(a) = (1 + cos 2a) / 2: no square is taken. */
  private static double alphaCumprod(double u) {
    return (1 + Math.cos((u + 0.008) / 1.008 * Math.PI)) / (1 + Math.cos(0.008 / 1.008 * Math.PI));
  }

  @Test
  void alphasCumprodFollowTheSquaredCosine() {
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 1000);

    for (int t = 0; t < 999; t++) {
      assertThat(schedule.alphasCumprod(t))
          .isCloseTo(alphaCumprod((t + 1) / 1000.0), within(1e-13));
    }
    assertThat(schedule.alphasCumprod(499)).isCloseTo(0.49384, within(1e-5));
  }

  @Test
  void onlyTheLastBetaOfThePaperIsClipped() {
    double[] betas = CosineSchedule.paper().betas(1000);

    assertThat(betas[999]).isEqualTo(0.999);
    assertThat(betas[998]).isLessThan(0.999);
    assertThat(betas[0]).isCloseTo(4.128e-5, within(0.0005e-5)); // below any floor of 1e-4
  }

  @Test
  void theAnnotatedVariantClipsBothEnds() {
    double[] betas = CosineSchedule.annotated().betas(600);

    assertThat(betas[0]).isEqualTo(1e-4);
    assertThat(betas[599]).isEqualTo(0.9999);
    assertThat(NoiseSchedule.of(betas).alphasCumprod(599)).isLessThan(1e-8);
  }

  @Test
  void aLowCeilingIsAnotherSchedule() {
    double[] betas = new CosineSchedule(0.008, 1e-4, 0.02).betas(600);

    assertThat(Arrays.stream(betas).filter(beta -> beta == 0.02)).hasSize(97);
    assertThat(NoiseSchedule.of(betas).alphasCumprod(599)).isCloseTo(8.8e-3, within(0.05e-3));
  }

  @Test
  void clippingIsCounted() {
    assertThat(new CosineSchedule(0.008, 1e-4, 0.02).clipping(600)).isEqualTo(new Clipping(3, 97));
    assertThat(CosineSchedule.paper().clipping(600)).isEqualTo(new Clipping(0, 1));
    assertThat(CosineSchedule.annotated().clipping(600)).isEqualTo(new Clipping(3, 1));
    assertThat(LinearSchedule.paper().clipping(600)).isEqualTo(Clipping.NONE);
  }

  @Test
  void theFloorDecidesNothingButTheFirstBetas() {
    double[] free = new CosineSchedule(0.008, 0, 0.9999).betas(1000);
    double[] floored = CosineSchedule.annotated().betas(1000);

    for (int t = 0; t < 1000; t++) {
      assertThat(floored[t]).isCloseTo(Math.max(free[t], 1e-4), within(1e-15));
    }
  }

  @Test
  void aSingleTimestepIsTheCeiling() {
    assertThat(CosineSchedule.paper().betas(1)).containsExactly(0.999);
    assertThat(CosineSchedule.annotated().betas(1)).containsExactly(0.9999);
  }

  @ParameterizedTest
  @CsvSource({
    "-0.1, 0, 0.999, s is -0.1",
    "NaN, 0, 0.999, s is NaN",
    "Infinity, 0, 0.999, s is Infinity",
    "0.008, -1e-4, 0.999, minBeta is -1.0E-4",
    "0.008, 0.999, 0.999, minBeta is 0.999",
    "0.008, NaN, 0.999, minBeta is NaN",
    "0.008, 0, 1, maxBeta is 1.0",
    "0.008, 0, 0, maxBeta is 0.0",
    "0.008, 0, NaN, maxBeta is NaN",
  })
  void valuesOutsideTheirRangeAreRefused(double s, double min, double max, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new CosineSchedule(s, min, max))
        .withMessageContaining(message);
  }

  @Test
  void aChainWithoutTimestepsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CosineSchedule.paper().betas(0))
        .withMessageContaining("number of timesteps is 0");
  }
}
