package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.FlowHeunSampler;
import org.ddpm4j.diffusion.sampling.InitialNoise;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Euler's and Heun's method on a rectified flow, {@link EulerSampler} and {@link FlowHeunSampler},
 * with the share of noise s evenly spaced from 1 before it is shifted.
 *
 * @param type {@link SamplerType#FLOW_EULER} or {@link SamplerType#FLOW_HEUN}
 * @param shift more steps of much noise above 1 (Esser et al. 2024, eq. 23); positive and finite
 * @param convention {@link Convention#PAPER} for S even steps down to 0; with {@link
 *     Convention#DIFFUSERS} the last of S levels is that of the first timestep, and 0 comes after
 *     it
 */
public record FlowConfig(SamplerType type, double shift, Convention convention)
    implements SamplerConfig.OwnTimes {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.FLOW_EULER, SamplerType.FLOW_HEUN);

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the type is another or the shift out of range
   */
  public FlowConfig {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(convention, "convention");
    new FlowSchedule(shift);
  }

  /**
   * A sampler with its own options.
   *
   * @param type which of them
   * @return without a shift
   * @throws IllegalArgumentException if it is none of them
   */
  public static FlowConfig of(SamplerType type) {
    return new FlowConfig(type, 1, Convention.PAPER);
  }

  /**
   * The same with another shift.
   *
   * @param newShift of the share of noise
   * @return the configuration
   * @throws IllegalArgumentException if it is out of range
   */
  public FlowConfig withShift(double newShift) {
    return new FlowConfig(type, newShift, convention);
  }

  @Override
  public FlowConfig withConvention(Convention newConvention) {
    return new FlowConfig(type, shift, newConvention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    FlowSchedule flow = new FlowSchedule(shift);
    int timesteps = schedule.timesteps();
    int steps = part.steps();
    List<NoiseLevel> levels = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      double share = 1 - (double) i / steps;
      if (convention == Convention.DIFFUSERS) {
        // The least share is shifted here, and again with all others.
        double least = flow.shifted(1.0 / timesteps);
        share = steps == 1 ? 1 : 1 + i * (least - 1) / (steps - 1);
      }
      double shifted = flow.shifted(share);
      levels.add(new NoiseLevel(shifted * timesteps - 1, FlowSchedule.alphaCumprod(shifted)));
    }
    levels.add(NoiseLevel.CLEAN);
    NoiseLevels run = new NoiseLevels(levels, InitialNoise.STANDARD).last(part.last());
    return type == SamplerType.FLOW_HEUN
        ? new FlowHeunSampler(run, x0Constraint)
        : new EulerSampler(run, x0Constraint);
  }
}
