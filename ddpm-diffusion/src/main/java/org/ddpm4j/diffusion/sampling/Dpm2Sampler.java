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
 * The midpoint method on the probability flow {@code d(x/α)/dρ = ε}, with the middle of a step in
 * log ρ: k-diffusion's {@code sample_dpm_2} and {@code sample_dpm_2_ancestral}, which follow
 * DPM-Solver-2 (Lu et al. 2022a, algorithm 1). Onto clean images it is Euler's method.
 *
 * @param levels of the run
 * @param midpoints of the steps that have noise at both ends, between the level where each begins
 *     and the one that it is to reach before noise is added
 * @param noise whether fresh noise is added to each step
 * @param x0Constraint applied to every estimate of x0
 */
public record Dpm2Sampler(
    NoiseLevels levels, List<NoiseLevel> midpoints, Noise noise, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Whether fresh noise is added to each step. */
  public enum Noise {
    /** None: the probability flow. */
    NONE,
    /** As much as DDPM adds; a step first goes so much further. */
    ANCESTRAL
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if there are not as many midpoints as steps with noise at both
   *     ends
   */
  public Dpm2Sampler {
    Objects.requireNonNull(midpoints, "midpoints");
    Objects.requireNonNull(levels, "levels");
    midpoints = List.copyOf(midpoints);
    Objects.requireNonNull(noise, "noise");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    long wanted = levels.path().stream().filter(NoiseStep::isFinite).count();
    if (midpoints.size() != wanted) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d midpoints for %d step(s) with noise at both ends; each has one.",
              midpoints.size(), wanted));
    }
  }

  /**
   * With the midpoints of a schedule.
   *
   * @param schedule of the chain, which says the time of each midpoint
   * @param levels of the run
   * @param noise whether fresh noise is added to each step
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler
   */
  public static Dpm2Sampler of(
      NoiseSchedule schedule, NoiseLevels levels, Noise noise, X0Constraint x0Constraint) {
    Objects.requireNonNull(levels, "levels");
    List<NoiseLevel> midpoints = new ArrayList<>();
    for (NoiseStep step : levels.path()) {
      if (step.isFinite()) {
        double middle = Math.sqrt(step.from().rho() * reached(step, noise));
        midpoints.add(NoiseLevel.ofRho(schedule, middle));
      }
    }
    return new Dpm2Sampler(levels, midpoints, noise, x0Constraint);
  }

  /** ρ before noise is added: with {@code ρ'²/ρ} as much noise can be added as DDPM does. */
  private static double reached(NoiseStep step, Noise noise) {
    double after = step.to().rho();
    return noise == Noise.NONE ? after : after * after / step.from().rho();
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource source, SamplingObserver observer) {
    INDArray x = start;
    int halves = 0;
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      if (!step.isFinite()) {
        x = step.ddim(now.x0(), now.eps());
      } else {
        NoiseStep half = new NoiseStep(step.from(), midpoints.get(halves++));
        INDArray trial = half.alongEps(x, now.eps());
        now = ConstrainedEstimate.of(denoiser, trial, half.to(), x0Constraint);
        double down = reached(step, noise);
        double up = Math.sqrt(step.to().rho() * step.to().rho() - down * down);
        double alpha = step.to().alpha();
        x =
            BatchArithmetic.combine(
                alpha / step.from().alpha(), x, alpha * (down - step.from().rho()), now.eps());
        if (up > 0) {
          source.addTo(x, alpha * up, i + 1);
        }
      }
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }

  @Override
  public int evaluations() {
    return steps() + midpoints.size();
  }
}
