package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.NoiseStep;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * The noise levels of a run, as diffusers' schedulers choose them.
 *
 * @param times which of a spacing's times are visited
 * @param spacing of the times
 * @param stepsOffset added to the times of {@link TimestepSpacing#LEADING}
 * @param leastLambda timesteps of less are left out
 */
record VisitedTimes(Times times, TimestepSpacing spacing, int stepsOffset, double leastLambda) {

  /** Which of a spacing's times a sampler visits. */
  enum Times {
    /** Whole timesteps. */
    WHOLE,
    /** Whole timesteps but 0. */
    ABOVE_ZERO,
    /** Times that may lie between timesteps. */
    FRACTIONAL
  }

  /** Refuses an offset that does not go with the spacing. */
  static void check(TimestepSpacing spacing, int stepsOffset) {
    Objects.requireNonNull(spacing, "spacing");
    if (stepsOffset < 0 || (stepsOffset > 0 && spacing != TimestepSpacing.LEADING)) {
      throw new IllegalArgumentException(
          Text.format(
              "The offset of the timesteps is %d; it must be 0, or more with the spacing leading.",
              stepsOffset));
    }
  }

  /** Refuses a least λ that is no number. */
  static void checkLambda(double leastLambda) {
    if (!(leastLambda < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The least λ is %s; it must be a number, or minus infinity for none.", leastLambda));
    }
  }

  /** Refuses levels whose times belong to other levels. */
  static void checkRatios(SamplerType type, LevelSpacing levels) {
    Objects.requireNonNull(levels, "levels");
    if (levels == LevelSpacing.LOG_LINEAR) {
      throw new IllegalArgumentException(
          Text.format("The sampler %s does not take the levels %s; euler does.", type, levels));
    }
  }

  static VisitedTimes whole(TimestepSpacing spacing, int stepsOffset) {
    return new VisitedTimes(Times.WHOLE, spacing, stepsOffset, Double.NEGATIVE_INFINITY);
  }

  static VisitedTimes aboveZero(TimestepSpacing spacing, int stepsOffset) {
    return new VisitedTimes(Times.ABOVE_ZERO, spacing, stepsOffset, Double.NEGATIVE_INFINITY);
  }

  static VisitedTimes fractional(TimestepSpacing spacing, int stepsOffset) {
    return new VisitedTimes(Times.FRACTIONAL, spacing, stepsOffset, Double.NEGATIVE_INFINITY);
  }

  /** The same without the timesteps whose λ is less. */
  VisitedTimes from(double newLeastLambda) {
    return new VisitedTimes(times, spacing, stepsOffset, newLeastLambda);
  }

  /** The levels of the last steps of a run. */
  NoiseLevels levels(
      NoiseSchedule schedule, Part part, LevelRange range, Convention convention, End end) {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(part, "part");
    double[] visited = descending(schedule, part.steps());
    NoiseLevels levels =
        switch (range.spacing()) {
          case TIMESTEPS -> NoiseLevels.of(schedule, visited);
          case LOG_LINEAR -> NoiseLevels.logLinear(schedule, visited);
          default -> between(schedule, visited, range, part.steps(), convention);
        };
    if (times == Times.FRACTIONAL && spacing != TimestepSpacing.LEADING) {
      levels = levels.startingFrom(InitialNoise.OF_LEVEL);
    }
    if (range.spacing() != LevelSpacing.LOG_LINEAR) {
      NoiseLevel last = end(end, schedule, range);
      requireFall(levels, last, range);
      levels = levels.endingAt(last);
    }
    // Where noisy timesteps are left out, there may be fewer steps than were asked for.
    return levels.last(Math.min(part.last(), levels.steps()));
  }

  /** A range may go below the noise of timestep 0, and a run that ends there cannot. */
  private static void requireFall(NoiseLevels levels, NoiseLevel last, LevelRange range) {
    NoiseLevel asked = levels.levels().get(levels.steps() - 1);
    if (range.spacing() != LevelSpacing.TIMESTEPS
        && range.least() != null
        && asked.alphaCumprod() > last.alphaCumprod()) {
      throw new IllegalArgumentException(
          Text.format(
              "The least noise-to-signal ratio (sigma_min) is %s, below the %s of timestep 0, at which the run ends (final_sigmas_type sigma_min); raise it to that at least, or end at clean images (zero).",
              range.least(), last.rho()));
    }
  }

  /** Solvers that think in timesteps keep the noise of a range's own end, where it has one. */
  private NoiseLevel end(End end, NoiseSchedule schedule, LevelRange range) {
    boolean isOfRange =
        end == End.FIRST_TIMESTEP
            && times == Times.ABOVE_ZERO
            && range.spacing() != LevelSpacing.TIMESTEPS
            && range.least() != null;
    return isOfRange ? NoiseLevel.ofRho(schedule, range.least()) : level(end, schedule);
  }

  /**
   * diffusers' solvers that think in timesteps take the whole range of noise, and round the times
   * or cut them.
   */
  private NoiseLevels between(
      NoiseSchedule schedule,
      double[] visited,
      LevelRange range,
      int steps,
      Convention convention) {
    boolean isFractional = times == Times.FRACTIONAL;
    double first = isFractional ? visited[0] : schedule.timesteps() - 1;
    double last = isFractional ? visited[visited.length - 1] : 0;
    NoiseLevels levels =
        NoiseLevels.between(
            schedule,
            range.spacing(),
            Objects.requireNonNullElseGet(
                range.greatest(), () -> NoiseLevel.between(schedule, first).rho()),
            Objects.requireNonNullElseGet(
                range.least(), () -> NoiseLevel.between(schedule, last).rho()),
            steps);
    if (isFractional || convention == Convention.PAPER) {
      return levels;
    }
    return switch (range.spacing()) {
      case EXPONENTIAL, BETA -> levels.atTimestepsBelow();
      default -> levels.atWholeTimesteps();
    };
  }

  /** diffusers' steps, all ⌊T/S⌋ timesteps long wherever the next one begins. */
  static List<NoiseStep> strides(NoiseSchedule schedule, Part part, NoiseLevels levels, End end) {
    int stride = schedule.timesteps() / part.steps();
    List<NoiseStep> path = new ArrayList<>();
    for (NoiseStep step : levels.path()) {
      int target = (int) step.from().t() - stride;
      path.add(
          new NoiseStep(
              step.from(), target < 0 ? level(end, schedule) : NoiseLevel.of(schedule, target)));
    }
    return path;
  }

  private double[] descending(NoiseSchedule schedule, int steps) {
    double[] visited =
        times == Times.ABOVE_ZERO
            ? spacing.timesAboveZero(schedule.timesteps(), count(schedule), steps)
            : spacing.times(schedule.timesteps(), steps);
    for (int i = 0; i < visited.length; i++) {
      visited[i] += stepsOffset;
      if (times != Times.FRACTIONAL) {
        visited[i] = Math.rint(visited[i]);
      }
    }
    if (visited[0] > schedule.timesteps() - 1) {
      throw new IllegalArgumentException(
          Text.format(
              "With an offset of %d, %d steps begin at timestep %.0f of %d; take a smaller offset or another number of steps.",
              stepsOffset, steps, visited[0], schedule.timesteps()));
    }
    return visited;
  }

  /** How many timesteps are not left out. */
  private int count(NoiseSchedule schedule) {
    int count = schedule.timesteps();
    while (count > 1 && NoiseLevel.of(schedule, count - 1).lambda() < leastLambda) {
      count--;
    }
    return count;
  }

  /** The times of a whole run in ascending order, for a sampler that visits whole timesteps. */
  int[] ascending(NoiseSchedule schedule, int steps) {
    double[] descending = descending(schedule, steps);
    int[] ascending = new int[steps];
    Arrays.setAll(ascending, i -> (int) descending[steps - 1 - i]);
    return ascending;
  }

  /** The level at which a run ends. */
  static NoiseLevel level(End end, NoiseSchedule schedule) {
    return end == End.CLEAN ? NoiseLevel.CLEAN : NoiseLevel.of(schedule, 0);
  }
}
