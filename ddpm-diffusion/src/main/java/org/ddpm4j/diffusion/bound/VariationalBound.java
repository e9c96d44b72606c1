package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.IntConsumer;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The variational bound on the negative log-likelihood of images under a reverse process (Ho et al.
 * 2020, eq. 5), as the mean over an image's elements in units of bits.
 *
 * <p>The process is what {@link org.ddpm4j.diffusion.sampling.AncestralSampler} samples from, with
 * the same variance and the same constraint, but for its last step, which draws from the decoder. A
 * shorter chain has a bound of its own: take its schedule, and a denoiser that is asked {@linkplain
 * org.ddpm4j.diffusion.NoiseLevel#withT at} {@link
 * org.ddpm4j.schedules.RespacedSchedule#originalTimestep}.
 *
 * @param schedule of the chain
 * @param variance σ² of each reverse step
 * @param x0Constraint applied to every estimate of x0
 * @param decoder the last step, {@code p(x0 | x1)}
 */
public record VariationalBound(
    NoiseSchedule schedule, ReverseVariance variance, X0Constraint x0Constraint, Decoder decoder) {

  private static final double LOG_TWO = Math.log(2);

  /** Checks that nothing is missing. */
  public VariationalBound {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(variance, "variance");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    Objects.requireNonNull(decoder, "decoder");
  }

  /**
   * Of a process that takes the estimates as they are.
   *
   * @param schedule of the chain
   * @param variance σ² of each reverse step
   * @param decoder the last step, {@code p(x0 | x1)}
   */
  public VariationalBound(NoiseSchedule schedule, ReverseVariance variance, Decoder decoder) {
    this(schedule, variance, X0Constraint.NONE, decoder);
  }

  /**
   * L_T: the divergence of {@code q(x_T | x0)} from N(0,1), which no training changes.
   *
   * @param x0 images, {@code [N,C,H,W]}
   * @return the term of each image in bits/dim, N of them
   * @throws IllegalArgumentException if there are no images
   */
  public double[] prior(INDArray x0) {
    Elements.requireImages(x0, "x0");
    int last = schedule.timesteps() - 1;
    double signal = schedule.sqrtAlphasCumprod(last);
    double logVariance = Math.log1p(-schedule.alphasCumprod(last));
    double[] elements = Elements.of(x0, x0);
    double[] bits = new double[Math.toIntExact(x0.size(0))];
    int perImage = elements.length / bits.length;
    for (int i = 0; i < elements.length; i++) {
      bits[i / perImage] += KlDivergence.gaussian(signal * elements[i], logVariance, 0, 0);
    }
    return perElement(bits, perImage);
  }

  /**
   * L_t: for t at least 1 the divergence of {@code q(x_{t-1} | x_t, x0)} from {@code p(x_{t-1} |
   * x_t)} (Ho et al. 2020, eq. 5 to 8, with its constant), at t = 0 the decoder's {@code -log p(x0
   * | x_t)}.
   *
   * @param x0 images, {@code [N,C,H,W]}
   * @param xt the same images with noise, same shape
   * @param t the timestep of all of them, zero-based
   * @param estimate what the denoiser says of xt
   * @return the term of each image in bits/dim, N of them
   * @throws IllegalArgumentException if there are no images, the shapes differ, the estimate lacks
   *     a learned variance that is asked for, or the decoder is for other images
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public double[] term(INDArray x0, INDArray xt, int t, Denoiser.Estimate estimate) {
    Elements.requireImages(x0, "x0");
    Objects.requireNonNull(xt, "xt");
    Objects.requireNonNull(estimate, "estimate");
    Denoiser.Estimate exact = inDouble(estimate);
    double[] mean = Elements.of(x0Constraint.apply(exact.x0()), x0);
    double[] noisy = Elements.of(xt, x0);
    for (int i = 0; i < mean.length; i++) {
      // Ho et al. 2020, eq. 7.
      mean[i] =
          schedule.posteriorMeanCoef1(t) * mean[i] + schedule.posteriorMeanCoef2(t) * noisy[i];
    }
    double[] logVariance = Elements.of(variance.logVariance(schedule, t, exact), x0);
    return terms(x0, noisy, timesteps(x0, t), mean, logVariance).bits();
  }

  private static Denoiser.Estimate inDouble(Denoiser.Estimate estimate) {
    return new Denoiser.Estimate(
        estimate.x0().castTo(DataType.DOUBLE),
        estimate.eps().castTo(DataType.DOUBLE),
        estimate.varianceInterpolation().map(v -> v.castTo(DataType.DOUBLE)));
  }

  /**
   * L_t of each image at its own timestep, and its gradient.
   *
   * @param x0 images, {@code [N,C,H,W]}
   * @param xt the same images with noise, same shape
   * @param t the timestep of each image, zero-based
   * @param mean of the reverse step {@code p(x_{t-1} | x_t)}, same shape
   * @param logVariance log σ² of the reverse step, same shape
   * @return the term of each image in bits/dim, and the gradient of each by mean and logVariance;
   *     x0 and xt count as constants
   * @throws IllegalArgumentException if there are no images, the shapes differ or the decoder is
   *     for other images
   * @throws IndexOutOfBoundsException if a timestep is not in 0..T-1
   */
  public TermGradient termGradient(
      INDArray x0, INDArray xt, int[] t, INDArray mean, INDArray logVariance) {
    Elements.requireImages(x0, "x0");
    Objects.requireNonNull(xt, "xt");
    Objects.requireNonNull(t, "t");
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(logVariance, "logVariance");
    if (t.length != x0.size(0)) {
      throw new IllegalArgumentException(
          Text.format("%d timesteps were given for %d image(s).", t.length, x0.size(0)));
    }
    Terms terms =
        terms(x0, Elements.of(xt, x0), t, Elements.of(mean, x0), Elements.of(logVariance, x0));
    return new TermGradient(
        terms.bits(),
        Nd4j.createFromArray(terms.mean()).reshape(x0.shape()),
        Nd4j.createFromArray(terms.logVariance()).reshape(x0.shape()));
  }

  /**
   * The factor of a squared error of ε in the bound: {@code β²/(2σ²α(1-ᾱ))} (Ho et al. 2020, eq.
   * 12). Leaving it out makes the simple loss (eq. 14).
   *
   * @param t the timestep, zero-based
   * @param sigmaSquared σ² of the reverse step
   * @return nats for a squared error of 1
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public double epsWeight(int t, double sigmaSquared) {
    double beta = schedule.betas(t);
    double noise = schedule.sqrtOneMinusAlphasCumprod(t);
    return beta * beta / (2 * sigmaSquared * schedule.alphas(t) * noise * noise);
  }

  /**
   * The whole bound of images.
   *
   * @param denoiser the model
   * @param x0 images, {@code [N,C,H,W]}; the denoiser is given noisy ones of the same type
   * @param noise of which step t gives the noise of timestep t
   * @return all terms at all timesteps
   * @throws IllegalArgumentException as {@link #term} does
   */
  public BoundEvaluation evaluate(Denoiser denoiser, INDArray x0, NoiseSource noise) {
    return evaluate(denoiser, x0, noise, StratifiedTimesteps.all(schedule.timesteps()), done -> {});
  }

  /**
   * The whole bound of images, or an estimate of it from some timesteps.
   *
   * @param denoiser the model
   * @param x0 images, {@code [N,C,H,W]}; the denoiser is given noisy ones of the same type
   * @param noise of which step t gives the noise of timestep t
   * @param timesteps where to evaluate
   * @param progress told after each timestep how many of them are done
   * @return all terms at these timesteps
   * @throws IllegalArgumentException as {@link #term} does, or if the timesteps are of a chain of
   *     another length
   * @throws CancellationException if the thread is interrupted, whose interrupt stays set
   */
  public BoundEvaluation evaluate(
      Denoiser denoiser,
      INDArray x0,
      NoiseSource noise,
      StratifiedTimesteps timesteps,
      IntConsumer progress) {
    Objects.requireNonNull(denoiser, "denoiser");
    Elements.requireImages(x0, "x0");
    Objects.requireNonNull(noise, "noise");
    Objects.requireNonNull(timesteps, "timesteps");
    Objects.requireNonNull(progress, "progress");
    if (timesteps.timesteps() != schedule.timesteps()) {
      throw new IllegalArgumentException(
          Text.format(
              "The timesteps are of a chain of %d, the bound of one of %d; both must be the same.",
              timesteps.timesteps(), schedule.timesteps()));
    }
    int images = Math.toIntExact(x0.size(0));
    int count = timesteps.strata().size();
    double[][] terms = new double[images][count];
    double[][] x0Errors = new double[images][count];
    double[][] epsErrors = new double[images][count];
    for (int s = 0; s < count; s++) {
      if (Thread.currentThread().isInterrupted()) {
        throw new CancellationException(
            "The evaluation of the bound was cancelled: its thread was interrupted.");
      }
      int t = timesteps.strata().get(s).timestep();
      INDArray eps = noise.gaussian(t, x0.shape());
      try (INDArray xt = new ForwardProcess(schedule).qSample(x0, timesteps(x0, t), eps)) {
        Denoiser.Estimate estimate = denoiser.denoise(xt, NoiseLevel.of(schedule, t));
        setColumn(terms, s, term(x0, xt, t, estimate));
        setColumn(x0Errors, s, squaredError(x0Constraint.apply(estimate.x0()), x0));
        setColumn(epsErrors, s, squaredError(estimate.eps(), eps));
      }
      progress.accept(s + 1);
    }
    return new BoundEvaluation(
        timesteps,
        Nd4j.createFromArray(prior(x0)),
        Nd4j.createFromArray(terms),
        Nd4j.createFromArray(x0Errors),
        Nd4j.createFromArray(epsErrors));
  }

  private static void setColumn(double[][] matrix, int column, double[] values) {
    for (int row = 0; row < matrix.length; row++) {
      matrix[row][column] = values[row];
    }
  }

  /** The mean over the elements of each image. */
  private static double[] squaredError(INDArray estimate, INDArray truth) {
    double[] a = Elements.of(estimate, truth);
    double[] b = Elements.of(truth, truth);
    double[] means = new double[Math.toIntExact(truth.size(0))];
    int perImage = a.length / means.length;
    for (int i = 0; i < a.length; i++) {
      means[i / perImage] += (a[i] - b[i]) * (a[i] - b[i]) / perImage;
    }
    return means;
  }

  private static int[] timesteps(INDArray x0, int t) {
    int[] timesteps = new int[Math.toIntExact(x0.size(0))];
    Arrays.fill(timesteps, t);
    return timesteps;
  }

  /** Terms in bits/dim of each image, and their derivatives by each element. */
  private record Terms(double[] bits, double[] mean, double[] logVariance) {}

  private Terms terms(INDArray images, double[] xt, int[] t, double[] mean, double[] logVariance) {
    double[] x0 = Elements.of(images, images);
    Terms terms = new Terms(new double[t.length], new double[x0.length], new double[x0.length]);
    int perImage = x0.length / t.length;
    int perChannel = perImage / Math.toIntExact(images.size(1));
    for (int n = 0; n < t.length; n++) {
      for (int i = n * perImage; i < (n + 1) * perImage; i++) {
        if (t[n] == 0) {
          int channel = i % perImage / perChannel;
          Decoder.LogLikelihood likelihood =
              decoder.logLikelihood(channel, x0[i], mean[i], logVariance[i]);
          terms.bits[n] -= likelihood.nats();
          terms.mean[i] = -likelihood.meanDerivative();
          terms.logVariance[i] = -likelihood.logVarianceDerivative();
        } else {
          double posteriorMean =
              schedule.posteriorMeanCoef1(t[n]) * x0[i] + schedule.posteriorMeanCoef2(t[n]) * xt[i];
          double posteriorLogVariance = schedule.posteriorLogVarianceClipped(t[n]);
          terms.bits[n] +=
              KlDivergence.gaussian(posteriorMean, posteriorLogVariance, mean[i], logVariance[i]);
          double precision = Math.exp(-logVariance[i]);
          double difference = mean[i] - posteriorMean;
          terms.mean[i] = difference * precision;
          terms.logVariance[i] =
              -(Math.expm1(posteriorLogVariance - logVariance[i])
                      + difference * difference * precision)
                  / 2;
        }
      }
    }
    perElement(terms.bits, perImage);
    perElement(terms.mean, perImage);
    perElement(terms.logVariance, perImage);
    return terms;
  }

  /** From nats of an image to bits of one of its elements, in place. */
  private static double[] perElement(double[] nats, int elements) {
    for (int i = 0; i < nats.length; i++) {
      nats[i] /= elements * LOG_TWO;
    }
    return nats;
  }
}
