package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.PndmSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link PndmSampler}, which needs evenly spaced timesteps.
 *
 * @param type which of them: {@link SamplerType#PNDM}, which begins with Runge and Kutta's steps,
 *     or {@link SamplerType#PLMS}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record PndmConfig(
    SamplerType type, TimestepSpacing spacing, int stepsOffset, End end, Convention convention)
    implements SamplerConfig.Ending {

  private static final List<SamplerType> TYPES = List.of(SamplerType.PNDM, SamplerType.PLMS);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing or the type is
   *     another
   */
  public PndmConfig {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
  }

  /**
   * A sampler with its own options.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static PndmConfig of(SamplerType type) {
    return new PndmConfig(type, TimestepSpacing.LEADING, 0, End.CLEAN, Convention.PAPER);
  }

  @Override
  public PndmConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new PndmConfig(type, newSpacing, newStepsOffset, end, convention);
  }

  @Override
  public PndmConfig withEnd(End newEnd) {
    return new PndmConfig(type, spacing, stepsOffset, newEnd, convention);
  }

  @Override
  public PndmConfig withConvention(Convention newConvention) {
    return new PndmConfig(type, spacing, stepsOffset, end, newConvention);
  }

  /**
   * diffusers rounds half a step down, and for odd steps puts the state one timestep above where it
   * asks the network.
   */
  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = visited().levels(schedule, part, false, convention, end);
    if (type == SamplerType.PLMS) {
      return PndmSampler.plms(levels, x0Constraint);
    }
    PndmSampler sampler = PndmSampler.rungeKutta(schedule, levels, x0Constraint);
    if (convention == Convention.PAPER) {
      return sampler;
    }
    int half = schedule.timesteps() / part.steps() / 2;
    List<PndmSampler.Midpoint> midpoints = new ArrayList<>();
    for (int i = 0; i < sampler.midpoints().size(); i++) {
      NoiseLevel reached = NoiseLevel.of(schedule, (int) levels.step(i).from().t() - half);
      NoiseLevel asked = NoiseLevel.of(schedule, (int) levels.step(i).to().t() + half);
      midpoints.add(new PndmSampler.Midpoint(reached.withT(asked.t()), asked));
    }
    return new PndmSampler(levels, midpoints, x0Constraint);
  }

  private VisitedTimes visited() {
    return new VisitedTimes(VisitedTimes.Times.WHOLE, spacing, stepsOffset);
  }
}
