package org.ddpm4j.diffusion.lucidrains;

import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;

/** The names of betas that were rounded to float. */
final class NamedBetas {

  /** His {@code linear}, {@code cosine} and {@code sigmoid}. */
  private static final List<ScheduleType> TYPES =
      List.of(ScheduleType.LINEAR_SCALED, ScheduleType.COSINE, ScheduleType.SIGMOID_JABRI);

  /** His sigmoids begin with numbers that are rounded, of which the last betas keep most. */
  private static final double TOLERANCE = 1e-3;

  private NamedBetas() {}

  /**
   * The schedule that makes such betas.
   *
   * @param betas of all timesteps
   * @return the configuration, or empty if they are of none of his defaults
   */
  static Optional<ScheduleConfig> find(double... betas) {
    return TYPES.stream().flatMap(type -> possible(type, betas).stream()).findFirst();
  }

  private static Optional<ScheduleConfig> possible(ScheduleType type, double... betas) {
    ScheduleConfig config;
    try {
      config = ScheduleConfig.of(type, betas.length);
    } catch (IllegalArgumentException e) {
      // The chain is too short for this type.
      return Optional.empty();
    }
    double[] exact = config.betas().betas(betas.length);
    for (int t = 0; t < betas.length; t++) {
      if (!(Math.abs(betas[t] - exact[t]) <= TOLERANCE * exact[t])) {
        return Optional.empty();
      }
    }
    return Optional.of(config);
  }
}
