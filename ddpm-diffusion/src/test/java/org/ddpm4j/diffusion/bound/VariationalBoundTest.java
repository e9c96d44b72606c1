package org.ddpm4j.diffusion.bound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class VariationalBoundTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  private static final VariationalBound BOUND =
      new VariationalBound(SCHEDULE, ReverseVariance.POSTERIOR, DiscretizedGaussian.ofBytes());

  private static INDArray gaussian(long seed, double mean, double deviation, long... shape) {
    Random random = new Random(seed);
    INDArray array = Nd4j.create(DataType.DOUBLE, shape);
    for (long i = 0; i < array.length(); i++) {
      array.putScalar(i, mean + deviation * random.nextGaussian());
    }
    return array;
  }

  /** Pixels of all shades, black and white among them. */
  private static INDArray images(long seed, DataType type, long... shape) {
    Random random = new Random(seed);
    INDArray array = Nd4j.create(type, shape);
    for (long i = 0; i < array.length(); i++) {
      int level =
          switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> 255;
            default -> random.nextInt(256);
          };
      array.putScalar(i, level / 127.5 - 1);
    }
    return array;
  }

  /** Says an ε that is wrong by a little, and x0 accordingly. */
  private static Denoiser imperfect(INDArray x0) {
    return (xt, level) -> {
      int t = (int) level.t();
      INDArray wrong = gaussian(t, 0, 0.1, xt.shape()).castTo(xt.dataType());
      INDArray eps =
          xt.sub(x0.mul(SCHEDULE.sqrtAlphasCumprod(t)))
              .divi(SCHEDULE.sqrtOneMinusAlphasCumprod(t))
              .addi(wrong);
      INDArray estimate =
          xt.sub(eps.mul(SCHEDULE.sqrtOneMinusAlphasCumprod(t)))
              .divi(SCHEDULE.sqrtAlphasCumprod(t));
      return new Denoiser.Estimate(estimate, eps);
    };
  }

  /** One image at t = 0, others at later timesteps; central differences of every element. */
  @Test
  void gradientsAreThoseOfFiniteDifferences() {
    INDArray x0 = images(1, DataType.DOUBLE, 4, 2, 2, 3);
    int[] t = {0, 1, 0, 700};
    INDArray xt = new ForwardProcess(SCHEDULE).qSample(x0, t, gaussian(2, 0, 1, x0.shape()));
    INDArray mean = x0.add(gaussian(3, 0, 0.02, x0.shape()));
    INDArray logVariance = gaussian(4, Math.log(1e-4), 1, x0.shape());
    TermGradient at = BOUND.termGradient(x0, xt, t, mean, logVariance);
    assertThat(at.mean().dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(at.mean().shape()).isEqualTo(x0.shape());
    for (long i = 0; i < x0.length(); i++) {
      int image = (int) (i / 12);
      checkDerivative(mean, i, 1e-6, at.mean(), () -> bits(x0, xt, t, mean, logVariance)[image]);
      checkDerivative(
          logVariance, i, 1e-5, at.logVariance(), () -> bits(x0, xt, t, mean, logVariance)[image]);
    }
  }

  private static double[] bits(
      INDArray x0, INDArray xt, int[] t, INDArray mean, INDArray logVariance) {
    return BOUND.termGradient(x0, xt, t, mean, logVariance).bitsPerDim();
  }

  private static void checkDerivative(
      INDArray variable,
      long i,
      double step,
      INDArray gradient,
      java.util.function.DoubleSupplier value) {
    double before = variable.getDouble(i);
    variable.putScalar(i, before + step);
    double above = value.getAsDouble();
    variable.putScalar(i, before - step);
    double below = value.getAsDouble();
    variable.putScalar(i, before);
    double expected = (above - below) / (2 * step);
    assertThat(gradient.getDouble(i))
        .as("element %d", i)
        .isCloseTo(expected, within(1e-5 * Math.abs(expected) + 1e-6));
  }

  /** The term of an estimate is that of the mean and variance that follow from it. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 500, 999})
  void theTermOfAnEstimateIsThatOfItsMeanAndVariance(int t) {
    INDArray x0 = images(1, DataType.DOUBLE, 2, 3, 4, 4);
    int[] both = {t, t};
    INDArray xt = new ForwardProcess(SCHEDULE).qSample(x0, both, gaussian(2, 0, 1, x0.shape()));
    Denoiser.Estimate estimate = imperfect(x0).denoise(xt, NoiseLevel.of(SCHEDULE, t));
    // Ho et al. 2020, eq. 11, which uses ε where eq. 7 uses x0.
    INDArray mean =
        xt.sub(estimate.eps().mul(SCHEDULE.betas(t) / SCHEDULE.sqrtOneMinusAlphasCumprod(t)))
            .mul(SCHEDULE.sqrtRecipAlphas(t));
    INDArray logVariance = x0.like().assign(SCHEDULE.posteriorLogVarianceClipped(t));
    double[] expected = BOUND.termGradient(x0, xt, both, mean, logVariance).bitsPerDim();
    double[] actual = BOUND.term(x0, xt, t, estimate);
    assertThat(actual[0]).isCloseTo(expected[0], within(1e-9 * expected[0]));
    assertThat(actual[1]).isCloseTo(expected[1], within(1e-9 * expected[1]));
  }

  /**
   * The divergence is its constant, which the simple derivations drop, and the weighted squared
   * error of ε. The constant is 0 for σ² = β̃ alone.
   */
  @ParameterizedTest
  @EnumSource(names = {"BETA", "POSTERIOR"})
  void theTermIsItsConstantAndTheWeightedErrorOfEps(ReverseVariance variance) {
    VariationalBound bound =
        new VariationalBound(SCHEDULE, variance, DiscretizedGaussian.ofBytes());
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 4, 4);
    for (int t : new int[] {1, 10, 500, 999}) {
      INDArray eps = gaussian(2, 0, 1, x0.shape());
      INDArray xt = new ForwardProcess(SCHEDULE).qSample(x0, new int[] {t}, eps);
      Denoiser.Estimate estimate = imperfect(x0).denoise(xt, NoiseLevel.of(SCHEDULE, t));
      double meanSquare = estimate.eps().sub(eps).norm2Number().doubleValue();
      meanSquare = meanSquare * meanSquare / eps.length();
      double beta = SCHEDULE.betas(t);
      double betaTilde = SCHEDULE.posteriorVariance(t);
      double sigmaSquared = variance == ReverseVariance.BETA ? beta : betaTilde;
      double constant = (Math.log(sigmaSquared / betaTilde) + betaTilde / sigmaSquared - 1) / 2;
      double expected = (constant + bound.epsWeight(t, sigmaSquared) * meanSquare) / Math.log(2);
      assertThat(bound.term(x0, xt, t, estimate)[0])
          .as("t = %d", t)
          .isCloseTo(expected, within(1e-8 * expected));
      // Written out once: β²/(2σ²α(1-ᾱ)).
      assertThat(bound.epsWeight(t, sigmaSquared))
          .isCloseTo(
              beta * beta / (2 * sigmaSquared * (1 - beta) * (1 - SCHEDULE.alphasCumprod(t))),
              within(1e-9));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 600})
  void aLearnedVarianceLiesBetweenTheTwoFixedOnes(int t) {
    INDArray x0 = images(1, DataType.DOUBLE, 2, 1, 4, 4);
    INDArray xt =
        new ForwardProcess(SCHEDULE).qSample(x0, new int[] {t, t}, gaussian(2, 0, 1, x0.shape()));
    Denoiser.Estimate fixed = imperfect(x0).denoise(xt, NoiseLevel.of(SCHEDULE, t));
    assertThat(term(ReverseVariance.LEARNED, x0, xt, t, learned(fixed, -1)))
        .containsExactly(term(ReverseVariance.POSTERIOR, x0, xt, t, fixed), within(1e-12));
    assertThat(term(ReverseVariance.LEARNED, x0, xt, t, learned(fixed, 1)))
        .containsExactly(term(ReverseVariance.BETA, x0, xt, t, fixed), within(1e-12));
    assertThatThrownBy(() -> term(ReverseVariance.LEARNED, x0, xt, t, fixed))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not learned");
  }

  private static Denoiser.Estimate learned(Denoiser.Estimate fixed, double v) {
    return new Denoiser.Estimate(fixed.x0(), fixed.eps(), Optional.of(fixed.x0().like().assign(v)));
  }

  private static double[] term(
      ReverseVariance variance, INDArray x0, INDArray xt, int t, Denoiser.Estimate estimate) {
    return new VariationalBound(SCHEDULE, variance, DiscretizedGaussian.ofBytes())
        .term(x0, xt, t, estimate);
  }

  /** Images in FLOAT are those in DOUBLE, rounded; nothing more is lost on the way. */
  @Test
  void theTypeOfTheImagesHardlyMatters() {
    INDArray x0 = images(1, DataType.DOUBLE, 3, 1, 4, 4);
    INDArray x0Float = x0.castTo(DataType.FLOAT);
    NoiseSource noise = NoiseSource.seeded(5, 0);
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 12, 0);
    double[] exact = BOUND.evaluate(imperfect(x0), x0, noise, some, done -> {}).total();
    BoundEvaluation rounded = BOUND.evaluate(imperfect(x0Float), x0Float, noise, some, done -> {});
    assertThat(rounded.terms().dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(rounded.total()).containsExactly(exact, within(2e-4 * exact[0]));
  }

  /** Batches do not matter, since noise is that of the image; the total is the sum of the parts. */
  @Test
  void batchesCanBePutTogether() {
    INDArray x0 = images(1, DataType.DOUBLE, 3, 1, 4, 4);
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 12, 0);
    // Wrong in a way that does not depend on the image's place in the batch.
    Denoiser zero = (xt, t) -> new Denoiser.Estimate(xt.mul(0.5), xt.mul(0.9));
    List<Integer> done = new ArrayList<>();
    BoundEvaluation all = BOUND.evaluate(zero, x0, NoiseSource.seeded(5, 0), some, done::add);
    assertThat(done).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    List<BoundEvaluation> parts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      INDArray image = x0.get(NDArrayIndex.interval(i, i + 1));
      parts.add(BOUND.evaluate(zero, image, NoiseSource.seeded(5, i), some, step -> {}));
    }
    BoundEvaluation together = BoundEvaluation.concat(parts);
    assertThat(together.images()).isEqualTo(3);
    assertThat(together).isEqualTo(all);
    for (int n = 0; n < 3; n++) {
      double sum = all.prior().getDouble(n) + all.terms().getDouble(n, 0);
      for (int s = 1; s < 12; s++) {
        sum += some.strata().get(s).size() * all.terms().getDouble(n, s);
      }
      assertThat(all.total()[n]).isCloseTo(sum, within(1e-12 * sum));
    }
    assertThatThrownBy(() -> BoundEvaluation.concat(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anInterruptCancelsTheEvaluationBeforeTheNextTimestep() {
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 4, 4);
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 12, 0);
    List<Integer> done = new ArrayList<>();
    IntConsumer interruptingAtTwo =
        count -> {
          done.add(count);
          if (count == 2) {
            Thread.currentThread().interrupt();
          }
        };
    try {
      assertThatThrownBy(
              () ->
                  BOUND.evaluate(
                      imperfect(x0), x0, NoiseSource.seeded(5, 0), some, interruptingAtTwo))
          .isInstanceOf(CancellationException.class)
          .hasMessageContaining("interrupted");
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    } finally {
      Thread.interrupted();
    }
    assertThat(done).containsExactly(1, 2);
  }

  /** With an estimate outside of the range, clipping is better, and so is what is reported. */
  @Test
  void theConstraintIsThatOfTheSampler() {
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 4, 4);
    VariationalBound clipped =
        new VariationalBound(
            SCHEDULE,
            ReverseVariance.BETA,
            X0Constraint.clip(-1, 1),
            DiscretizedGaussian.ofBytes());
    Denoiser wild = (xt, t) -> new Denoiser.Estimate(x0.mul(3), xt);
    Denoiser tame = (xt, t) -> new Denoiser.Estimate(Nd4j.math().clipByValue(x0.mul(3), -1, 1), xt);
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 5, 0);
    NoiseSource noise = NoiseSource.seeded(5, 0);
    BoundEvaluation actual = clipped.evaluate(wild, x0, noise, some, done -> {});
    BoundEvaluation expected = clipped.evaluate(tame, x0, noise, some, done -> {});
    assertThat(actual).isEqualTo(expected);
  }

  /** A model that knows the image pays next to nothing; one that knows nothing, many bits. */
  @Test
  void knowingTheImageCostsNothing() {
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 4, 4);
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 50, 0);
    Denoiser knows = (xt, t) -> new Denoiser.Estimate(x0, xt);
    double[] known = BOUND.evaluate(knows, x0, NoiseSource.seeded(1, 0), some, d -> {}).total();
    // What is left is the decoder's, whose deviation is twice a bin, and L_T.
    assertThat(known[0]).isBetween(0.0, 3.0);
    Denoiser guesses = (xt, t) -> new Denoiser.Estimate(xt.mul(0), xt);
    double[] guessed = BOUND.evaluate(guesses, x0, NoiseSource.seeded(1, 0), some, d -> {}).total();
    assertThat(guessed[0]).isGreaterThan(100);
  }

  /**
   * What a bound without the divergence's constant would lack: with σ² = β a model that knows the
   * image still pays {@code ½ Σ (log(β/β̃) + β̃/β - 1)}, by Python 0.48641923004 bits/dim.
   */
  @Test
  void theConstantOfTheDivergenceIsHalfABitInAll() {
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 2, 2);
    Denoiser knows = (xt, t) -> new Denoiser.Estimate(x0, xt);
    double[] beta =
        new VariationalBound(SCHEDULE, ReverseVariance.BETA, DiscretizedGaussian.ofBytes())
            .evaluate(knows, x0, NoiseSource.seeded(1, 0))
            .transitionTerms();
    assertThat(beta[0]).isCloseTo(0.48641923004409, within(1e-9));
    assertThat(BOUND.evaluate(knows, x0, NoiseSource.seeded(1, 0)).transitionTerms()[0])
        .isCloseTo(0, within(1e-9));
  }

  /** A channel's own scale changes nothing: images in ImageNet's have the bits of those in ours. */
  @Test
  void everyChannelHasItsOwnScale() {
    Normalization imageNet = Normalization.IMAGENET;
    VariationalBound other =
        new VariationalBound(SCHEDULE, ReverseVariance.POSTERIOR, DiscretizedGaussian.of(imageNet));
    int[] t = {0, 0};
    INDArray x0 = images(1, DataType.DOUBLE, 2, 3, 2, 2);
    INDArray mean = x0.add(gaussian(3, 0, 0.02, x0.shape()));
    INDArray logVariance = gaussian(4, Math.log(1e-3), 1, x0.shape());
    INDArray otherX0 = x0.dup();
    INDArray otherMean = mean.dup();
    INDArray otherLogVariance = logVariance.dup();
    for (int c = 0; c < 3; c++) {
      double center = imageNet.mean().get(c);
      double deviation = imageNet.std().get(c);
      for (INDArray array : List.of(otherX0, otherMean)) {
        INDArray channel = array.get(NDArrayIndex.all(), NDArrayIndex.point(c));
        channel.addi(1).divi(2).subi(center).divi(deviation);
      }
      otherLogVariance
          .get(NDArrayIndex.all(), NDArrayIndex.point(c))
          .subi(2 * Math.log(2 * deviation));
    }

    double[] expected = bits(x0, x0, t, mean, logVariance);
    double[] actual =
        other.termGradient(otherX0, otherX0, t, otherMean, otherLogVariance).bitsPerDim();

    for (int n = 0; n < 2; n++) {
      assertThat(actual[n]).isCloseTo(expected[n], within(1e-9 * Math.abs(expected[n])));
    }
  }

  /** Of every image on its own, as the mean over its six pixels. */
  @Test
  void errorsAreThoseOfTheEstimates() {
    INDArray x0 = images(1, DataType.DOUBLE, 2, 1, 2, 3);
    INDArray x0Wrong = Nd4j.createFromArray(0.25, -0.5).reshape(2, 1, 1, 1);
    INDArray epsWrong = Nd4j.createFromArray(0.3, 0.6).reshape(2, 1, 1, 1);
    Denoiser wrong =
        (xt, level) -> {
          INDArray eps = xt.sub(x0.mul(level.alpha())).divi(level.sigma());
          return new Denoiser.Estimate(x0.add(x0Wrong), eps.add(epsWrong));
        };
    StratifiedTimesteps some = StratifiedTimesteps.draw(1000, 4, 0);

    BoundEvaluation evaluation =
        BOUND.evaluate(wrong, x0, NoiseSource.seeded(5, 0), some, done -> {});

    for (int s = 0; s < 4; s++) {
      assertThat(evaluation.x0SquaredError().getColumn(s).toDoubleVector())
          .containsExactly(new double[] {0.0625, 0.25}, within(1e-12));
      assertThat(evaluation.epsSquaredError().getColumn(s).toDoubleVector())
          .containsExactly(new double[] {0.09, 0.36}, within(1e-9));
    }
  }

  /** Of 1, 2, 4 and 5, by hand: √(10/3/4). One image alone tells nothing of its like. */
  @Test
  void averagesHaveTheirStandardErrors() {
    BoundEvaluation.Average average = BoundEvaluation.Average.of(1, 2, 4, 5);
    assertThat(average.mean()).isCloseTo(3, within(1e-15));
    assertThat(average.standardError()).isCloseTo(0.9128709291752769, within(1e-15));
    assertThat(BoundEvaluation.Average.of(1, 2).standardError()).isCloseTo(0.5, within(1e-15));
    assertThat(BoundEvaluation.Average.of(7).standardError()).isNaN();
    INDArray matrix = Nd4j.createFromArray(new double[][] {{1, 2}, {5, 6}});
    assertThat(BoundEvaluation.average(matrix, 1).mean()).isEqualTo(4);
    for (int stratum : new int[] {-1, 2}) {
      assertThatThrownBy(() -> BoundEvaluation.average(matrix, stratum))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no timestep number " + stratum + " among the 2");
    }
  }

  /** What a network says in FLOAT is a number like any other: no more is rounded afterwards. */
  @Test
  void anEstimateInFloatIsTakenAsItIs() {
    INDArray x0 = images(1, DataType.DOUBLE, 1, 1, 4, 4);
    INDArray xt =
        new ForwardProcess(SCHEDULE).qSample(x0, new int[] {300}, gaussian(2, 0, 1, x0.shape()));
    Denoiser.Estimate said = imperfect(x0).denoise(xt, NoiseLevel.of(SCHEDULE, 300));
    INDArray x0Float = said.x0().castTo(DataType.FLOAT);
    INDArray epsFloat = said.eps().castTo(DataType.FLOAT);
    INDArray v = gaussian(3, 0, 0.5, x0.shape()).castTo(DataType.FLOAT);
    for (ReverseVariance variance : ReverseVariance.values()) {
      double actual =
          term(variance, x0, xt, 300, new Denoiser.Estimate(x0Float, epsFloat, Optional.of(v)))[0];
      Denoiser.Estimate same =
          new Denoiser.Estimate(
              x0Float.castTo(DataType.DOUBLE),
              epsFloat.castTo(DataType.DOUBLE),
              Optional.of(v.castTo(DataType.DOUBLE)));
      assertThat(actual).as("%s", variance).isEqualTo(term(variance, x0, xt, 300, same)[0]);
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    INDArray x0 = images(1, DataType.DOUBLE, 2, 1, 4, 4);
    assertThatThrownBy(() -> BOUND.termGradient(x0, x0, new int[] {1}, x0, x0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 timesteps", "2 images");
    assertThatThrownBy(() -> BOUND.termGradient(x0, x0, new int[] {1, 2}, x0, x0.reshape(2, 16)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[2, 16]");
    assertThatThrownBy(() -> BOUND.termGradient(x0, x0, new int[] {1, 1000}, x0, x0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(
            () ->
                BOUND.evaluate(
                    imperfect(x0),
                    x0,
                    NoiseSource.seeded(0, 0),
                    StratifiedTimesteps.all(999),
                    done -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("999", "1000");
    // Data normalised to another range than the decoder's: an error, not a wrong number.
    INDArray imageNet = x0.mul(2.2);
    assertThatThrownBy(
            () ->
                BOUND.evaluate(
                    (xt, t) -> new Denoiser.Estimate(imageNet, xt),
                    imageNet,
                    NoiseSource.seeded(0, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("normalisation");
  }
}
