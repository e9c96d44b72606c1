package org.ddpm4j.diffusion.bound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Optional;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Data of which every element is N(m, s²): the best denoiser, the bound and the entropy are known.
 *
 * <p>With a = ᾱ_t, x_t = √a x0 + √(1-a) ε has the variance V = a s² + 1 - a, and x0 given x_t is
 * Gaussian with
 *
 * <pre>
 *   mean      x̂0 = m + (√a s²/V)(x_t - √a m)
 *   variance  τ² = s²(1-a)/V.
 * </pre>
 *
 * <p>Every term but the discretised decoder's is quadratic in (x0 - m, ε), so that its expectation
 * is its mean over the four points x0 = m ± s, ε = ±1: their first and second moments are those of
 * the Gaussians.
 */
class GaussianDataTest {

  private static final double M = 0.3;
  private static final double S = 0.5;

  private static final INDArray FOUR_IMAGES =
      Nd4j.createFromArray(M - S, M - S, M + S, M + S).reshape(4, 1, 1, 1);

  private static final NoiseSource SIGNS =
      (step, shape) -> Nd4j.createFromArray(-1f, 1f, -1f, 1f).reshape(4, 1, 1, 1);

  private static double tauSquared(NoiseSchedule schedule, int t) {
    double a = schedule.alphasCumprod(t);
    return S * S * (1 - a) / (a * S * S + 1 - a);
  }

  private static Denoiser optimal() {
    return (xt, level) -> {
      double a = level.alphaCumprod();
      double slope = Math.sqrt(a) * S * S / (a * S * S + 1 - a);
      INDArray x0 = xt.sub(Math.sqrt(a) * M).muli(slope).addi(M);
      INDArray eps = xt.sub(x0.mul(Math.sqrt(a))).divi(Math.sqrt(1 - a));
      return new Denoiser.Estimate(x0, eps);
    };
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }

  private static double klOfPrior(double mean, double variance) {
    return (mean * mean + variance - 1 - Math.log(variance)) / 2;
  }

  private static double entropy() {
    return Math.log(2 * Math.PI * Math.E * S * S) / 2;
  }

  private static double mean(double[] values) {
    return BoundEvaluation.Average.of(values).mean();
  }

  private static BoundEvaluation evaluate(
      NoiseSchedule schedule, ReverseVariance variance, Denoiser denoiser) {
    return new VariationalBound(schedule, variance, new ContinuousGaussian())
        .evaluate(denoiser, FOUR_IMAGES, SIGNS);
  }

  /**
   * With σ² fixed, and b = √ᾱ_prev β/(1-ᾱ_t) the factor of x0 in the posterior's mean, the means of
   * the two Gaussians differ by b(x0 - x̂0), whose expected square is b² τ²:
   *
   * <pre>
   *   L_T     = ½ (a_T(m² + s²) + (1 - a_T) - 1 - log(1 - a_T))
   *   L_t     = ½ (log(σ²/β̃) + β̃/σ² - 1 + b² τ²/σ²),   t = 1..T-1
   *   L_0     = ½ (log(2πσ²) + τ_0²/σ²).
   * </pre>
   */
  @ParameterizedTest
  @EnumSource(names = {"BETA", "POSTERIOR"})
  void everyTermIsItsClosedForm(ReverseVariance variance) {
    for (NoiseSchedule schedule :
        new NoiseSchedule[] {
          NoiseSchedule.of(LinearSchedule.paper(), 1000),
          NoiseSchedule.of(CosineSchedule.paper(), 50)
        }) {
      BoundEvaluation evaluation = evaluate(schedule, variance, optimal());
      int last = schedule.timesteps() - 1;

      double aT = schedule.alphasCumprod(last);
      double prior = (aT * (M * M + S * S) + (1 - aT) - 1 - Math.log(1 - aT)) / 2;
      assertThat(mean(evaluation.prior().toDoubleVector()))
          .isCloseTo(bits(prior), within(1e-9 * prior));

      double sum = prior;
      for (int t = 0; t <= last; t++) {
        double term = closedForm(schedule, variance, t);
        sum += term;
        double actual = BoundEvaluation.average(evaluation.terms(), t).mean();
        assertThat(actual)
            .as("t = %d", t)
            .isCloseTo(bits(term), within(1e-9 * Math.abs(term) + 1e-15));
        assertThat(BoundEvaluation.average(evaluation.x0SquaredError(), t).mean())
            .isCloseTo(tauSquared(schedule, t), within(1e-9));
      }
      assertThat(mean(evaluation.total())).isCloseTo(bits(sum), within(1e-9 * Math.abs(sum)));
    }
  }

  private static double closedForm(NoiseSchedule schedule, ReverseVariance variance, int t) {
    double a = schedule.alphasCumprod(t);
    double beta = schedule.betas(t);
    double aPrev = t == 0 ? 1 : schedule.alphasCumprod(t - 1);
    double betaTilde = beta * (1 - aPrev) / (1 - a);
    double tau = tauSquared(schedule, t);
    if (t == 0) {
      // log β̃ is -∞ here, and clipped to that of timestep 1.
      double clipped =
          schedule.betas(1) * (1 - schedule.alphasCumprod(0)) / (1 - schedule.alphasCumprod(1));
      double sigmaSquared = variance == ReverseVariance.BETA ? beta : clipped;
      return (Math.log(2 * Math.PI * sigmaSquared) + tau / sigmaSquared) / 2;
    }
    double sigmaSquared = variance == ReverseVariance.BETA ? beta : betaTilde;
    double b = Math.sqrt(aPrev) * beta / (1 - a);
    return (Math.log(sigmaSquared / betaTilde)
            + betaTilde / sigmaSquared
            - 1
            + b * b * tau / sigmaSquared)
        / 2;
  }

  /**
   * The reverse step of Gaussian data is Gaussian with the variance σ*² = β̃ + b² τ². A model that
   * has learned it reverses the chain exactly, and its bound is then the cross entropy itself: that
   * of the data, and what the start of the chain lacks of being standard normal.
   *
   * <pre>
   *   L = ½ log(2πe s²) + KL(N(√a_T m, a_T s² + 1 - a_T) ‖ N(0,1))
   * </pre>
   */
  @Test
  void theOptimalReverseProcessReachesTheEntropy() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 40);
    Denoiser optimal = optimal();
    Denoiser learned =
        (xt, level) -> {
          Denoiser.Estimate estimate = optimal.denoise(xt, level);
          int t = (int) level.t();
          double b = schedule.posteriorMeanCoef1(t);
          double best = schedule.posteriorVariance(t) + b * b * tauSquared(schedule, t);
          double low = schedule.posteriorLogVarianceClipped(t);
          double share = (Math.log(best) - low) / (Math.log(schedule.betas(t)) - low);
          return new Denoiser.Estimate(
              estimate.x0(), estimate.eps(), Optional.of(xt.like().assign(2 * share - 1)));
        };
    double aT = schedule.alphasCumprod(39);
    double expected = entropy() + klOfPrior(Math.sqrt(aT) * M, aT * S * S + 1 - aT);
    // Forty steps end far from noise, so that the second part is no rounding error.
    assertThat(klOfPrior(Math.sqrt(aT) * M, aT * S * S + 1 - aT)).isGreaterThan(0.05);
    double actual = mean(evaluate(schedule, ReverseVariance.LEARNED, learned).total());
    assertThat(actual).isCloseTo(bits(expected), within(1e-9));
  }

  /**
   * A fixed variance costs something in each step. With β, which is right for data that is wide
   * compared with the noise, that vanishes as the steps become shorter. With β̃ it does not: in the
   * first steps, where β̃/β is 1/2, 2/3, …, the true variance stays β however short they are.
   */
  @Test
  void longChainsApproachTheEntropyFromAbove() {
    double[] beta = new double[3];
    double[] posterior = new double[3];
    for (int i = 0; i < 3; i++) {
      int timesteps = 50 << (2 * i);
      NoiseSchedule schedule =
          NoiseSchedule.of(LinearSchedule.paper().scaledTo(timesteps), timesteps);
      beta[i] = excess(schedule, ReverseVariance.BETA);
      posterior[i] = excess(schedule, ReverseVariance.POSTERIOR);
    }
    assertThat(beta[2]).isPositive().isLessThan(beta[1] / 3).isLessThan(0.01);
    assertThat(beta[1]).isLessThan(beta[0] / 3);
    assertThat(posterior[2]).isGreaterThan(0.5);
  }

  private static double excess(NoiseSchedule schedule, ReverseVariance variance) {
    return mean(evaluate(schedule, variance, optimal()).total()) - bits(entropy());
  }

  /**
   * Bayes' rule: {@code q(x_{t-1} | x_t, x0)} is the product of {@code N(x_t; √α x_{t-1}, β)} and
   * {@code N(x_{t-1}; √ᾱ_prev x0, 1-ᾱ_prev)}, two Gaussians in x_{t-1} whose precisions add up.
   * From a reverse step with just this mean and variance the posterior does not differ.
   */
  @Test
  void thePosteriorIsThatOfBayesRule() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    VariationalBound bound =
        new VariationalBound(schedule, ReverseVariance.POSTERIOR, new ContinuousGaussian());
    double x0 = -0.37;
    double xt = 0.81;
    for (int t = 1; t < 1000; t += 37) {
      double alpha = 1 - schedule.betas(t);
      double aPrev = schedule.alphasCumprod(t - 1);
      double precision = alpha / (1 - alpha) + 1 / (1 - aPrev);
      double mean =
          (Math.sqrt(alpha) * xt / (1 - alpha) + Math.sqrt(aPrev) * x0 / (1 - aPrev)) / precision;
      assertThat(schedule.posteriorMeanCoef1(t) * x0 + schedule.posteriorMeanCoef2(t) * xt)
          .isCloseTo(mean, within(1e-12));
      assertThat(schedule.posteriorVariance(t)).isCloseTo(1 / precision, within(1e-9 / precision));

      TermGradient same =
          bound.termGradient(
              scalar(x0), scalar(xt), new int[] {t}, scalar(mean), scalar(-Math.log(precision)));
      assertThat(same.bitsPerDim()[0]).isCloseTo(0, within(1e-15));
      double off = 0.01;
      TermGradient shifted =
          bound.termGradient(
              scalar(x0),
              scalar(xt),
              new int[] {t},
              scalar(mean + off),
              scalar(-Math.log(precision)));
      assertThat(shifted.bitsPerDim()[0])
          .isCloseTo(bits(off * off * precision / 2), within(1e-9 * precision));
    }
  }

  private static INDArray scalar(double value) {
    return Nd4j.valueArrayOf(new long[] {1, 1, 1, 1}, value, DataType.DOUBLE);
  }
}
