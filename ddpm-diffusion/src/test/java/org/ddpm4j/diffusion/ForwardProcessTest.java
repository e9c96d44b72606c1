package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ForwardProcessTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final ForwardProcess FORWARD = new ForwardProcess(SCHEDULE);

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"FLOAT", "DOUBLE"})
  void qSampleEqualsThePlainLoop(DataType dataType) {
    int[] t = {0, 1, 250, 999, 500};
    double[] x0 = random(1, 5 * 3 * 4 * 2);
    double[] eps = random(2, 5 * 3 * 4 * 2);
    INDArray xt = FORWARD.qSample(array(x0, dataType), t, array(eps, dataType));

    assertThat(xt.dataType()).isEqualTo(dataType);
    assertThat(xt.shape()).containsExactly(5, 3, 4, 2);
    double[] actual = xt.dup('c').data().asDouble();
    for (int i = 0; i < x0.length; i++) {
      double alphasCumprod = 1;
      for (int s = 0; s <= t[i / 24]; s++) {
        alphasCumprod *= 1 - (1e-4 + (0.02 - 1e-4) * s / 999);
      }
      double expected = Math.sqrt(alphasCumprod) * x0[i] + Math.sqrt(1 - alphasCumprod) * eps[i];
      assertThat(actual[i]).isCloseTo(expected, within(dataType == DataType.FLOAT ? 1e-6 : 1e-12));
    }
  }

  @Test
  void qStepEqualsThePlainLoop() {
    int[] t = {0, 10, 998, 999, 5};
    double[] previous = random(3, 120);
    double[] eps = random(4, 120);
    double[] actual =
        FORWARD
            .qStep(array(previous, DataType.DOUBLE), t, array(eps, DataType.DOUBLE))
            .data()
            .asDouble();
    for (int i = 0; i < 120; i++) {
      double beta = 1e-4 + (0.02 - 1e-4) * t[i / 24] / 999;
      double expected = Math.sqrt(1 - beta) * previous[i] + Math.sqrt(beta) * eps[i];
      assertThat(actual[i]).isCloseTo(expected, within(1e-12));
    }
  }

  @Test
  void argumentsStayAsTheyWere() {
    INDArray x0 = array(random(1, 120), DataType.FLOAT);
    INDArray eps = array(random(2, 120), DataType.FLOAT);
    INDArray x0Before = x0.dup();
    INDArray epsBefore = eps.dup();
    FORWARD.qSample(x0, new int[] {1, 2, 3, 4, 5}, eps);
    FORWARD.qStep(x0, new int[] {1, 2, 3, 4, 5}, eps);
    assertThat(x0).isEqualTo(x0Before);
    assertThat(eps).isEqualTo(epsBefore);
  }

  @Test
  void viewsOfEitherOrderAreTakenAsTheyStand() {
    INDArray x0 = array(random(1, 120), DataType.FLOAT);
    INDArray eps = array(random(2, 120), DataType.FLOAT);
    int[] t = {1, 2, 3, 4, 5};
    assertThat(FORWARD.qSample(x0.dup('f'), t, eps)).isEqualTo(FORWARD.qSample(x0, t, eps));
    assertThat(FORWARD.qSample(x0, t, eps.dup('f'))).isEqualTo(FORWARD.qSample(x0, t, eps));
  }

  /** The noise of {@link NoiseSource} is FLOAT; a network may compute in DOUBLE. */
  @Test
  void noiseOfAnotherTypeIsCast() {
    INDArray x0 = array(random(1, 120), DataType.DOUBLE);
    INDArray eps = NoiseSource.seeded(1, 0).gaussian(0, 5, 3, 4, 2);
    int[] t = {1, 2, 3, 4, 5};
    INDArray xt = FORWARD.qSample(x0, t, eps);
    assertThat(xt.dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(xt).isEqualTo(FORWARD.qSample(x0, t, eps.castTo(DataType.DOUBLE)));
  }

  /** Data of variance one and mean zero keep their variance at every time. */
  @Test
  void varianceIsPreserved() {
    int n = 40_000;
    INDArray x0 = NoiseSource.seeded(1, 0).gaussian(0, 4, 1, 100, n / 100);
    INDArray eps = NoiseSource.seeded(2, 0).gaussian(0, 4, 1, 100, n / 100);
    INDArray xt = FORWARD.qSample(x0, new int[] {0, 100, 400, 999}, eps);
    for (int image = 0; image < 4; image++) {
      double variance = xt.slice(image).varNumber().doubleValue();
      assertThat(variance).isCloseTo(1, within(5 * Math.sqrt(2.0 / n)));
    }
  }

  /** Without noise the chain scales by exactly the marginal's factor. */
  @Test
  void stepsComposeToTheMarginalsMean() {
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 50);
    ForwardProcess forward = new ForwardProcess(schedule);
    INDArray x = Nd4j.ones(DataType.DOUBLE, 1, 1, 1, 1);
    INDArray none = Nd4j.zeros(DataType.DOUBLE, 1, 1, 1, 1);
    for (int t = 0; t < 50; t++) {
      x = forward.qStep(x, new int[] {t}, none);
      assertThat(x.getDouble(0))
          .isCloseTo(schedule.sqrtAlphasCumprod(t), within(1e-12 * schedule.sqrtAlphasCumprod(t)))
          .isCloseTo(
              forward
                  .qSample(Nd4j.ones(DataType.DOUBLE, 1, 1, 1, 1), new int[] {t}, none)
                  .getDouble(0),
              within(1e-12));
    }
  }

  /**
   * x_t is linear in the noise of every step, so feeding a one at step s alone reads its
   * coefficient; the squares of all coefficients sum to the marginal's variance.
   */
  @Test
  void stepsComposeToTheMarginalsVariance() {
    int steps = 40;
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper().scaledTo(steps), steps);
    ForwardProcess forward = new ForwardProcess(schedule);
    double variance = 0;
    for (int s = 0; s < steps; s++) {
      INDArray x = Nd4j.zeros(DataType.DOUBLE, 1, 1, 1, 1);
      for (int t = 0; t < steps; t++) {
        x =
            forward.qStep(
                x,
                new int[] {t},
                Nd4j.valueArrayOf(new long[] {1, 1, 1, 1}, t == s ? 1.0 : 0.0, DataType.DOUBLE));
      }
      variance += x.getDouble(0) * x.getDouble(0);
    }
    assertThat(variance).isCloseTo(1 - schedule.alphasCumprod(steps - 1), within(1e-12));
  }

  @Test
  void atALevelItIsTheSameAsAtItsTimestep() {
    INDArray x0 = array(random(1, 120), DataType.DOUBLE);
    INDArray eps = array(random(2, 120), DataType.DOUBLE);
    INDArray atLevel = ForwardProcess.qSample(x0, NoiseLevel.of(SCHEDULE, 250), eps);
    assertThat(
            atLevel.equalsWithEps(
                FORWARD.qSample(x0, new int[] {250, 250, 250, 250, 250}, eps), 1e-14))
        .isTrue();
    assertThatThrownBy(
            () ->
                ForwardProcess.qSample(
                    x0, NoiseLevel.CLEAN, Nd4j.zeros(DataType.DOUBLE, 1, 3, 4, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1, 3, 4, 2]");
  }

  @Test
  void refusesWhatDoesNotFit() {
    INDArray x0 = array(random(1, 120), DataType.FLOAT);
    int[] t = {1, 2, 3, 4, 5};
    assertThatThrownBy(() -> FORWARD.qSample(x0, t, Nd4j.zeros(5, 3, 2, 4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The noise has the shape [5, 3, 2, 4] where the images have [5, 3, 4, 2].");
    assertThatThrownBy(() -> FORWARD.qStep(x0, t, Nd4j.zeros(1, 3, 4, 2)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> FORWARD.qSample(x0, new int[] {1}, x0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("1 timesteps were given for 5 images.");
    assertThatThrownBy(() -> FORWARD.qSample(x0, new int[] {1, 2, 3, 4, 1000}, x0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> FORWARD.qSample(x0, new int[] {1, 2, 3, 4, -1}, x0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    INDArray levels = x0.castTo(DataType.UINT8);
    assertThatThrownBy(() -> FORWARD.qSample(levels, t, x0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("UBYTE");
  }

  private static double[] random(long seed, int count) {
    return new SplittableRandom(seed).doubles(count, -1, 1).toArray();
  }

  private static INDArray array(double[] values, DataType dataType) {
    return Nd4j.createFromArray(values).reshape('c', 5, 3, 4, 2).castTo(dataType);
  }
}
