package org.ddpm4j.diffusion.config;

import org.ddpm4j.diffusion.sampling.DeisSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.LmsSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.UniPcSampler;

/** The samplers by name. A name never changes its meaning. */
public enum SamplerType {
  /** {@link org.ddpm4j.diffusion.sampling.AncestralSampler}. */
  DDPM("ddpm", Family.TIMESTEPS, TimestepSpacing.LINSPACE, 0),
  /** {@link org.ddpm4j.diffusion.sampling.DdimSampler}. */
  DDIM("ddim", Family.TIMESTEPS, TimestepSpacing.LEADING, 0),
  /** {@link DpmSolverSampler} of the probability flow. */
  DPM_SOLVER("dpm++", Family.ABOVE_ZERO, TimestepSpacing.LINSPACE, DpmSolverSampler.DEFAULT_ORDER),
  /** {@link DpmSolverSampler} of the diffusion. */
  DPM_SOLVER_SDE(
      "dpm++-sde", Family.ABOVE_ZERO, TimestepSpacing.LINSPACE, DpmSolverSampler.DEFAULT_ORDER),
  /** {@link UniPcSampler}. */
  UNIPC("unipc", Family.ABOVE_ZERO, TimestepSpacing.LINSPACE, UniPcSampler.DEFAULT_ORDER),
  /** {@link org.ddpm4j.diffusion.sampling.PndmSampler} that begins with Runge and Kutta's steps. */
  PNDM("pndm", Family.TIMESTEPS, TimestepSpacing.LEADING, 0),
  /** {@link org.ddpm4j.diffusion.sampling.PndmSampler} without these. */
  PLMS("plms", Family.TIMESTEPS, TimestepSpacing.LEADING, 0),
  /** {@link DeisSampler}. */
  DEIS("deis", Family.ABOVE_ZERO, TimestepSpacing.LINSPACE, DeisSampler.DEFAULT_ORDER),
  /** {@link LmsSampler}. */
  LMS("lms", Family.FRACTIONAL, TimestepSpacing.LINSPACE, LmsSampler.DEFAULT_ORDER),
  /** {@link org.ddpm4j.diffusion.sampling.HeunSampler}. */
  HEUN("heun", Family.FRACTIONAL, TimestepSpacing.LINSPACE, 0),
  /** {@link org.ddpm4j.diffusion.sampling.EulerSampler}. */
  EULER("euler", Family.FRACTIONAL, TimestepSpacing.LINSPACE, 0),
  /** {@link org.ddpm4j.diffusion.sampling.EulerAncestralSampler}. */
  EULER_ANCESTRAL("euler-ancestral", Family.FRACTIONAL, TimestepSpacing.LINSPACE, 0);

  /** Which of a spacing's times a sampler visits. */
  enum Family {
    /** Whole timesteps. */
    TIMESTEPS,
    /** Whole timesteps but 0. */
    ABOVE_ZERO,
    /** Times that may lie between timesteps. */
    FRACTIONAL
  }

  private final String label;
  private final Family family;
  private final TimestepSpacing defaultSpacing;
  private final int defaultOrder;

  SamplerType(String label, Family family, TimestepSpacing defaultSpacing, int defaultOrder) {
    this.label = label;
    this.family = family;
    this.defaultSpacing = defaultSpacing;
    this.defaultOrder = defaultOrder;
  }

  /**
   * The name as it is written on the command line and in messages.
   *
   * @return for instance {@code dpm++}
   */
  @Override
  public String toString() {
    return label;
  }

  Family family() {
    return family;
  }

  /**
   * The spacing of the timesteps that it has unless another is chosen: diffusers' default, but for
   * {@link #DDPM}.
   *
   * @return the spacing
   */
  public TimestepSpacing defaultSpacing() {
    return defaultSpacing;
  }

  /**
   * Whether an order can be chosen.
   *
   * @return true for DPM-Solver++, UniPC, DEIS and LMS
   */
  public boolean hasOrder() {
    return defaultOrder > 0;
  }

  /**
   * The order that it has unless another is chosen.
   *
   * @return 2, or 4 for LMS; 0 where there is no choice
   */
  public int defaultOrder() {
    return defaultOrder;
  }

  /**
   * Whether it can take Karras' levels: not DDPM, which is a chain over timesteps, nor PNDM, which
   * needs them evenly spaced.
   *
   * @return true if it can
   */
  public boolean takesKarrasLevels() {
    return this != DDPM && this != PNDM && this != PLMS;
  }
}
