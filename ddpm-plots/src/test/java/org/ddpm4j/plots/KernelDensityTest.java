package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class KernelDensityTest {

  private static final double[] SAMPLES = {0, 1, 3, 3.5, -2};

  /** SciPy 1.17's {@code gaussian_kde} of the same samples. */
  @ParameterizedTest
  @CsvSource({
    "SCOTT, 1.6287397221311344, 0.02589686113737173, 0.1264602622907855, 0.13796730089884526, 0.02456111339389928",
    "SILVERMAN, 1.7251999445445154, 0.027474943292470966, 0.12506896111186694, 0.1365866160444485, 0.027185907032496293",
  })
  void densitiesAreSciPys(
      Bandwidth rule, double bandwidth, double left, double zero, double middle, double right) {
    KernelDensity density = KernelDensity.of(SAMPLES, rule);

    assertThat(density.bandwidth()).isCloseTo(bandwidth, within(1e-12));
    assertThat(density.at(-4)).isCloseTo(left, within(1e-14));
    assertThat(density.at(0)).isCloseTo(zero, within(1e-14));
    assertThat(density.at(1.25)).isCloseTo(middle, within(1e-14));
    assertThat(density.at(6)).isCloseTo(right, within(1e-14));
  }

  /** Of -1 and 1: s = √2, h = √2 · 2^(-1/5) = 2^0.3, and at 0 both kernels are equal. */
  @Test
  void twoSamplesByHand() {
    double h = Math.pow(2, 0.3);
    KernelDensity density = KernelDensity.of(new double[] {-1, 1});

    assertThat(density.bandwidth()).isCloseTo(h, within(1e-15));
    assertThat(density.at(0))
        .isCloseTo(Math.exp(-1 / (2 * h * h)) / (h * Math.sqrt(2 * Math.PI)), within(1e-15));
  }

  @ParameterizedTest
  @EnumSource
  void densitiesIntegrateToOne(Bandwidth rule) {
    Series curve = KernelDensity.of(SAMPLES, rule).curve("p", -20, 20, 4001);

    double integral = 0;
    for (double y : curve.y()) {
      integral += y * 0.01;
    }
    assertThat(integral).isCloseTo(1, within(1e-12));
    assertThat(curve.x()[0]).isEqualTo(-20);
    assertThat(curve.x()[2000]).isEqualTo(0);
    assertThat(curve.x()[4000]).isEqualTo(20);
    assertThat(curve.name()).isEqualTo("p");
  }

  @Test
  void manyNormalSamplesGiveTheNormalDensity() {
    double[] samples = new Random(1).doubles(20_000).toArray();
    Random random = new Random(2);
    for (int i = 0; i < samples.length; i++) {
      samples[i] = random.nextGaussian();
    }
    KernelDensity density = KernelDensity.of(samples);
    Series normal = KernelDensity.standardNormal(-3, 3, 61);

    for (int i = 0; i < 61; i++) {
      assertThat(density.at(normal.x()[i])).isCloseTo(normal.y()[i], within(0.015));
    }
  }

  @Test
  void samplesAreCopied() {
    double[] samples = SAMPLES.clone();
    KernelDensity density = KernelDensity.of(samples);
    double before = density.at(0);
    samples[0] = 100;

    assertThat(density.at(0)).isEqualTo(before);
  }

  @Test
  void whatHasNoDensityIsRefused() {
    for (double[] bad :
        new double[][] {
          {}, {1}, {2, 2, 2}, {0.7, 0.7, 0.7}, {1, Double.NaN}, {1, Double.POSITIVE_INFINITY}
        }) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> KernelDensity.of(bad))
          .withMessageContaining(bad.length + " samples");
    }
    KernelDensity density = KernelDensity.of(SAMPLES);
    assertThatIllegalArgumentException().isThrownBy(() -> density.curve("p", 1, 1, 10));
    assertThatIllegalArgumentException().isThrownBy(() -> density.curve("p", 0, 1, 1));
  }
}
