package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import org.ddpm4j.io.Text;

/**
 * How a consistency model is distilled from a diffusion model (Song et al. 2023, section 4).
 *
 * @param solver of the step along the teacher's probability flow
 * @param targetDecay μ of the paper's eq. 8: decay of the moving average of the weights that the
 *     network is to agree with, in [0,1)
 */
public record Distillation(
    @JsonProperty("solver") Solver solver,
    @JsonProperty(value = "target_decay", required = true) double targetDecay) {

  /** That of the paper for ImageNet, table 3 there. */
  public static final double DEFAULT_TARGET_DECAY = 0.95;

  /** The solver of a step. */
  public enum Solver {
    /** Heun's method, of second order: the teacher is asked twice (the paper's choice). */
    @JsonProperty("heun")
    HEUN,
    /** Euler's method, which is a step of DDIM: the teacher is asked once. */
    @JsonProperty("euler")
    EULER
  }

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  public Distillation {
    solver = Objects.requireNonNullElse(solver, Solver.HEUN);
    if (!(targetDecay >= 0 && targetDecay < 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "The decay of the target's moving average is %s; it must be in [0,1).", targetDecay));
    }
  }

  /**
   * As in the paper.
   *
   * @return Heun's method and a decay of {@value #DEFAULT_TARGET_DECAY}
   */
  public static Distillation paper() {
    return new Distillation(Solver.HEUN, DEFAULT_TARGET_DECAY);
  }
}
