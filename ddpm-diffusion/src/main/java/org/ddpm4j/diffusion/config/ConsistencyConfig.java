package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.ConsistencySampler;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link ConsistencySampler} at every ⌊T/S⌋-th timestep from the last on, as diffusers' {@code
 * CMStochasticIterativeScheduler}. It has no options.
 */
public record ConsistencyConfig() implements SamplerConfig.OwnTimes {

  @Override
  public SamplerType type() {
    return SamplerType.CONSISTENCY;
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    int timesteps = schedule.timesteps();
    if (part.steps() > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "%d steps on %d timesteps are not possible; there must be 1 to %d.",
              part.steps(), timesteps, timesteps));
    }
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = 0; i < part.steps(); i++) {
      levels.add(NoiseLevel.of(schedule, timesteps - 1 - i * (timesteps / part.steps())));
    }
    levels.add(NoiseLevel.CLEAN);
    return new ConsistencySampler(
        new NoiseLevels(levels, InitialNoise.OF_LEVEL).last(part.last()),
        NoiseLevel.of(schedule, 0).rho(),
        x0Constraint);
  }
}
