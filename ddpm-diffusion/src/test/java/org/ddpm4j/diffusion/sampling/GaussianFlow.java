package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Pixels that are independently N(0.3, 0.5²): the best denoiser, the exact solution of the
 * probability flow, and the exact distribution of what a sampler draws, all in double precision.
 */
public final class GaussianFlow {

  public static final double MEAN = 0.3;
  public static final double VARIANCE = 0.25;

  /** x0 and x_t are jointly Gaussian, so E[x0 | x_t] is the linear regression of x0 on x_t. */
  public static final Denoiser DENOISER =
      (xt, level) -> {
        double slope = level.alpha() * VARIANCE / variance(level);
        INDArray x0 = xt.sub(level.alpha() * MEAN).muli(slope).addi(MEAN);
        return new Denoiser.Estimate(x0, xt.sub(x0.mul(level.alpha())).divi(level.sigma()));
      };

  private GaussianFlow() {}

  /** Of x_t. */
  public static double variance(NoiseLevel level) {
    return level.alphaCumprod() * VARIANCE + 1 - level.alphaCumprod();
  }

  /** Levels evenly spaced in λ, which may be as many as one likes. */
  static NoiseLevels evenlySpaced(double firstLambda, double lastLambda, int steps) {
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = 0; i <= steps; i++) {
      double lambda = firstLambda + i * (lastLambda - firstLambda) / steps;
      levels.add(new NoiseLevel(steps - i, 1 / (1 + Math.exp(-2 * lambda))));
    }
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  /**
   * Where the probability flow takes an x: how many standard deviations it is from the mean does
   * not change on the way.
   */
  public static double solution(double x, NoiseLevel from, NoiseLevel to) {
    double deviations = (x - from.alpha() * MEAN) / Math.sqrt(variance(from));
    return to.alpha() * MEAN + deviations * Math.sqrt(variance(to));
  }

  /** The greatest error of a sampler without noise, from a few states. */
  static double error(Sampler sampler, NoiseLevels levels) {
    double[] starts = {-2, -0.7, 0.1, 1.5};
    NoiseSource noise = (step, shape) -> Nd4j.createFromArray(starts).reshape('c', shape);
    INDArray end = sampler.sample(DENOISER, noise, SamplingObserver.NONE, starts.length, 1, 1, 1);
    NoiseLevel first = levels.levels().get(0);
    NoiseLevel last = levels.levels().get(levels.steps());
    double worst = 0;
    for (int i = 0; i < starts.length; i++) {
      worst = Math.max(worst, Math.abs(end.getDouble(i) - solution(starts[i], first, last)));
    }
    return worst;
  }

  /** Mean and variance. */
  record Moments(double mean, double variance) {}

  /**
   * Mean and variance of what a sampler draws, without drawing: its end is an affine function of
   * its independent noises, so the first image is given the mean of all of them, and each other a
   * standard deviation of one of them in addition.
   */
  static Moments moments(Sampler sampler, NoiseLevel first, int draws) {
    int images = draws + 1;
    NoiseSource noise =
        (step, shape) -> {
          INDArray values = Nd4j.zeros(DataType.DOUBLE, shape);
          if (step == 0) {
            values.addi(first.alpha() * MEAN);
          }
          double deviation = step == 0 ? Math.sqrt(variance(first)) : 1;
          values.putScalar(step + 1, values.getDouble(step + 1) + deviation);
          return values;
        };
    INDArray end = sampler.sample(DENOISER, noise, SamplingObserver.NONE, images, 1, 1, 1);
    double sum = 0;
    for (int i = 1; i < images; i++) {
      double response = end.getDouble(i) - end.getDouble(0);
      sum += response * response;
    }
    return new Moments(end.getDouble(0), sum);
  }
}
