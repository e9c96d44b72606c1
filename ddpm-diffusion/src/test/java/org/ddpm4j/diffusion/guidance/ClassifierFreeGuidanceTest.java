package org.ddpm4j.diffusion.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Two classes of independent Gaussian pixels, N(-1, 0.5²) and N(1, 0.8²), of which the second is
 * three times as frequent; all densities are known.
 */
class ClassifierFreeGuidanceTest {

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(LinearSchedule.paper().scaledTo(50), 50);
  private static final double[] MEANS = {-1, 1};
  private static final double[] DEVIATIONS = {0.5, 0.8};
  private static final double[] SHARES = {0.25, 0.75};
  private static final int NULL_CLASS = 2;

  /** The density of pixels x_t of a class. */
  private static double density(double x, int label, NoiseLevel level) {
    double variance = variance(label, level);
    double difference = x - level.alpha() * MEANS[label];
    return Math.exp(-difference * difference / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
  }

  private static double variance(int label, NoiseLevel level) {
    double signal = level.alpha() * DEVIATIONS[label];
    return signal * signal + 1 - level.alphaCumprod();
  }

  private static double mixture(double x, NoiseLevel level) {
    return SHARES[0] * density(x, 0, level) + SHARES[1] * density(x, 1, level);
  }

  /** E[x0 | x_t, class], by regression. */
  private static double x0(double x, int label, NoiseLevel level) {
    double slope = level.alpha() * DEVIATIONS[label] * DEVIATIONS[label] / variance(label, level);
    return MEANS[label] + slope * (x - level.alpha() * MEANS[label]);
  }

  /** E[x0 | x_t] or that of the class, as a network would know it. */
  private static double bestX0(double x, int label, NoiseLevel level) {
    if (label != NULL_CLASS) {
      return x0(x, label, level);
    }
    double first = SHARES[0] * density(x, 0, level) / mixture(x, level);
    return first * x0(x, 0, level) + (1 - first) * x0(x, 1, level);
  }

  /** A perfect network that predicts what a parameterization says. */
  private static final class BestNetwork implements Function<UnetInput, INDArray> {

    private final Parameterization parameterization;
    private final List<int[]> asked = new ArrayList<>();

    BestNetwork(Parameterization parameterization) {
      this.parameterization = parameterization;
    }

    @Override
    public INDArray apply(UnetInput input) {
      asked.add(input.labels().toIntVector());
      INDArray x0 = input.x().dup('c');
      INDArray eps = x0.ulike();
      int[] t = input.t().toIntVector();
      long perImage = x0.length() / x0.size(0);
      for (long i = 0; i < x0.length(); i++) {
        int image = (int) (i / perImage);
        NoiseLevel level = NoiseLevel.of(SCHEDULE, t[image]);
        double x = x0.getDouble(i);
        x0.putScalar(i, bestX0(x, input.labels().getInt(image), level));
        eps.putScalar(i, (x - level.alpha() * x0.getDouble(i)) / level.sigma());
      }
      return parameterization.target(SCHEDULE, x0, eps, t);
    }
  }

  private static final INDArray XT =
      Nd4j.createFromArray(-1.7, -0.9, -0.2, 0.1, 0.4, 0.8, 1.5, 2.2).reshape('c', 2, 1, 2, 2);

  private static ClassifierFreeGuidance guided(BestNetwork network, Guidance guidance) {
    return new ClassifierFreeGuidance(
        network, network.parameterization, SCHEDULE, NULL_CLASS, guidance);
  }

  private static double slope(DoubleUnaryOperator function, double x) {
    double step = 1e-5;
    return (function.applyAsDouble(x + step) - function.applyAsDouble(x - step)) / (2 * step);
  }

  /** ε = -σ ∇log p, so that guidance is {@code (1-s) ∇log p(x) + s ∇log p(x|c)}. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1, 2, 7.5})
  void theScoreIsThatOfTheFormula(double scale) {
    int[] classes = {0, 1};
    for (int t : new int[] {3, 20, 49}) {
      NoiseLevel level = NoiseLevel.of(SCHEDULE, t);
      Denoiser denoiser =
          guided(new BestNetwork(Parameterization.EPSILON), Guidance.of(scale))
              .withClasses(classes);

      INDArray eps = denoiser.denoise(XT, level).eps();

      for (int i = 0; i < XT.length(); i++) {
        int label = classes[i / 4];
        double x = XT.getDouble(i);
        double score =
            (1 - scale) * slope(value -> Math.log(mixture(value, level)), x)
                + scale * slope(value -> Math.log(density(value, label, level)), x);
        assertThat(eps.getDouble(i)).isCloseTo(-level.sigma() * score, within(1e-7));
      }
    }
  }

  /** Guidance is linear, and all that is predicted is linear in each other at a given x_t. */
  @ParameterizedTest
  @EnumSource(
      value = Parameterization.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void whatIsPredictedDoesNotMatterWithoutRescaling(Parameterization parameterization) {
    NoiseLevel level = NoiseLevel.of(SCHEDULE, 25);
    Denoiser.Estimate expected =
        guided(new BestNetwork(Parameterization.EPSILON), Guidance.of(4))
            .withClasses(0, 1)
            .denoise(XT, level);

    Denoiser.Estimate estimate =
        guided(new BestNetwork(parameterization), Guidance.of(4))
            .withClasses(0, 1)
            .denoise(XT, level);

    assertThat(estimate.x0().distance2(expected.x0())).isLessThan(1e-9);
    assertThat(estimate.eps().distance2(expected.eps())).isLessThan(1e-9);
  }

  /** Lin et al. rescale what the network says, not x0. */
  @ParameterizedTest
  @EnumSource(
      value = Parameterization.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void rescalingIsOfWhatIsPredicted(Parameterization parameterization) {
    NoiseLevel level = NoiseLevel.of(SCHEDULE, 25);
    BestNetwork network = new BestNetwork(parameterization);
    INDArray t = Nd4j.createFromArray(25, 25);
    INDArray conditional = network.apply(new UnetInput(XT, t, Nd4j.createFromArray(0, 1)));
    INDArray unconditional = network.apply(new UnetInput(XT, t, Nd4j.createFromArray(2, 2)));
    double[] expected = new double[8];
    for (int image = 0; image < 2; image++) {
      double[] y = new double[4];
      double[] yc = new double[4];
      for (int i = 0; i < 4; i++) {
        yc[i] = conditional.getDouble(4 * image + i);
        double none = unconditional.getDouble(4 * image + i);
        y[i] = none + 4 * (yc[i] - none);
      }
      for (int i = 0; i < 4; i++) {
        expected[4 * image + i] = 0.7 * y[i] * deviation(yc) / deviation(y) + 0.3 * y[i];
      }
    }

    Denoiser.Estimate estimate =
        guided(network, Guidance.of(4).withRescale(0.7)).withClasses(0, 1).denoise(XT, level);

    INDArray said = parameterization.target(SCHEDULE, estimate.x0(), estimate.eps(), 25, 25);
    assertThat(said.dup('c').data().asDouble())
        .usingComparatorWithPrecision(1e-9)
        .containsExactly(expected);
  }

  private static double deviation(double[] values) {
    double mean = 0;
    double sum = 0;
    for (double value : values) {
      mean += value / values.length;
    }
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return Math.sqrt(sum / values.length);
  }

  private static int[][] asked(Guidance guidance, NoiseLevel level) {
    BestNetwork network = new BestNetwork(Parameterization.EPSILON);
    guided(network, guidance).withClasses(1, 0).denoise(XT, level);
    return network.asked.toArray(int[][]::new);
  }

  @Test
  void theNetworkIsAskedNoMoreThanNeeded() {
    NoiseLevel level = NoiseLevel.of(SCHEDULE, 25);
    assertThat(asked(Guidance.of(3), level)).isDeepEqualTo(new int[][] {{1, 0, 2, 2}});
    assertThat(asked(Guidance.NONE, level)).isDeepEqualTo(new int[][] {{1, 0}});
    assertThat(asked(Guidance.of(1).withRescale(0.7), level)).isDeepEqualTo(new int[][] {{1, 0}});
    assertThat(asked(Guidance.of(0), level)).isDeepEqualTo(new int[][] {{2, 2}});
    assertThat(asked(Guidance.of(0).withRescale(0.7), level))
        .isDeepEqualTo(new int[][] {{1, 0, 2, 2}});
    Guidance.Interval below = new Guidance.Interval(0, level.rho() / 2);
    assertThat(asked(Guidance.of(3).within(below), level)).isDeepEqualTo(new int[][] {{1, 0}});
    assertThat(asked(Guidance.of(0).within(below), level)).isDeepEqualTo(new int[][] {{1, 0}});
  }

  private static Unet unet(int outChannels) {
    return Unet.create(
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4)
            .withAttention(1, 8)
            .withOutChannels(outChannels)
            .withClassEmbeddings(4),
        DataType.FLOAT,
        1);
  }

  /** To the last bit, for scales that need one answer; up to rounding, where batches differ. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aNetworkIsGuidedAsItsAnswersSay(int outChannels) {
    try (Unet unet = unet(outChannels)) {
      ClassConditionalDenoiser plain =
          ClassConditionalDenoiser.of(unet, Parameterization.EPSILON, SCHEDULE);
      INDArray xt = Nd4j.rand(DataType.FLOAT, 5, 1, 8, 8).muli(3).subi(1.5);
      NoiseLevel level = NoiseLevel.of(SCHEDULE, 25);
      Denoiser.Estimate conditional = plain.withClasses(0, 1, 2, 1, 0).denoise(xt, level);
      Denoiser.Estimate unconditional = plain.withClasses(3, 3, 3, 3, 3).denoise(xt, level);

      assertThat(bits(guide(unet, 1, xt, level))).isDeepEqualTo(bits(conditional));
      assertThat(bits(guide(unet, 0, xt, level))).isDeepEqualTo(bits(unconditional));
      Denoiser.Estimate guided = guide(unet, 3, xt, level);
      INDArray expected = conditional.eps().mul(3).sub(unconditional.eps().mul(2));
      assertThat(conditional.eps().distance2(unconditional.eps())).isGreaterThan(0.1);
      assertThat(guided.eps().distance2(expected)).isLessThan(1e-4);
      assertThat(guided.varianceInterpolation().isPresent()).isEqualTo(outChannels == 2);
      if (outChannels == 2) {
        INDArray variance = guided.varianceInterpolation().orElseThrow();
        assertThat(variance.distance2(conditional.varianceInterpolation().orElseThrow()))
            .isLessThan(1e-4);
      }
    }
  }

  private static float[][] bits(Denoiser.Estimate estimate) {
    return Stream.concat(
            Stream.of(estimate.x0(), estimate.eps()), estimate.varianceInterpolation().stream())
        .map(array -> array.dup('c').data().asFloat())
        .toArray(float[][]::new);
  }

  private static Denoiser.Estimate guide(Unet unet, double scale, INDArray xt, NoiseLevel level) {
    return ClassifierFreeGuidance.of(unet, Parameterization.EPSILON, SCHEDULE, Guidance.of(scale))
        .withClasses(0, 1, 2, 1, 0)
        .denoise(xt, level);
  }

  @Test
  void anyRowMayBeTheNullClass() {
    try (Unet unet = unet(1)) {
      INDArray xt = Nd4j.rand(DataType.FLOAT, 1, 1, 8, 8);
      NoiseLevel level = NoiseLevel.of(SCHEDULE, 25);
      Denoiser.Estimate first =
          ClassifierFreeGuidance.of(unet, Parameterization.EPSILON, SCHEDULE, 0, Guidance.of(0))
              .withClasses(2)
              .denoise(xt, level);
      Denoiser.Estimate expected =
          ClassConditionalDenoiser.of(unet, Parameterization.EPSILON, SCHEDULE)
              .withClasses(0)
              .denoise(xt, level);
      assertThat(bits(first)).isDeepEqualTo(bits(expected));
      assertThatThrownBy(
              () ->
                  ClassifierFreeGuidance.of(
                      unet, Parameterization.EPSILON, SCHEDULE, 4, Guidance.NONE))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "The null class is 4, but the class embedding of the network has the rows 0 to 3.");
    }
  }

  /** Says 2x + e/10 of class 0 and x + e/2 of none, e being the estimate that it is told. */
  private static INDArray selfConditioned(UnetInput input) {
    assertThat(input.x().size(1)).isEqualTo(2);
    INDArray answer = Nd4j.create(input.x().dataType(), input.x().size(0), 1, 2, 2);
    for (long i = 0; i < answer.length(); i++) {
      long image = i / 4;
      double e = input.x().getDouble(image, 0, i % 4 / 2, i % 2);
      double x = input.x().getDouble(image, 1, i % 4 / 2, i % 2);
      boolean isNone = input.labels().getInt((int) image) == NULL_CLASS;
      answer.putScalar(image, 0, i % 4 / 2, i % 2, isNone ? x + e / 2 : 2 * x + e / 10);
    }
    return answer;
  }

  /** Of two steps, of which the first is told 0 and the second what the first said, clipped. */
  private static void assertSelfConditioned(
      Guidance guidance, DoubleUnaryOperator first, DoubleBinaryOperator second) {
    Denoiser denoiser =
        new ClassifierFreeGuidance(
                ClassifierFreeGuidanceTest::selfConditioned,
                Parameterization.X0,
                SCHEDULE,
                NULL_CLASS,
                guidance,
                true)
            .withClasses(0, 0);
    INDArray noisy = denoiser.denoise(XT, NoiseLevel.of(SCHEDULE, 40)).x0();
    INDArray clean = denoiser.denoise(XT, NoiseLevel.of(SCHEDULE, 10)).x0();
    for (int i = 0; i < XT.length(); i++) {
      double x = XT.getDouble(i);
      double said = first.applyAsDouble(x);
      assertThat(noisy.getDouble(i)).isCloseTo(said, within(1e-12));
      assertThat(clean.getDouble(i))
          .isCloseTo(second.applyAsDouble(x, Math.max(-1, Math.min(1, said))), within(1e-12));
    }
  }

  /** None + 3 (class - none) is 4x - 0.7 e. What was said without guidance is told as well. */
  @Test
  void whatConditionsOnItselfIsToldTheGuidedEstimate() {
    assertSelfConditioned(Guidance.of(3), x -> 4 * x, (x, e) -> 4 * x - 0.7 * e);
    assertSelfConditioned(Guidance.NONE, x -> 2 * x, (x, e) -> 2 * x + e / 10);
    assertSelfConditioned(Guidance.of(0), x -> x, (x, e) -> x + e / 2);
    Guidance.Interval late = new Guidance.Interval(0, NoiseLevel.of(SCHEDULE, 20).rho());
    assertSelfConditioned(Guidance.of(3).within(late), x -> 2 * x, (x, e) -> 4 * x - 0.7 * e);
  }

  @Test
  void aNetworkWithoutClassesIsRefused() {
    try (Unet unet = Unet.create(AnnotatedUnet.resnet(8, 1, List.of(1), 4), DataType.FLOAT, 1)) {
      assertThatThrownBy(
              () ->
                  ClassifierFreeGuidance.of(
                      unet, Parameterization.EPSILON, SCHEDULE, Guidance.of(2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("The network has 0 class embeddings; guidance needs one for each");
    }
    // One class and none are enough.
    for (int embeddings : new int[] {1, 2}) {
      AnnotatedUnet network =
          AnnotatedUnet.resnet(8, 1, List.of(1), 4).withClassEmbeddings(embeddings);
      try (Unet unet = Unet.create(network, DataType.FLOAT, 1)) {
        Throwable refusal =
            catchThrowable(
                () ->
                    ClassifierFreeGuidance.of(
                        unet, Parameterization.EPSILON, SCHEDULE, Guidance.of(2)));
        assertThat(refusal == null).isEqualTo(embeddings == 2);
      }
    }
    assertThatThrownBy(
            () ->
                new ClassifierFreeGuidance(
                    UnetInput::x, Parameterization.EPSILON, SCHEDULE, -1, Guidance.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The null class is -1");
  }
}
