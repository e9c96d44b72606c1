package org.ddpm4j.diffusion.bound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class DiscretizedGaussianTest {

  private static final DiscretizedGaussian BYTES = DiscretizedGaussian.ofBytes();

  private static final double[] IMAGENET_MEAN = {0.485, 0.456, 0.406};
  private static final double[] IMAGENET_DEVIATION = {0.229, 0.224, 0.225};

  private static DiscretizedGaussian imageNet() {
    double[] lower = new double[3];
    double[] upper = new double[3];
    double[] step = new double[3];
    for (int c = 0; c < 3; c++) {
      lower[c] = -IMAGENET_MEAN[c] / IMAGENET_DEVIATION[c];
      upper[c] = (1 - IMAGENET_MEAN[c]) / IMAGENET_DEVIATION[c];
      step[c] = 1 / (255 * IMAGENET_DEVIATION[c]);
    }
    return new DiscretizedGaussian(lower, upper, step);
  }

  private static double pixel(int level) {
    return level / 127.5 - 1;
  }

  private static double logProbability(int level, double mean, double deviation) {
    return BYTES.logLikelihood(0, pixel(level), mean, 2 * Math.log(deviation)).nats();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.5",
    "0.3, 0.01",
    "-0.997, 0.001",
    "1.4, 0.3",
    "-3, 0.7",
    "0.5, 20",
    "1, 1e-4",
    "0.2, 3"
  })
  void theProbabilitiesOfAllBinsAddUpToOne(double mean, double deviation) {
    double sum = 0;
    for (int level = 0; level < 256; level++) {
      sum += Math.exp(logProbability(level, mean, deviation));
    }
    assertThat(sum).isCloseTo(1, within(1e-13));
  }

  /** The open ends: all that lies below -1 belongs to black, all above 1 to white. */
  @Test
  void theFirstAndTheLastBinAreOpen() {
    assertThat(logProbability(0, -40, 0.5)).isCloseTo(0, within(1e-15));
    assertThat(logProbability(255, 40, 0.5)).isCloseTo(0, within(1e-15));
    assertThat(logProbability(0, 0, 1000)).isCloseTo(Math.log(0.5), within(1e-3));
  }

  /** The distribution function by the Taylor series of erf in 60 digits, which cannot cancel. */
  private static BigDecimal cdf(double z) {
    MathContext digits = new MathContext(60);
    BigDecimal x = new BigDecimal(z);
    BigDecimal half = x.multiply(x).divide(BigDecimal.valueOf(-2), digits);
    BigDecimal power = x;
    BigDecimal sum = x;
    for (int n = 1; n < 400; n++) {
      power = power.multiply(half, digits).divide(BigDecimal.valueOf(n), digits);
      sum = sum.add(power.divide(BigDecimal.valueOf(2 * n + 1), digits), digits);
    }
    BigDecimal twoPi = new BigDecimal("6.2831853071795864769252867665590057683943387987502116");
    return new BigDecimal("0.5").add(sum.divide(twoPi.sqrt(digits), digits), digits);
  }

  @ParameterizedTest
  @CsvSource({"0.1, 0.05", "-0.4, 0.3", "0.02, 2", "0.9, 0.15", "0.0039, 0.01"})
  void isTheDifferenceOfTwoDistributionFunctions(double mean, double deviation) {
    for (int level = 1; level < 255; level += 3) {
      double to = (pixel(level) + 1 / 255.0 - mean) / deviation;
      double from = (pixel(level) - 1 / 255.0 - mean) / deviation;
      if (Math.max(Math.abs(to), Math.abs(from)) < 9) {
        double expected = Math.log(cdf(to).subtract(cdf(from)).doubleValue());
        // Ends of the bins are known to 1e-16 only, in units of a narrow deviation.
        assertThat(logProbability(level, mean, deviation))
            .as("level %d", level)
            .isCloseTo(expected, within(1e-13 + 1e-15 / deviation));
      }
    }
  }

  /**
   * What improved-diffusion and its descendants compute: the tanh approximation of the distribution
   * function, and floors under probabilities. It agrees to the approximation's 2e-4 where no floor
   * is reached.
   */
  @ParameterizedTest
  @CsvSource({"0.1, 0.5", "-0.8, 0.7", "0.95, 0.4"})
  void agreesWithTheApproximationInCommonUse(double mean, double deviation) {
    for (int level = 0; level < 256; level += 5) {
      double x = pixel(level);
      double to = level == 255 ? 1 : tanhCdf((x + 1 / 255.0 - mean) / deviation);
      double from = level == 0 ? 0 : tanhCdf((x - 1 / 255.0 - mean) / deviation);
      double probability = Math.exp(logProbability(level, mean, deviation));
      double bin = level == 0 || level == 255 ? 1 : 2 / 255.0 / deviation;
      assertThat(probability).isCloseTo(to - from, within(5e-3 * bin));
    }
  }

  private static double tanhCdf(double z) {
    return 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)));
  }

  /** Central differences, at ordinary pixels, in far tails, and in the open bins. */
  @ParameterizedTest
  @CsvSource({
    "128, 0, 0.5",
    "128, 0.001, 0.0078",
    "200, 0.5, 0.002",
    "60, 1.9, 0.01",
    "60, -0.53, 3",
    "0, -0.9, 0.05",
    "0, 1.7, 0.02",
    "0, -1.2, 0.05",
    "255, 0.99, 0.01",
    "255, -0.9, 0.03",
    "255, 3, 0.5",
    "254, 0.97, 0.9",
  })
  void derivativesAreThoseOfTheValue(int level, double mean, double deviation) {
    double logVariance = 2 * Math.log(deviation);
    Decoder.LogLikelihood at = BYTES.logLikelihood(0, pixel(level), mean, logVariance);
    double h = 1e-4 * deviation;
    double byMean =
        (BYTES.logLikelihood(0, pixel(level), mean + h, logVariance).nats()
                - BYTES.logLikelihood(0, pixel(level), mean - h, logVariance).nats())
            / (2 * h);
    double k = 1e-4;
    double byLogVariance =
        (BYTES.logLikelihood(0, pixel(level), mean, logVariance + k).nats()
                - BYTES.logLikelihood(0, pixel(level), mean, logVariance - k).nats())
            / (2 * k);
    assertThat(at.meanDerivative())
        .isCloseTo(byMean, within(1e-6 * Math.abs(byMean) + 1e-7 / deviation));
    assertThat(at.logVarianceDerivative())
        .isCloseTo(byLogVariance, within(1e-6 * Math.abs(byLogVariance) + 1e-7));
  }

  /** A floor under the probability would make both derivatives vanish where they matter most. */
  @Test
  void anEstimateFarOffIsStillPulledBack() {
    Decoder.LogLikelihood far = BYTES.logLikelihood(0, -1, 1, 2 * Math.log(0.005));
    assertThat(far.nats()).isLessThan(-79_000).isFinite();
    assertThat(far.meanDerivative()).isLessThan(-79_000);
    assertThat(far.logVarianceDerivative()).isGreaterThan(79_000);
  }

  /** What is one pixel in another normalisation has the probability that it had. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 77, 254, 255})
  void theNormalisationDoesNotChangeTheProbability(int level) {
    DiscretizedGaussian imageNet = imageNet();
    double mean = 0.2;
    double deviation = 0.1;
    for (int c = 0; c < 3; c++) {
      // x/2 + 1/2 is in [0,1], from which ImageNet's mean is subtracted.
      double scale = 1 / (2 * IMAGENET_DEVIATION[c]);
      double shift = (0.5 - IMAGENET_MEAN[c]) / IMAGENET_DEVIATION[c];
      double actual =
          imageNet
              .logLikelihood(
                  c,
                  (float) (pixel(level) * scale + shift),
                  mean * scale + shift,
                  2 * Math.log(deviation * scale))
              .nats();
      double expected = logProbability(level, mean, deviation);
      assertThat(actual).isCloseTo(expected, within(1e-12 * Math.abs(expected)));
    }
  }

  /** Of such a deviation, 255 steps end a little below white: the range by a step is 254.99…. */
  @Test
  void whiteIsWhiteInAnyNormalisation() {
    double center = 0.1307;
    double scale = 0.3081;
    DiscretizedGaussian mnist =
        DiscretizedGaussian.of(new Normalization(List.of(center), List.of(scale)));
    for (int level : new int[] {0, 254, 255}) {
      double x0 = (level / 255.0 - center) / scale;
      double actual = mnist.logLikelihood(0, x0, x0 + 0.01, 2 * Math.log(0.02)).nats();
      // A deviation of 0.02 there is one of 0.04 · scale in [-1,1].
      double expected =
          BYTES
              .logLikelihood(
                  0, pixel(level), pixel(level) + 0.02 * scale, 2 * Math.log(0.04 * scale))
              .nats();
      assertThat(actual).isCloseTo(expected, within(1e-11 * Math.abs(expected)));
    }
  }

  /** The third channel reaches farther than the others. */
  @Test
  void imagesAreCheckedChannelByChannel() {
    DiscretizedGaussian imageNet = imageNet();
    INDArray images = Nd4j.zeros(DataType.DOUBLE, 2, 3, 2, 3);
    for (int c = 0; c < 3; c++) {
      images.putScalar(1, c, 1, 2, (1 - IMAGENET_MEAN[c]) / IMAGENET_DEVIATION[c]);
      images.putScalar(0, c, 0, 0, -IMAGENET_MEAN[c] / IMAGENET_DEVIATION[c]);
    }
    imageNet.check(images);
    for (int c = 0; c < 2; c++) {
      INDArray wrong = images.dup();
      wrong.putScalar(1, c, 1, 2, 2.64);
      assertThatThrownBy(() -> imageNet.check(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("An image has the value 2.64 in channel " + c);
    }
  }

  @Test
  void imagesOfAnotherRangeAreRefused() {
    for (double x0 : new double[] {2.64, -1.01, 1.01, Double.NaN}) {
      assertThatThrownBy(() -> BYTES.logLikelihood(2, x0, 0, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("channel 2")
          .hasMessageContaining("[-1.0,1.0]");
    }
  }

  @ParameterizedTest
  @CsvSource({"-1, 1, 0", "1, -1, 0.1", "-1, 1, 0.3", "0, 0, 1", "NaN, 1, 0.1", "0, 1, -0.1"})
  void impossibleBinsAreRefused(double lower, double upper, double step) {
    assertThatThrownBy(
            () ->
                new DiscretizedGaussian(
                    new double[] {lower}, new double[] {upper}, new double[] {step}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> new DiscretizedGaussian(new double[2], new double[] {1}, new double[] {1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 lower ends");
  }

  /** In narrow bins the probability is the density times the width. */
  @Test
  void theContinuousDecoderIsTheLimitOfNarrowBins() {
    double step = 1e-6;
    DiscretizedGaussian narrow =
        new DiscretizedGaussian(new double[] {-1}, new double[] {1}, new double[] {step});
    double logVariance = Math.log(0.04);
    Decoder.LogLikelihood bin = narrow.logLikelihood(0, 0.25, 0.1, logVariance);
    Decoder.LogLikelihood density =
        new ContinuousGaussian().logLikelihood(0, 0.25, 0.1, logVariance);
    assertThat(bin.nats() - Math.log(step)).isCloseTo(density.nats(), within(1e-9));
    assertThat(bin.meanDerivative()).isCloseTo(density.meanDerivative(), within(1e-8));
    assertThat(bin.logVarianceDerivative())
        .isCloseTo(density.logVarianceDerivative(), within(1e-8));
    // z = 0.75; log N = -0.75²/2 - log(0.2 √(2π)), by hand.
    assertThat(density.nats()).isCloseTo(0.4092493792294271, within(1e-14));
    assertThat(density.meanDerivative()).isCloseTo(3.75, within(1e-13));
    assertThat(density.logVarianceDerivative()).isCloseTo((0.5625 - 1) / 2, within(1e-13));
  }
}
