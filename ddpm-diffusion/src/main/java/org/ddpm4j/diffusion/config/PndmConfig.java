package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.IpndmSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.NoiseStep;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.PndmSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.CrashSchedule;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link PndmSampler} and {@link IpndmSampler}, which need evenly spaced timesteps.
 *
 * @param type which of them: {@link SamplerType#PNDM}, which begins with Runge and Kutta's steps,
 *     {@link SamplerType#PLMS} or {@link SamplerType#IPNDM}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record PndmConfig(
    SamplerType type, TimestepSpacing spacing, int stepsOffset, End end, Convention convention)
    implements SamplerConfig.Ending {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.PNDM, SamplerType.PLMS, SamplerType.IPNDM);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing or the type is
   *     another
   */
  public PndmConfig {
    Objects.requireNonNull(type, "type");
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(Text.format("The sampler %s is none of %s.", type, TYPES));
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
    if (type == SamplerType.IPNDM && convention == Convention.DIFFUSERS) {
      return new IpndmSampler(crash(part), x0Constraint);
    }
    NoiseLevels levels =
        VisitedTimes.whole(spacing, stepsOffset)
            .levels(schedule, part, LevelRange.of(LevelSpacing.TIMESTEPS), convention, end);
    if (type == SamplerType.IPNDM) {
      return IpndmSampler.of(levels, x0Constraint);
    }
    PndmSampler paper =
        type == SamplerType.PLMS
            ? PndmSampler.plms(levels, x0Constraint)
            : PndmSampler.rungeKutta(schedule, levels, x0Constraint);
    return convention == Convention.PAPER ? paper : asDiffusers(schedule, part, levels, paper);
  }

  /** diffusers' IPNDM has a schedule of its own, whose networks are asked with an angle. */
  private static NoiseLevels crash(Part part) {
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = part.steps() - part.last(); i < part.steps(); i++) {
      double u = 1 - (double) i / part.steps();
      double sigma = CrashSchedule.sigma(u);
      levels.add(new NoiseLevel(CrashSchedule.angle(u), (1 - sigma) * (1 + sigma)));
    }
    levels.add(NoiseLevel.CLEAN);
    return new NoiseLevels(levels, InitialNoise.STANDARD);
  }

  /**
   * diffusers' steps are all ⌊T/S⌋ timesteps long but for Runge and Kutta's, whose half steps are
   * rounded down: the state is put so far below, and the network asked so far above. The first step
   * of PLMS is made anew as if it had begun a stride above the second timestep.
   */
  private PndmSampler asDiffusers(
      NoiseSchedule schedule, Part part, NoiseLevels levels, PndmSampler paper) {
    int stride = schedule.timesteps() / part.steps();
    List<NoiseStep> path = new ArrayList<>(VisitedTimes.strides(schedule, part, levels, end));
    List<PndmSampler.Midpoint> midpoints = new ArrayList<>();
    for (int i = 0; i < paper.midpoints().size(); i++) {
      NoiseStep step = levels.step(i);
      NoiseLevel reached = NoiseLevel.of(schedule, (int) step.from().t() - stride / 2);
      NoiseLevel asked = NoiseLevel.of(schedule, (int) step.to().t() + stride / 2);
      midpoints.add(new PndmSampler.Midpoint(reached.withT(asked.t()), asked));
      path.set(i, step);
    }
    NoiseStep corrected = path.get(0);
    if (levels.steps() > 1) {
      NoiseLevel second = levels.step(1).from();
      corrected = new NoiseStep(NoiseLevel.of(schedule, (int) second.t() + stride), second);
    }
    return new PndmSampler(path, corrected, midpoints, paper.x0Constraint());
  }
}
