package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
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
import org.ddpm4j.io.Text;
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
 * @param dynamicShift from which the shift of images of a size follows, in place of the other;
 *     empty for none
 * @param positions height times width of the images, where the dynamic shift has been told
 */
public record FlowConfig(
    SamplerType type,
    LevelSpacing levels,
    double shift,
    Convention convention,
    Optional<DynamicShift> dynamicShift,
    OptionalInt positions)
    implements SamplerConfig.OwnTimes, SamplerConfig.SpacedLevels {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.FLOW_EULER, SamplerType.FLOW_HEUN);

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the type is another or the shift out of range
   */
  public FlowConfig {
    Objects.requireNonNull(type, "type");
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(Text.format("The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.checkRatios(type, levels);
    Objects.requireNonNull(dynamicShift, "dynamicShift");
    Objects.requireNonNull(positions, "positions");
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
    return new FlowConfig(
        type, LevelSpacing.TIMESTEPS, 1, Convention.PAPER, Optional.empty(), OptionalInt.empty());
  }

  /**
   * The same with another shift.
   *
   * @param newShift of the share of noise
   * @return the configuration
   * @throws IllegalArgumentException if it is out of range
   */
  public FlowConfig withShift(double newShift) {
    return new FlowConfig(
        type, levels, newShift, convention, Optional.empty(), OptionalInt.empty());
  }

  /**
   * The same with a shift that follows the size of the images.
   *
   * @param newDynamicShift which
   * @return the configuration, to be resolved by {@link #ofSize}
   */
  public FlowConfig withDynamicShift(DynamicShift newDynamicShift) {
    return new FlowConfig(
        type, levels, 1, convention, Optional.of(newDynamicShift), OptionalInt.empty());
  }

  /**
   * The same for images of a size, which a dynamic shift has to be told.
   *
   * @param newPositions height times width
   * @return the configuration; this one if its shift is not dynamic
   * @throws IllegalArgumentException if the shift of that size is no good
   */
  public FlowConfig ofSize(int newPositions) {
    if (dynamicShift.isEmpty()) {
      return this;
    }
    new FlowSchedule(dynamicShift.get().shift(newPositions));
    return new FlowConfig(
        type, levels, shift, convention, dynamicShift, OptionalInt.of(newPositions));
  }

  @Override
  public FlowConfig withConvention(Convention newConvention) {
    return new FlowConfig(type, levels, shift, newConvention, dynamicShift, positions);
  }

  @Override
  public boolean usesSpacing() {
    return OwnTimes.super.usesSpacing();
  }

  @Override
  public FlowConfig withLevels(LevelSpacing newLevels) {
    return new FlowConfig(type, newLevels, shift, convention, dynamicShift, positions);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    if (dynamicShift.isPresent() && positions.isEmpty()) {
      throw new IllegalArgumentException(
          "The shift of this sampler follows the size of the images; tell it by ofSize.");
    }
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
    FlowSchedule flow =
        new FlowSchedule(
            dynamicShift.map(dynamic -> dynamic.shift(positions.orElseThrow())).orElse(shift));
    double last = 1.0 / steps;
    if (convention == Convention.DIFFUSERS && steps > 1) {
      // The least share is shifted here, and again with all others; a dynamic shift comes once.
      last = dynamicShift.isPresent() ? 1.0 / timesteps : flow.shifted(1.0 / timesteps);
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
