package org.ddpm4j.diffusion.sampling;

import java.util.List;
import java.util.Objects;
import java.util.function.DoubleFunction;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Heun's method with churn (Karras et al. 2022, algorithm 2): before each step noise is added up to
 * a greater level. States are {@code z = x_t/α = x0 + ρ ε} between steps.
 *
 * @param ratios ρ of the run, falling and positive, at least one; behind the last comes 0
 * @param levelOf the level of a ρ
 * @param churn how much noise is added
 * @param start what the run begins with, of noise from N(0,1)
 * @param x0Constraint applied to every estimate of x0
 */
public record KarrasVeSampler(
    List<Double> ratios,
    DoubleFunction<NoiseLevel> levelOf,
    Churn churn,
    Start start,
    X0Constraint x0Constraint)
    implements PathSampler {

  /**
   * How much noise is added before a step.
   *
   * @param amount S_churn, divided by the number of steps of a whole run; at least 0
   * @param least S_tmin, in units of ρ
   * @param greatest S_tmax, in units of ρ
   * @param deviation S_noise, of the noise that is added; at least 0
   */
  public record Churn(double amount, double least, double greatest, double deviation) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public Churn {
      if (!(amount >= 0 && Double.isFinite(amount))
          || !(deviation >= 0 && Double.isFinite(deviation))
          || Double.isNaN(least)
          || Double.isNaN(greatest)) {
        throw new IllegalArgumentException(
            Text.format(
                "Noise cannot be added by %s between %s and %s with a deviation of %s; amount and deviation are finite and at least 0.",
                amount, least, greatest, deviation));
      }
    }

    private double of(double ratio) {
      return ratio >= least && ratio <= greatest ? Math.min(amount, Math.sqrt(2) - 1) : 0;
    }
  }

  /**
   * What z is at the beginning: {@code deviation·noise + mean}.
   *
   * @param deviation of z
   * @param mean of z
   */
  public record Start(double deviation, double mean) {}

  /**
   * Checks the ratios.
   *
   * @throws IllegalArgumentException if there are none, one is not positive or they do not fall
   */
  public KarrasVeSampler {
    Objects.requireNonNull(ratios, "ratios");
    ratios = List.copyOf(ratios);
    Objects.requireNonNull(levelOf, "levelOf");
    Objects.requireNonNull(churn, "churn");
    Objects.requireNonNull(start, "start");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    boolean falls = !ratios.isEmpty();
    for (int i = 0; i < ratios.size(); i++) {
      falls &= ratios.get(i) > (i + 1 < ratios.size() ? ratios.get(i + 1) : 0);
    }
    if (!falls) {
      throw new IllegalArgumentException(
          Text.format("The ratios are %s; there must be some, falling and positive.", ratios));
    }
  }

  @Override
  public int steps() {
    return ratios.size();
  }

  @Override
  public int evaluations() {
    return 2 * steps() - 1;
  }

  @Override
  public NoiseLevel first() {
    return levelOf.apply(ratios.get(0));
  }

  @Override
  public INDArray initial(NoiseSource noise, long... shape) {
    return noise.initial(0, shape).muli(start.deviation()).addi(start.mean()).muli(first().alpha());
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray begin, NoiseSource noise, SamplingObserver observer) {
    INDArray z = begin.div(first().alpha());
    for (int i = 0; i < steps(); i++) {
      double ratio = ratios.get(i);
      double next = i + 1 < steps() ? ratios.get(i + 1) : 0;
      double more = ratio * (1 + churn.of(ratio));
      if (more > ratio) {
        double added = churn.deviation() * Math.sqrt(more * more - ratio * ratio);
        z = BatchArithmetic.combine(1, z, added, noise.gaussian(i + 1, begin.shape()));
      }
      ConstrainedEstimate now = estimate(denoiser, z, more);
      INDArray reached = BatchArithmetic.combine(1, z, next - more, now.eps());
      INDArray x0 = now.x0();
      if (next > 0) {
        ConstrainedEstimate end = estimate(denoiser, reached, next);
        INDArray slope = BatchArithmetic.combine(0.5, now.eps(), 0.5, end.eps());
        reached = BatchArithmetic.combine(1, z, next - more, slope);
        x0 = end.x0();
      }
      z = reached;
      observer.onStep(
          i + 1, next > 0 ? BatchArithmetic.scale(levelOf.apply(next).alpha(), z) : z, x0);
    }
    return z;
  }

  private ConstrainedEstimate estimate(Denoiser denoiser, INDArray z, double ratio) {
    NoiseLevel level = levelOf.apply(ratio);
    return ConstrainedEstimate.of(
        denoiser, BatchArithmetic.scale(level.alpha(), z), level, x0Constraint);
  }
}
