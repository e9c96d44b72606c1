package org.ddpm4j.diffusion.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * The noise levels of a run, as diffusers' schedulers choose them.
 *
 * @param times which of a spacing's times are visited
 * @param spacing of the times
 * @param stepsOffset added to the times of {@link TimestepSpacing#LEADING}
 */
record VisitedTimes(Times times, TimestepSpacing spacing, int stepsOffset) {

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
          String.format(
              Locale.ROOT,
              "The offset of the timesteps is %d; it must be 0, or more with the spacing leading.",
              stepsOffset));
    }
  }

  /** The levels of the last steps of a run. */
  NoiseLevels levels(
      NoiseSchedule schedule, Part part, boolean karras, Convention convention, End end) {
    NoiseLevels levels = NoiseLevels.of(schedule, descending(schedule, part.steps()));
    if (karras) {
      levels = karrasLevels(schedule, levels, part.steps(), convention);
    }
    if (times == Times.FRACTIONAL && spacing != TimestepSpacing.LEADING) {
      levels = levels.startingFrom(InitialNoise.OF_LEVEL);
    }
    return levels.endingAt(level(end, schedule)).last(part.last());
  }

  /** diffusers' solvers that think in timesteps round Karras' and take the whole range of noise. */
  private NoiseLevels karrasLevels(
      NoiseSchedule schedule, NoiseLevels spaced, int steps, Convention convention) {
    if (times == Times.FRACTIONAL) {
      return NoiseLevels.karras(
          schedule,
          spaced.levels().get(0).rho(),
          spaced.levels().get(spaced.steps() - 1).rho(),
          steps);
    }
    NoiseLevels whole = NoiseLevels.karras(schedule, steps);
    return convention == Convention.DIFFUSERS ? whole.atWholeTimesteps() : whole;
  }

  private double[] descending(NoiseSchedule schedule, int steps) {
    double[] visited =
        times == Times.ABOVE_ZERO
            ? spacing.timesAboveZero(schedule.timesteps(), steps)
            : spacing.times(schedule.timesteps(), steps);
    for (int i = 0; i < visited.length; i++) {
      visited[i] += stepsOffset;
      if (times != Times.FRACTIONAL) {
        visited[i] = Math.rint(visited[i]);
      }
    }
    if (visited[0] > schedule.timesteps() - 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "With an offset of %d, %d steps begin at timestep %.0f of %d; take a smaller offset or another number of steps.",
              stepsOffset,
              steps,
              visited[0],
              schedule.timesteps()));
    }
    return visited;
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
