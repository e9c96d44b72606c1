package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.diffusion.bound.ContinuousGaussian;
import org.ddpm4j.diffusion.bound.Decoder;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.TermGradient;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.ImageLoss;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.BoundInput;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The variational bound, in bits/dim, from one timestep of each image: T times its term, without
 * the constant L_T (Ho et al. 2020, eq. 5). Either alone ({@code L_vlb}), with a variance that the
 * network learns if it answers with twice the channels and β̃ otherwise; or as {@code L_hybrid =
 * L_simple + 0.001 L_vlb}, where the bound moves the variance alone: its gradient stops at the mean
 * (Nichol and Dhariwal 2021, section 3.1).
 *
 * <p>Where {@linkplain Unet#endsInBound the network's graph can end in the bound} and the decoder
 * is one of ours, that is its loss. Elsewhere a step of training asks the network twice, once for
 * its answer, of which {@link VariationalBound} has the gradient, and once for the vector-Jacobian
 * product.
 *
 * @param schedule of the chain
 * @param parameterization what the network predicts
 * @param decoder the last step of the reverse process
 * @param simple the other part of the hybrid loss, or empty for the bound alone
 */
public record BoundObjective(
    NoiseSchedule schedule,
    Parameterization parameterization,
    Decoder decoder,
    Optional<SimpleObjective> simple)
    implements GraphObjective {

  /** λ of the hybrid loss. */
  private static final double BOUND_SHARE = 0.001;

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   * @throws IllegalArgumentException if what is predicted knows no chain of timesteps
   */
  public BoundObjective {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(decoder, "decoder");
    Objects.requireNonNull(simple, "simple");
    if (parameterization.scales()) {
      throw new IllegalArgumentException(
          Text.format(
              "The bound knows a chain of timesteps, which a network that predicts %s does not; train it by a SimpleObjective.",
              parameterization));
    }
  }

  @Override
  public int timesteps() {
    return schedule.timesteps();
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch.Noisy noisy = batch.noisy(schedule, temporaries);
      Optional<BoundLoss> inGraph = lossInGraphOf(unet);
      if (inGraph.isPresent()) {
        return unet.losses(
            inGraph.get(), noisy.input(), boundInput(unet, batch, noisy, temporaries));
      }
      INDArray answer = temporaries.add(unet.predict(noisy.input()));
      return evaluate(batch, noisy, answer, temporaries).losses();
    }
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    try (Temporaries temporaries = new Temporaries()) {
      TrainingBatch.Noisy noisy = batch.noisy(schedule, temporaries);
      // Asked twice, it has the same masks both times.
      UnetInput input = noisy.input().withDropout(batch.dropout());
      Optional<BoundLoss> inGraph = lossInGraphOf(unet);
      if (inGraph.isPresent()) {
        return unet.lossAndGradient(
            inGraph.get(),
            input,
            boundInput(unet, batch, noisy, temporaries),
            temporaries.add(Nd4j.createFromArray(weights)),
            gradient);
      }
      INDArray answer = temporaries.add(unet.predict(input));
      LossAndGradient evaluation = evaluate(batch, noisy, answer, temporaries);
      INDArray cotangent = evaluation.gradient();
      INDArray shares = temporaries.add(Nd4j.createFromArray(weights));
      shares.divi(weights.length);
      cotangent.muli(shares.reshape(weights.length, 1, 1, 1));
      unet.vectorJacobianProduct(input, cotangent, gradient);
      return evaluation.losses();
    }
  }

  private Optional<BoundLoss> lossInGraphOf(Unet unet) {
    return unet.endsInBound() ? loss() : Optional.empty();
  }

  /** What a graph ends in, if it knows the decoder. */
  private Optional<BoundLoss> loss() {
    Optional<LossFunction> error = simple.map(SimpleObjective::loss);
    if (decoder instanceof DiscretizedGaussian discretized) {
      return Optional.of(new BoundLoss(error, discretized.pixels()));
    }
    return decoder instanceof ContinuousGaussian
        ? Optional.of(new BoundLoss(error, List.of()))
        : Optional.empty();
  }

  private BoundInput boundInput(
      Unet unet, TrainingBatch batch, TrainingBatch.Noisy noisy, Temporaries temporaries) {
    check(batch.x0(), batch.t());
    INDArray target =
        temporaries.add(parameterization.target(schedule, batch.x0(), noisy.eps(), batch.t()));
    float[] coefficients = lossCoefficients(unet.config(), batch.t()).orElseThrow();
    return new BoundInput(
        target,
        batch.x0(),
        temporaries.add(
            Nd4j.createFromArray(coefficients)
                .reshape(batch.size(), BoundLoss.Coefficients.COUNT)));
  }

  @Override
  public Optional<ImageLoss> graphLoss() {
    return loss().map(bound -> bound);
  }

  /** The graph's losses are weighted. */
  @Override
  public double weight(int t) {
    return 1;
  }

  @Override
  public Optional<float[]> lossCoefficients(UnetConfig network, int... t) {
    boolean learned = network.learnsVariance();
    float[] rows = new float[t.length * BoundLoss.Coefficients.COUNT];
    for (int i = 0; i < t.length; i++) {
      coefficients(learned, t[i]).put(rows, i);
    }
    return Optional.of(rows);
  }

  private BoundLoss.Coefficients coefficients(boolean learned, int t) {
    parameterization.requireX0(schedule, NoiseLevel.of(schedule, t));
    double inverseDeviation = Math.exp(-schedule.posteriorLogVarianceClipped(t) / 2);
    return new BoundLoss.Coefficients(
        meanSlope(t) * inverseDeviation,
        halfLogRange(learned, t),
        inverseDeviation,
        t == 0,
        boundFactor() / Math.log(2),
        simple.map(error -> error.weighting().weight(parameterization, schedule, t)).orElse(0.0));
  }

  /** Those at the last step must be pixels of the decoder's. */
  @Override
  public void check(INDArray x0, int... t) {
    if (decoder instanceof DiscretizedGaussian discretized) {
      for (int i = 0; i < t.length; i++) {
        if (t[i] == 0) {
          discretized.check(Views.images(x0, i, i + 1));
        }
      }
    }
  }

  /** Of bits/dim at one timestep. */
  private double boundFactor() {
    return schedule.timesteps() * (simple.isPresent() ? BOUND_SHARE : 1);
  }

  /**
   * What an answer of the network costs.
   *
   * @param losses of the images
   * @param gradient of each image's loss by its part of the answer
   */
  private record LossAndGradient(double[] losses, INDArray gradient) {}

  /**
   * The losses of an answer, and their gradient: that of each image's term by the mean and the
   * logarithm of the variance, and how these two depend on the answer.
   */
  private LossAndGradient evaluate(
      TrainingBatch batch, TrainingBatch.Noisy noisy, INDArray answer, Temporaries temporaries) {
    INDArray x0 = temporaries.inDouble(batch.x0());
    INDArray xt = temporaries.inDouble(noisy.input().x());
    INDArray y = temporaries.inDouble(answer);
    int channels = Math.toIntExact(x0.size(1));
    INDArray prediction = Temporaries.channels(y, 0, channels);
    boolean learned = y.size(1) == 2L * channels;
    int[] t = batch.t();
    double[] v =
        learned
            ? temporaries.elements(Temporaries.channels(y, channels, 2 * channels))
            : new double[(int) x0.length()];
    TermGradient term =
        new VariationalBound(schedule, ReverseVariance.POSTERIOR, decoder)
            .termGradient(
                x0,
                xt,
                t,
                mean(xt, prediction, t, temporaries),
                temporaries.add(array(logVariance(learned, v, t), x0)));
    temporaries.add(term.mean());
    temporaries.add(term.logVariance());

    double scale = boundFactor();
    double[] losses = Arrays.stream(term.bitsPerDim()).map(bits -> bits * scale).toArray();
    double[] byPrediction;
    if (simple.isPresent()) {
      byPrediction = new double[v.length];
      addSimple(simple.get(), batch, noisy.eps(), prediction, losses, byPrediction, temporaries);
    } else {
      byPrediction = scaled(temporaries.elements(term.mean()), t, this::meanSlope);
    }
    INDArray gradient = temporaries.add(array(byPrediction, x0));
    if (learned) {
      double[] byVariance =
          scaled(temporaries.elements(term.logVariance()), t, time -> halfLogRange(true, time));
      gradient = temporaries.add(Nd4j.concat(1, gradient, temporaries.add(array(byVariance, x0))));
    }
    return new LossAndGradient(losses, gradient);
  }

  /** The mean of the reverse step that a prediction tells. */
  private INDArray mean(INDArray xt, INDArray prediction, int[] t, Temporaries temporaries) {
    Denoiser.Estimate estimate = parameterization.estimate(schedule, xt, prediction, t);
    INDArray x0 = temporaries.add(estimate.x0());
    INDArray eps = temporaries.add(estimate.eps());
    return temporaries.add(Parameterization.MEAN.target(schedule, x0, eps, t));
  }

  /** log σ² of each element, between log β̃ at v = -1 and log β at v = 1. */
  private double[] logVariance(boolean learned, double[] v, int[] t) {
    int perImage = v.length / t.length;
    double[] logVariance = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      int time = t[i / perImage];
      logVariance[i] =
          schedule.posteriorLogVarianceClipped(time) + halfLogRange(learned, time) * (1 + v[i]);
    }
    return logVariance;
  }

  /** Derivatives by the answer of those by what follows from it, in the units of the loss. */
  private double[] scaled(double[] derivatives, int[] t, IntToDoubleFunction slope) {
    int perImage = derivatives.length / t.length;
    double[] scaled = new double[derivatives.length];
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = boundFactor() * slope.applyAsDouble(t[i / perImage]) * derivatives[i];
    }
    return scaled;
  }

  /** ∂μ/∂y: how much the mean of the reverse step changes with the prediction. */
  private double meanSlope(int t) {
    return schedule.posteriorMeanCoef1(t) * parameterization.x0Slope(schedule, t);
  }

  private static INDArray array(double[] elements, INDArray like) {
    return Nd4j.createFromArray(elements).reshape('c', like.shape());
  }

  /** Half of the way from log β̃ to log β, which v in [-1,1] interpolates. */
  private double halfLogRange(boolean learned, int t) {
    return learned
        ? (Math.log(schedule.betas(t)) - schedule.posteriorLogVarianceClipped(t)) / 2
        : 0;
  }

  /** Adds the simple loss to each image's loss, and sets its gradient. */
  private void addSimple(
      SimpleObjective objective,
      TrainingBatch batch,
      INDArray eps,
      INDArray answer,
      double[] losses,
      double[] gradient,
      Temporaries temporaries) {
    double[] prediction = temporaries.elements(answer);
    double[] target =
        temporaries.elements(
            temporaries.add(parameterization.target(schedule, batch.x0(), eps, batch.t())));
    int perImage = target.length / losses.length;
    for (int i = 0; i < target.length; i++) {
      int n = i / perImage;
      double weight =
          objective.weighting().weight(parameterization, schedule, batch.t()[n]) / perImage;
      losses[n] += weight * objective.loss().value(prediction[i], target[i]);
      gradient[i] = weight * objective.loss().predictionSlope(prediction[i], target[i]);
    }
  }
}
