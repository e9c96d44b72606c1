package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NoiseScheduleTest {

  static Stream<NoiseSchedule> schedules() {
    return Stream.of(
        NoiseSchedule.of(LinearSchedule.paper(), 1000),
        NoiseSchedule.of(LinearSchedule.paper().scaledTo(50), 50),
        NoiseSchedule.of(LinearSchedule.paper(), 10_000),
        NoiseSchedule.of(CosineSchedule.paper(), 1000),
        NoiseSchedule.of(CosineSchedule.annotated(), 600),
        NoiseSchedule.of(0.5, 0.1, 0.9));
  }

  /** β = 1/2, 1/3, 1/4 makes α = 1/2, 2/3, 3/4 and ᾱ = 1/2, 1/3, 1/4. */
  private static NoiseSchedule byHand() {
    return NoiseSchedule.of(1 / 2.0, 1 / 3.0, 1 / 4.0);
  }

  @ParameterizedTest
  @CsvSource({
    "BETAS, 0.25",
    "ALPHAS, 0.75",
    "ALPHAS_CUMPROD, 0.25",
    "ALPHAS_CUMPROD_PREV, 0.3333333333333333",
    "SQRT_RECIP_ALPHAS, 1.1547005383792515",
    "SQRT_ALPHAS_CUMPROD, 0.5",
    "SQRT_ONE_MINUS_ALPHAS_CUMPROD, 0.8660254037844386",
    "LOG_ONE_MINUS_ALPHAS_CUMPROD, -0.2876820724517809",
    "SQRT_RECIP_ALPHAS_CUMPROD, 2",
    "SQRT_RECIPM1_ALPHAS_CUMPROD, 1.7320508075688772",
    "POSTERIOR_VARIANCE, 0.2222222222222222",
    "POSTERIOR_STANDARD_DEVIATION, 0.4714045207910317",
    "POSTERIOR_LOG_VARIANCE_CLIPPED, -1.5040773967762742",
    "POSTERIOR_MEAN_COEF1, 0.1924500897298753",
    "POSTERIOR_MEAN_COEF2, 0.7698003589195010",
    "SNR, 0.3333333333333333",
    "LOG_SNR, -1.0986122886681098",
  })
  void constantsByHand(ScheduleConstant constant, double expected) {
    assertThat(byHand().get(constant, 2)).isCloseTo(expected, within(1e-15));
  }

  @ParameterizedTest
  @EnumSource
  void everyConstantHasItsAccessorAndItsVector(ScheduleConstant constant)
      throws NoSuchMethodException, IllegalAccessException, InvocationTargetException {
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.annotated(), 25);
    INDArray vector = schedule.vector(constant);
    double[] values = schedule.values(constant);

    assertThat(vector.dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(vector.shape()).containsExactly(25);
    for (int t = 0; t < 25; t++) {
      Object named =
          NoiseSchedule.class.getMethod(camelCase(constant), int.class).invoke(schedule, t);
      assertThat(named).isEqualTo(schedule.get(constant, t));
      assertThat(vector.getDouble(t)).isEqualTo(schedule.get(constant, t));
      assertThat(values[t]).isEqualTo(schedule.get(constant, t)).isFinite();
    }
  }

  private static String camelCase(ScheduleConstant constant) {
    StringBuilder name = new StringBuilder();
    for (String word : constant.fieldName().split("_")) {
      name.append(name.isEmpty() ? word.charAt(0) : Character.toUpperCase(word.charAt(0)));
      name.append(word.substring(1));
    }
    return name.toString();
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void posteriorPrecisionIsTheSumOfBothSources(NoiseSchedule schedule) {
    for (int t = 1; t < schedule.timesteps(); t++) {
      // Bayes: precision of x_prev from x_t (α/β) plus that from x_0
      double precision =
          schedule.alphas(t) / schedule.betas(t) + 1 / (1 - schedule.alphasCumprodPrev(t));
      assertThat(1 / schedule.posteriorVariance(t) / precision).isCloseTo(1, within(1e-10));

      // and the mean weighs both sources by their precisions
      double coef1 =
          Math.sqrt(schedule.alphasCumprodPrev(t))
              / (1 - schedule.alphasCumprodPrev(t))
              / precision;
      double coef2 = Math.sqrt(schedule.alphas(t)) / schedule.betas(t) / precision;
      assertThat(schedule.posteriorMeanCoef1(t) / coef1).isCloseTo(1, within(1e-10));
      assertThat(schedule.posteriorMeanCoef2(t) / coef2).isCloseTo(1, within(1e-10));
    }
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void theForwardProcessPreservesVariance(NoiseSchedule schedule) {
    for (int t = 0; t < schedule.timesteps(); t++) {
      double signal = schedule.sqrtAlphasCumprod(t);
      double noise = schedule.sqrtOneMinusAlphasCumprod(t);
      assertThat(signal * signal + noise * noise).isCloseTo(1, within(1e-15));

      // and x_0 comes back: x_0 = a·(signal·x_0 + noise·ε) - b·ε
      assertThat(schedule.sqrtRecipAlphasCumprod(t) * signal).isCloseTo(1, within(1e-14));
      assertThat(schedule.sqrtRecipAlphasCumprod(t) * noise / schedule.sqrtRecipm1AlphasCumprod(t))
          .isCloseTo(1, within(1e-11));
    }
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void alphasCumprodIsTheExponentialOfTheSummedLogs(NoiseSchedule schedule) {
    double log = 0;
    for (int t = 0; t < schedule.timesteps(); t++) {
      assertThat(schedule.alphasCumprodPrev(t))
          .isEqualTo(t == 0 ? 1 : schedule.alphasCumprod(t - 1));
      log += Math.log1p(-schedule.betas(t));
      assertThat(schedule.alphasCumprod(t) / Math.exp(log)).isCloseTo(1, within(1e-11));
    }
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void signalToNoiseFallsStrictly(NoiseSchedule schedule) {
    for (int t = 1; t < schedule.timesteps(); t++) {
      assertThat(schedule.snr(t)).isPositive().isLessThan(schedule.snr(t - 1));
    }
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void nothingIsUncertainBehindTheFirstTimestep(NoiseSchedule schedule) {
    assertThat(schedule.posteriorVariance(0)).isZero();
    assertThat(schedule.posteriorStandardDeviation(0)).isZero();
    assertThat(schedule.posteriorMeanCoef1(0)).isCloseTo(1, within(1e-12));
    assertThat(schedule.posteriorMeanCoef2(0)).isZero();
    assertThat(schedule.posteriorLogVarianceClipped(0))
        .isEqualTo(schedule.posteriorLogVarianceClipped(1))
        .isEqualTo(Math.log(schedule.posteriorVariance(1)));
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void thePosteriorIsSurerThanTheForwardStep(NoiseSchedule schedule) {
    for (int t = 1; t < schedule.timesteps(); t++) {
      assertThat(schedule.posteriorVariance(t)).isPositive().isLessThanOrEqualTo(schedule.betas(t));
      assertThat(Math.pow(schedule.posteriorStandardDeviation(t), 2))
          .isCloseTo(schedule.posteriorVariance(t), within(1e-15));
    }
  }

  @Test
  void aSingleTimestepHasFiniteConstants() {
    NoiseSchedule schedule = NoiseSchedule.of(0.25);

    for (ScheduleConstant constant : ScheduleConstant.values()) {
      assertThat(schedule.get(constant, 0)).as("%s", constant).isFinite();
    }
    assertThat(schedule.posteriorLogVarianceClipped(0)).isEqualTo(Math.log(0.25));
    assertThat(schedule.timesteps()).isEqualTo(1);
  }

  @Test
  void changingWhatWentInOrCameOutChangesNothing() {
    double[] betas = {0.1, 0.2};
    NoiseSchedule schedule = NoiseSchedule.of(betas);
    betas[0] = 0.9;
    schedule.vector(ScheduleConstant.BETAS).assign(0.9);
    schedule.values(ScheduleConstant.BETAS)[0] = 0.9;
    schedule
        .extract(ScheduleConstant.BETAS, Nd4j.createFromArray(0, 1), DataType.DOUBLE, 2, 1, 1, 1)
        .assign(0.9);

    assertThat(schedule.values(ScheduleConstant.BETAS)).containsExactly(0.1, 0.2);
    assertThat(schedule.vector(ScheduleConstant.BETAS).toDoubleVector()).containsExactly(0.1, 0.2);
    assertThat(schedule.betas(0)).isEqualTo(0.1);
  }

  @Test
  void schedulesAreEqualWhenTheirBetasAre() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 10);

    assertThat(schedule)
        .isEqualTo(NoiseSchedule.of(LinearSchedule.paper().betas(10)))
        .hasSameHashCodeAs(NoiseSchedule.of(LinearSchedule.paper().betas(10)))
        .isNotEqualTo(NoiseSchedule.of(LinearSchedule.paper(), 11))
        .isNotEqualTo(NoiseSchedule.of(CosineSchedule.paper(), 10))
        .isNotEqualTo(null)
        .hasToString(
            "NoiseSchedule[timesteps=10, betas=1.0E-4..0.02, terminal alphasCumprod="
                + schedule.alphasCumprod(9)
                + "]");
  }

  @Test
  void aFormulaMayBeALambda() {
    NoiseSchedule schedule = NoiseSchedule.of(timesteps -> new double[] {1.0 / timesteps, 0.6}, 2);

    assertThat(schedule.betas(0)).isEqualTo(0.5);
  }

  @Test
  void aFormulaGivesABetaForEachTimestep() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(timesteps -> new double[] {0.1, 0.2}, 4))
        .withMessage("The formula gives 2 betas for 4 timesteps; it must give one for each.");
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void extractShapesTheValuesOfABatch(DataType dataType) {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    INDArray t = Nd4j.createFromArray(999, 0, 999);

    INDArray extracted =
        schedule.extract(ScheduleConstant.SQRT_ALPHAS_CUMPROD, t, dataType, 3, 2, 4, 4);

    assertThat(extracted.dataType()).isEqualTo(dataType);
    assertThat(extracted.shape()).containsExactly(3, 1, 1, 1);
    double tolerance = dataType == DataType.DOUBLE ? 0 : 1e-7;
    for (int i = 0; i < 3; i++) {
      assertThat(extracted.getDouble(i, 0, 0, 0))
          .isCloseTo(schedule.sqrtAlphasCumprod(t.getInt(i)), within(tolerance));
    }
    INDArray x = Nd4j.ones(dataType, 3, 2, 4, 4);
    assertThat(x.mul(extracted).getDouble(1, 1, 3, 3))
        .isCloseTo(schedule.sqrtAlphasCumprod(0), within(tolerance));
  }

  @Test
  void extractTakesAnyIntegersViewsAndRanks() {
    NoiseSchedule schedule = byHand();
    INDArray column = Nd4j.createFromArray(new long[][] {{9, 2}, {9, 0}}).getColumn(1);

    INDArray extracted = schedule.extract(ScheduleConstant.BETAS, column, DataType.DOUBLE, 2, 7);

    assertThat(extracted.shape()).containsExactly(2, 1);
    assertThat(extracted.getDouble(0, 0)).isEqualTo(1 / 4.0);
    assertThat(extracted.getDouble(1, 0)).isEqualTo(1 / 2.0);
  }

  @Test
  void extractRefusesWhatDoesNotFit() {
    NoiseSchedule schedule = byHand();
    INDArray t = Nd4j.createFromArray(0, 1);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> schedule.extract(ScheduleConstant.BETAS, t, DataType.FLOAT, 3, 1, 2, 2))
        .withMessageContaining("[3, 1, 2, 2]")
        .withMessageContaining("t holds 2 timesteps");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schedule.extract(ScheduleConstant.BETAS, t, DataType.FLOAT))
        .withMessageContaining("x has the shape []");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schedule.extract(ScheduleConstant.BETAS, t, DataType.INT32, 2, 1))
        .withMessageContaining("floating-point");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                schedule.extract(
                    ScheduleConstant.BETAS, t.castTo(DataType.FLOAT), DataType.FLOAT, 2, 1))
        .withMessageContaining("vector [N] of integers");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> schedule.extract(ScheduleConstant.BETAS, t.reshape(2, 1), DataType.FLOAT, 2, 1))
        .withMessageContaining("[2, 1]");
    for (long outside : new long[] {-1, 3, 1L << 32}) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(
              () ->
                  schedule.extract(
                      ScheduleConstant.BETAS,
                      Nd4j.createFromArray(0L, outside),
                      DataType.FLOAT,
                      2,
                      1))
          .withMessage(
              "The timestep is " + outside + ", but this schedule has the timesteps 0 to 2.");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 3, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void timestepsOutsideAreRefused(int t) {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> byHand().alphasCumprod(t))
        .withMessage("The timestep is " + t + ", but this schedule has the timesteps 0 to 2.");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY})
  void betasOutsideTheirRangeAreRefused(double beta) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(0.1, beta))
        .withMessage(
            "betas[1] is "
                + beta
                + "; β is a variance that must lie between 0 and 1, both excluded.");
  }

  @Test
  void onlyTheLastBetaMayBeOne() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(0.1, 1, 0.5))
        .withMessage(
            "betas[1] is 1.0, which leaves no signal for the timesteps after it; only the last β,"
                + " betas[2], may be 1.");
    assertThat(NoiseSchedule.of(0.1, 0.5).hasZeroTerminalSnr()).isFalse();
    assertThat(NoiseSchedule.of(0.1, 1).hasZeroTerminalSnr()).isTrue();
  }

  /** β = 1/2, 1 makes ᾱ = 1/2, 0: the posterior of x_0's successor forgets x_t. */
  @ParameterizedTest
  @CsvSource({
    "BETAS, 1",
    "ALPHAS, 0",
    "ALPHAS_CUMPROD, 0",
    "ALPHAS_CUMPROD_PREV, 0.5",
    "SQRT_RECIP_ALPHAS, Infinity",
    "SQRT_ALPHAS_CUMPROD, 0",
    "SQRT_ONE_MINUS_ALPHAS_CUMPROD, 1",
    "LOG_ONE_MINUS_ALPHAS_CUMPROD, 0",
    "SQRT_RECIP_ALPHAS_CUMPROD, Infinity",
    "SQRT_RECIPM1_ALPHAS_CUMPROD, Infinity",
    "POSTERIOR_VARIANCE, 0.5",
    "POSTERIOR_STANDARD_DEVIATION, 0.7071067811865476",
    "POSTERIOR_LOG_VARIANCE_CLIPPED, -0.6931471805599453",
    "POSTERIOR_MEAN_COEF1, 0.7071067811865476",
    "POSTERIOR_MEAN_COEF2, 0",
    "SNR, 0",
    "LOG_SNR, -Infinity",
  })
  void constantsWhereNoSignalIsLeft(ScheduleConstant constant, double expected) {
    assertThat(NoiseSchedule.of(0.5, 1).get(constant, 1)).isEqualTo(expected);
  }

  @Test
  void aSingleTimestepMayBeAllNoise() {
    NoiseSchedule schedule = NoiseSchedule.of(1);

    assertThat(schedule.alphasCumprod(0)).isZero();
    assertThat(schedule.posteriorVariance(0)).isZero();
    assertThat(schedule.posteriorLogVarianceClipped(0)).isZero();
    assertThat(schedule.posteriorMeanCoef1(0)).isEqualTo(1);
    assertThat(schedule.posteriorMeanCoef2(0)).isZero();
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void logSnrIsTheLogarithmOfTheSnr(NoiseSchedule schedule) {
    for (int t = 0; t < schedule.timesteps(); t++) {
      assertThat(schedule.logSnr(t)).isCloseTo(Math.log(schedule.snr(t)), within(1e-12));
    }
  }

  @Test
  void whatDoublePrecisionCannotHoldIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(1e-17))
        .withMessageContaining("betas[0] is 1.0E-17; that is too little noise");
    double[] nearlyOne = new double[100];
    Arrays.fill(nearlyOne, 0.9999);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(nearlyOne))
        .withMessageContaining("At timestep 76 the product of the alphas is");
  }

  @Test
  void aChainWithoutTimestepsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(NoiseSchedule::of)
        .withMessageContaining("number of timesteps is 0");
  }
}
