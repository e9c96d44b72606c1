package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The noise levels of a run, from noise to images: S at which the network is asked, and the one at
 * which the run ends.
 *
 * @param levels S+1 of them, each less noisy than the one before; only the last two may be equally
 *     noisy
 * @param initialNoise what the state is drawn from at the first level
 */
public record NoiseLevels(List<NoiseLevel> levels, InitialNoise initialNoise) {

  /** Of the times of networks that are asked with log ρ (Karras et al. 2022, table 1). */
  private static final double LOG_RATIO_FACTOR = 0.25;

  /**
   * Checks the order.
   *
   * @throws IllegalArgumentException if there are fewer than two levels, or if they do not descend
   */
  public NoiseLevels {
    Objects.requireNonNull(levels, "levels");
    levels = List.copyOf(levels);
    Objects.requireNonNull(initialNoise, "initialNoise");
    if (levels.size() < 2) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d noise levels; a run needs at least one to ask the network at, and one to end at.",
              levels.size()));
    }
    for (int i = 1; i < levels.size(); i++) {
      double before = levels.get(i - 1).alphaCumprod();
      double after = levels.get(i).alphaCumprod();
      if (!(before < after || (before == after && i == levels.size() - 1))) {
        throw new IllegalArgumentException(
            Text.format(
                "The noise does not fall from time %s (ᾱ = %s) to time %s (ᾱ = %s); each step has to remove some. Take fewer steps.",
                levels.get(i - 1).t(), before, levels.get(i).t(), after));
      }
    }
  }

  /**
   * Whole timesteps, the last of them 0 but for {@link TimestepSpacing#TRAILING}, and then clean
   * images. diffusers' DDPM, DDIM and PNDM visit these.
   *
   * @param schedule of the chain
   * @param spacing which timesteps
   * @param steps S, from 1 to T
   * @return the levels
   * @throws IllegalArgumentException if S is out of its range
   */
  public static NoiseLevels of(NoiseSchedule schedule, TimestepSpacing spacing, int steps) {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(spacing, "spacing");
    return of(schedule, rounded(spacing.times(schedule.timesteps(), steps)));
  }

  /**
   * Whole timesteps, and then clean images; 0 is among them only where {@link
   * TimestepSpacing#timesAboveZero} has it, as where all timesteps are visited. diffusers'
   * DPM-Solver, UniPC and DEIS visit these.
   *
   * @param schedule of the chain
   * @param spacing which timesteps
   * @param steps S, from 1 to T
   * @return the levels
   * @throws IllegalArgumentException if S is out of its range
   */
  public static NoiseLevels aboveZero(NoiseSchedule schedule, TimestepSpacing spacing, int steps) {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(spacing, "spacing");
    return of(schedule, rounded(spacing.timesAboveZero(schedule.timesteps(), steps)));
  }

  /**
   * Times that may lie between timesteps, the last of them 0 but for {@link
   * TimestepSpacing#TRAILING}, and then clean images. diffusers' Euler, Heun and LMS visit these.
   *
   * @param schedule of the chain
   * @param spacing which times
   * @param steps S, from 1 to T
   * @return the levels
   * @throws IllegalArgumentException if S is out of its range
   */
  public static NoiseLevels fractional(NoiseSchedule schedule, TimestepSpacing spacing, int steps) {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(spacing, "spacing");
    return of(schedule, spacing.times(schedule.timesteps(), steps));
  }

  /**
   * Any times, and then clean images.
   *
   * @param schedule of the chain
   * @param times descending, each from 0 to T-1; may lie between two timesteps
   * @return the levels
   * @throws IllegalArgumentException if there are none or they do not descend
   * @throws IndexOutOfBoundsException if one is not in 0..T-1
   */
  public static NoiseLevels of(NoiseSchedule schedule, double... times) {
    Objects.requireNonNull(schedule, "schedule");
    List<NoiseLevel> levels = new ArrayList<>();
    for (double t : times) {
      levels.add(NoiseLevel.between(schedule, t));
    }
    levels.add(NoiseLevel.CLEAN);
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  /**
   * The levels of Karras et al. 2022, eq. 5, whose {@code ρ^{1/7}} is evenly spaced, from the
   * noisiest timestep to the least noisy, and then clean images.
   *
   * @param schedule of the chain
   * @param steps S, at least 1; a single one is at the first
   * @return the levels, whose times lie between timesteps
   * @throws IllegalArgumentException if S is less than 1 or the chain ends without any signal
   */
  public static NoiseLevels karras(NoiseSchedule schedule, int steps) {
    Objects.requireNonNull(schedule, "schedule");
    return karras(
        schedule,
        NoiseLevel.of(schedule, schedule.timesteps() - 1).rho(),
        NoiseLevel.of(schedule, 0).rho(),
        steps);
  }

  /**
   * The levels of Karras et al. 2022, eq. 5, between two noise-to-signal ratios, and then clean
   * images.
   *
   * @param schedule of the chain
   * @param first the greatest ρ = σ/α, finite
   * @param last the least, positive
   * @param steps S, at least 1; a single one is at the first
   * @return the levels, whose times lie between timesteps
   * @throws IllegalArgumentException if a value is out of its range
   */
  public static NoiseLevels karras(NoiseSchedule schedule, double first, double last, int steps) {
    return between(schedule, LevelSpacing.KARRAS, first, last, steps);
  }

  /**
   * Levels that are spaced in other terms than timesteps, and then clean images.
   *
   * @param schedule of the chain, which says the time of each; that of a level beyond all timesteps
   *     is the time of the nearest
   * @param spacing how they lie, any but {@link LevelSpacing#TIMESTEPS}
   * @param first the greatest ρ = σ/α, finite
   * @param last the least, positive
   * @param steps S, at least 1; a single one is at the first
   * @return the levels, whose times lie between timesteps
   * @throws IllegalArgumentException if a value is out of its range
   */
  public static NoiseLevels between(
      NoiseSchedule schedule, LevelSpacing spacing, double first, double last, int steps) {
    // A chain of one timestep has a single level.
    boolean isDescending = first > last || (steps == 1 && first == last);
    if (!(last > 0 && isDescending && first < Double.POSITIVE_INFINITY) || steps < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "The levels %s cannot go from ρ = %s to %s in %d step(s); there must be at least 1, and some signal at the first (no zero terminal SNR).",
              spacing, first, last, steps));
    }
    double[] ratios = steps == 1 ? new double[] {first} : spacing.ratios(first, last, steps);
    List<NoiseLevel> levels = new ArrayList<>();
    for (double rho : ratios) {
      levels.add(NoiseLevel.ofRho(schedule, rho));
    }
    levels.add(NoiseLevel.CLEAN);
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  /**
   * Levels whose log ρ is evenly spaced from that of the last timestep to that of the first, but
   * which are asked at other times: diffusers' {@code interpolation_type} of {@code log_linear}.
   * The run ends at the noise of timestep 0.
   *
   * @param schedule of the chain
   * @param times the network is asked with, S of them
   * @return the levels
   * @throws IllegalArgumentException if there are no times or the chain ends without any signal
   */
  public static NoiseLevels logLinear(NoiseSchedule schedule, double... times) {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(times, "times");
    NoiseLevel end = NoiseLevel.of(schedule, 0);
    List<NoiseLevel> evenly =
        between(
                schedule,
                LevelSpacing.EXPONENTIAL,
                NoiseLevel.of(schedule, schedule.timesteps() - 1).rho(),
                end.rho(),
                times.length + 1)
            .levels();
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = 0; i < times.length; i++) {
      levels.add(evenly.get(i).withT(times[i]));
    }
    levels.add(end);
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  private static double[] rounded(double[] times) {
    double[] whole = new double[times.length];
    for (int i = 0; i < times.length; i++) {
      whole[i] = Math.rint(times[i]);
    }
    return whole;
  }

  /**
   * The same levels with the network asked at the nearest whole timesteps, for networks that know
   * no others.
   *
   * @return the levels
   */
  public NoiseLevels atWholeTimesteps() {
    return new NoiseLevels(
        levels.stream().map(level -> level.withT(Math.rint(level.t()))).toList(), initialNoise);
  }

  /**
   * The same levels with the network asked at the whole timesteps below.
   *
   * @return the levels
   */
  public NoiseLevels atTimestepsBelow() {
    return new NoiseLevels(
        levels.stream().map(level -> level.withT(Math.floor(level.t()))).toList(), initialNoise);
  }

  /**
   * The same levels with the network asked with {@code log(ρ)/4} in the place of a time (Karras et
   * al. 2022, table 1): diffusers' {@code timestep_type} of {@code continuous}.
   *
   * @return the levels
   */
  public NoiseLevels atLogRatios() {
    List<NoiseLevel> asked = new ArrayList<>();
    for (NoiseLevel level : levels.subList(0, steps())) {
      asked.add(level.withT(LOG_RATIO_FACTOR * Math.log(level.rho())));
    }
    asked.add(levels.get(steps()));
    return new NoiseLevels(asked, initialNoise);
  }

  /**
   * The same levels with another end.
   *
   * @param last where the run ends, at most as noisy as the last level at which the network is
   *     asked
   * @return the levels
   * @throws IllegalArgumentException if it is noisier
   */
  public NoiseLevels endingAt(NoiseLevel last) {
    List<NoiseLevel> changed = new ArrayList<>(levels);
    changed.set(steps(), last);
    return new NoiseLevels(changed, initialNoise);
  }

  /**
   * The same levels with another beginning.
   *
   * @param noise what the state is drawn from
   * @return the levels
   */
  public NoiseLevels startingFrom(InitialNoise noise) {
    return new NoiseLevels(levels, noise);
  }

  /**
   * The end of the run alone: its last few steps.
   *
   * @param count how many, from 1 to S
   * @return the levels from where so many steps remain
   * @throws IllegalArgumentException if the count is out of its range
   */
  public NoiseLevels last(int count) {
    if (count < 1 || count > steps()) {
      throw new IllegalArgumentException(
          Text.format(
              "A run of %d steps has no last %d; it takes 1 to %d.", steps(), count, steps()));
    }
    return new NoiseLevels(levels.subList(steps() - count, levels.size()), initialNoise);
  }

  /** {@return where the run begins} */
  public NoiseLevel first() {
    return levels.get(0);
  }

  /** {@return the number of steps, S, at least 1} */
  public int steps() {
    return levels.size() - 1;
  }

  /**
   * A step.
   *
   * @param i which, 0..S-1, in the order in which they are made
   * @return from level i to level i+1
   * @throws IndexOutOfBoundsException if there is none
   */
  public NoiseStep step(int i) {
    Objects.checkIndex(i, steps());
    return new NoiseStep(levels.get(i), levels.get(i + 1));
  }

  /**
   * All steps.
   *
   * @return S of them, in the order in which they are made
   */
  public List<NoiseStep> path() {
    List<NoiseStep> path = new ArrayList<>();
    for (int i = 0; i < steps(); i++) {
      path.add(step(i));
    }
    return List.copyOf(path);
  }

  INDArray initial(NoiseSource noise, long... shape) {
    return initialNoise.draw(first(), noise, shape);
  }
}
