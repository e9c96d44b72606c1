package org.ddpm4j.diffusion.model;

import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.FlowConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * How a model draws unless told otherwise.
 *
 * @param config which sampler, and its options
 * @param x0Constraint applied to every estimate of x0
 */
public record DefaultSampler(SamplerConfig config, X0Constraint x0Constraint) {

  /** Steps of a solver of second or higher order: more make the images hardly better. */
  public static final int SOLVER_STEPS = 20;

  /** Steps of a sampler of first order, or of one that adds noise as it goes. */
  public static final int STEPS = 50;

  /** Steps of a consistency model: the second mends what the first has blurred. */
  public static final int CONSISTENCY_STEPS = 2;

  /** Steps of a latent consistency model (Luo et al. 2023, figure 2). */
  public static final int LCM_STEPS = 4;

  /** Checks that nothing is missing. */
  public DefaultSampler {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  /** For images of a size, which a flow's shift may follow. */
  DefaultSampler ofSize(ImageShape shape) {
    return config instanceof FlowConfig flow
        ? new DefaultSampler(flow.ofSize(shape.height() * shape.width()), x0Constraint)
        : this;
  }

  /**
   * Which sampler suits a network: DPM-Solver++, but DDPM where the network has learned DDPM's
   * variance or predicts the mean of its steps, Heun's method for the straight paths of a flow, and
   * a consistency model's own.
   *
   * @param parameterization what the network predicts
   * @param network that predicts it
   * @return the sampler's name
   */
  public static SamplerType typeFor(Parameterization parameterization, UnetConfig network) {
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(network, "network");
    return switch (parameterization) {
      case CONSISTENCY -> SamplerType.CONSISTENCY;
      case FLOW -> SamplerType.FLOW_HEUN;
      case MEAN -> SamplerType.DDPM;
      case EPSILON, X0, V, EDM, SCORE ->
          network.learnsVariance() ? SamplerType.DDPM : SamplerType.DPM_SOLVER;
    };
  }

  /**
   * A sampler with its own options, but for DPM-Solver++ of a chain that keeps some signal: its
   * levels are evenly spaced in λ, the time in which it integrates (Lu et al. 2022a, section 3.3).
   * Networks of Karras et al. have levels of their own at their timesteps.
   *
   * @param type which sampler
   * @param parameterization what the network predicts
   * @param schedule of the model
   * @return the configuration
   */
  static SamplerConfig config(
      SamplerType type, Parameterization parameterization, NoiseSchedule schedule) {
    SamplerConfig own = SamplerConfig.of(type);
    boolean hasLambda = parameterization != Parameterization.EDM && !schedule.hasZeroTerminalSnr();
    return type == SamplerType.DPM_SOLVER && hasLambda ? own.withLevels(LevelSpacing.LAMBDA) : own;
  }

  /**
   * How many steps a sampler makes unless told otherwise.
   *
   * @param type which sampler
   * @param timesteps T, the most that there can be
   * @return {@value #SOLVER_STEPS}, {@value #STEPS}, {@value #CONSISTENCY_STEPS} or {@value
   *     #LCM_STEPS}, or T if that is less
   */
  public static int steps(SamplerType type, int timesteps) {
    Objects.requireNonNull(type, "type");
    int usual =
        switch (type) {
          case DPM_SOLVER,
              DPM_SOLVER_EPS,
              DPM_SINGLESTEP,
              DPM_SINGLESTEP_EPS,
              UNIPC,
              PNDM,
              PLMS,
              IPNDM,
              DEIS,
              LMS,
              HEUN,
              DPM2,
              FLOW_HEUN ->
              SOLVER_STEPS;
          case DDPM,
              DDIM,
              DPM_SOLVER_SDE,
              DPM_SOLVER_EPS_SDE,
              DPM_SINGLESTEP_SDE,
              EULER,
              EULER_ANCESTRAL,
              DPM2_ANCESTRAL,
              SA_SOLVER,
              SCORE_SDE,
              KARRAS_VE,
              FLOW_EULER ->
              STEPS;
          case LCM -> LCM_STEPS;
          case CONSISTENCY -> CONSISTENCY_STEPS;
        };
    return Math.min(usual, timesteps);
  }

  /**
   * Refuses a number of denoising steps that no sampler can make.
   *
   * @param steps S, as somebody has chosen it
   * @param timesteps T of the model's schedule
   * @throws IllegalArgumentException if there are not as many timesteps
   */
  public static void requireSteps(int steps, int timesteps) {
    if (steps < 1 || steps > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "%d denoising steps are not possible; it takes 1 to %d, the length of the chain.",
              steps, timesteps));
    }
  }

  /**
   * Makes the sampler.
   *
   * @param schedule of the model
   * @param steps S, how many
   * @return the sampler
   * @throws IllegalArgumentException if it cannot take so many steps, or the schedule is not one
   *     for it
   */
  public PathSampler create(NoiseSchedule schedule, int steps) {
    return create(schedule, SamplerConfig.Part.whole(steps));
  }

  /**
   * Makes the sampler of the end of a run, which begins with a noisy image.
   *
   * @param schedule of the model
   * @param part how many steps of how many
   * @return the sampler
   * @throws IllegalArgumentException if it cannot take so many steps, or the schedule is not one
   *     for it
   */
  public PathSampler create(NoiseSchedule schedule, SamplerConfig.Part part) {
    return config.create(schedule, part, x0Constraint);
  }
}
