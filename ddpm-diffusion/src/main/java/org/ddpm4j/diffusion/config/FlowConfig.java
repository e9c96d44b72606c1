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
import org.ddpm4j.diffusion.sampling.LevelSpacing;
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
 * @param levels how the shares lie after the shift
 * @param shift more steps of much noise above 1 (Esser et al. 2024, eq. 23); positive and finite
 * @param convention {@link Convention#PAPER} for S even steps down to 0; with {@link
 *     Convention#DIFFUSERS} the last of S levels is that of the first timestep, and 0 comes after
 *     it
 */
public record FlowConfig(SamplerType type, LevelSpacing levels, double shift, Convention convention)
    implements SamplerConfig.OwnTimes, SamplerConfig.SpacedLevels {

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
    VisitedTimes.checkRatios(type, levels);
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
    return new FlowConfig(type, LevelSpacing.TIMESTEPS, 1, Convention.PAPER);
  }

  /**
   * The same with another shift.
   *
   * @param newShift of the share of noise
   * @return the configuration
   * @throws IllegalArgumentException if it is out of range
   */
  public FlowConfig withShift(double newShift) {
    return new FlowConfig(type, levels, newShift, convention);
  }

  @Override
  public FlowConfig withConvention(Convention newConvention) {
    return new FlowConfig(type, levels, shift, newConvention);
  }

  @Override
  public FlowConfig withLevels(LevelSpacing newLevels) {
    return new FlowConfig(type, newLevels, shift, convention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    List<NoiseLevel> path = new ArrayList<>();
    for (double share : shares(schedule.timesteps(), part.steps())) {
      path.add(level(schedule, share));
    }
    path.add(NoiseLevel.CLEAN);
    NoiseLevels run = new NoiseLevels(path, InitialNoise.STANDARD).last(part.last());
    return type == SamplerType.FLOW_HEUN
        ? new FlowHeunSampler(run, x0Constraint)
        : new EulerSampler(run, x0Constraint);
  }

  /** s of each level at which the network is asked. */
  private double[] shares(int timesteps, int steps) {
    FlowSchedule flow = new FlowSchedule(shift);
    double last = 1.0 / steps;
    if (convention == Convention.DIFFUSERS && steps > 1) {
      // The least share is shifted here, and again with all others.
      last = flow.shifted(1.0 / timesteps);
    }
    double[] shares = new double[steps];
    for (int i = 0; i < steps; i++) {
      shares[i] = flow.shifted(i == 0 ? 1 : 1 + i * (last - 1) / (steps - 1));
    }
    return levels == LevelSpacing.TIMESTEPS || steps == 1
        ? shares
        : levels.ratios(shares[0], shares[steps - 1], steps);
  }

  /**
   * Of a schedule that is no flow's and keeps some signal, shares are of its greatest, so that any
   * network can be asked.
   */
  private NoiseLevel level(NoiseSchedule schedule, double share) {
    if (convention == Convention.DIFFUSERS) {
      return new NoiseLevel(share * schedule.timesteps() - 1, FlowSchedule.alphaCumprod(share));
    }
    NoiseLevel noisiest = NoiseLevel.of(schedule, schedule.timesteps() - 1);
    double reached = share * noisiest.sigma() / (noisiest.alpha() + noisiest.sigma());
    return reached == 1 ? noisiest : NoiseLevel.ofRho(schedule, reached / (1 - reached));
  }
}
