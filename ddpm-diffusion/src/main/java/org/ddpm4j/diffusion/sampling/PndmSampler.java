package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * PNDM (Liu et al. 2022): DDIM's step (eq. 11) with an ε combined of the last four by the classical
 * coefficients of Adams and Bashforth (eq. 12, "F-PNDM"), for timesteps evenly spaced. Until there
 * are four, it makes do with Runge and Kutta's method (eq. 13, four calls of the network for a
 * step), or with fewer terms (PLMS, as Stable Diffusion does).
 *
 * @param path the steps, evenly spaced in time, the first from where some signal is left; each
 *     begins where the one before ended, except where diffusers' fixed stride is to be followed
 * @param corrected the first step of PLMS as it is made the second time, by the mean of the ε at
 *     both its ends: that step again, unless diffusers' stride is to be followed
 * @param midpoints of the first steps, which are Runge and Kutta's: three for PNDM, none for PLMS
 * @param x0Constraint applied to every estimate of x0
 */
public record PndmSampler(
    List<NoiseStep> path, NoiseStep corrected, List<Midpoint> midpoints, X0Constraint x0Constraint)
    implements PathSampler {

  /** Steps of Runge and Kutta's method that the multistep method begins with. */
  private static final int WARM_UP = 3;

  /** Newest first (Liu et al. 2022, eq. 12, and its predecessors of lower order). */
  static final double[][] ADAMS_BASHFORTH = {
    {1},
    {3 / 2.0, -1 / 2.0},
    {23 / 12.0, -16 / 12.0, 5 / 12.0},
    {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}
  };

  /**
   * Where Runge and Kutta's method looks half-way through a step: the same level twice, unless
   * diffusers' rounding is to be followed.
   *
   * @param first where ε is estimated the second time
   * @param second where ε is estimated the third time
   */
  public record Midpoint(NoiseLevel first, NoiseLevel second) {

    /** Checks that nothing is missing. */
    public Midpoint {
      Objects.requireNonNull(first, "first");
      Objects.requireNonNull(second, "second");
    }
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if there are not more steps than midpoints, or if no signal is
   *     left at the first level
   */
  public PndmSampler {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(midpoints, "midpoints");
    path = List.copyOf(path);
    Objects.requireNonNull(corrected, "corrected");
    midpoints = List.copyOf(midpoints);
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    if (path.size() <= midpoints.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "%d steps are too few for PNDM, whose first %d are Runge and Kutta's; take more, or PLMS.",
              path.size(), midpoints.size()));
    }
    if (path.get(0).from().alphaCumprod() == 0) {
      throw new IllegalArgumentException(
          "PNDM combines estimates of ε, which tell nothing where no signal is left; choose DDIM,"
              + " DPM-Solver++ or UniPC for a schedule of zero terminal SNR.");
    }
  }

  /**
   * Through given levels.
   *
   * @param levels of the run, evenly spaced in time
   * @param midpoints of the first steps
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if the levels do not suffice
   */
  public PndmSampler(NoiseLevels levels, List<Midpoint> midpoints, X0Constraint x0Constraint) {
    this(Objects.requireNonNull(levels, "levels").path(), levels.step(0), midpoints, x0Constraint);
  }

  /**
   * PNDM, which begins with Runge and Kutta's method.
   *
   * @param schedule of the chain
   * @param levels of the run, at least 4 of them
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler
   * @throws IllegalArgumentException if the levels do not suffice
   */
  public static PndmSampler rungeKutta(
      NoiseSchedule schedule, NoiseLevels levels, X0Constraint x0Constraint) {
    Objects.requireNonNull(levels, "levels");
    List<Midpoint> midpoints = new ArrayList<>();
    for (int i = 0; i < Math.min(WARM_UP, levels.steps()); i++) {
      double half = (levels.step(i).from().t() + levels.step(i).to().t()) / 2;
      NoiseLevel middle = NoiseLevel.of(schedule, (int) Math.ceil(half));
      midpoints.add(new Midpoint(middle, middle));
    }
    return new PndmSampler(levels, midpoints, x0Constraint);
  }

  /**
   * PLMS, which begins with fewer terms.
   *
   * @param levels of the run
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler
   * @throws IllegalArgumentException if no signal is left at the first level
   */
  public static PndmSampler plms(NoiseLevels levels, X0Constraint x0Constraint) {
    Objects.requireNonNull(levels, "levels");
    return new PndmSampler(levels, List.of(), x0Constraint);
  }

  @Override
  public NoiseLevel first() {
    return path.get(0).from();
  }

  @Override
  public INDArray initial(NoiseSource noise, long... shape) {
    return InitialNoise.STANDARD.draw(first(), noise, shape);
  }

  @Override
  public int steps() {
    return path.size();
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    History history = new History(ADAMS_BASHFORTH.length);
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = path.get(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      history.add(step.from(), now.eps());
      INDArray eps;
      if (i < midpoints.size()) {
        eps = rungeKutta(denoiser, x, now.eps(), step, midpoints.get(i));
      } else if (i == 0 && steps() > 1) {
        INDArray trial = step.alongEps(x, now.eps());
        step = corrected;
        INDArray ahead = ConstrainedEstimate.of(denoiser, trial, step.to(), x0Constraint).eps();
        eps = BatchArithmetic.combine(0.5, now.eps(), 0.5, ahead);
      } else {
        double[] weights = ADAMS_BASHFORTH[history.size() - 1];
        eps = history.combine(0, now.eps(), 1, weights);
      }
      x = step.alongEps(x, eps);
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }

  private INDArray rungeKutta(
      Denoiser denoiser, INDArray x, INDArray e1, NoiseStep step, Midpoint middle) {
    INDArray x1 = new NoiseStep(step.from(), middle.first()).alongEps(x, e1);
    INDArray e2 = ConstrainedEstimate.of(denoiser, x1, middle.first(), x0Constraint).eps();
    INDArray x2 = new NoiseStep(step.from(), middle.second()).alongEps(x, e2);
    INDArray e3 = ConstrainedEstimate.of(denoiser, x2, middle.second(), x0Constraint).eps();
    INDArray x3 = step.alongEps(x, e3);
    INDArray e4 = ConstrainedEstimate.of(denoiser, x3, step.to(), x0Constraint).eps();
    return BatchArithmetic.combine(
        new double[] {1 / 6.0, 2 / 6.0, 2 / 6.0, 1 / 6.0}, List.of(e1, e2, e3, e4));
  }

  @Override
  public int evaluations() {
    int trials = midpoints.isEmpty() ? (steps() > 1 ? 1 : 0) : WARM_UP * midpoints.size();
    return steps() + trials;
  }
}
