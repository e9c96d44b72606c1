package org.ddpm4j.diffusion.diffusers;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.BetaSchedule;

/**
 * Betas that were given one by one, which diffusers calls {@code trained_betas}.
 *
 * @param values β of each timestep, from the least noise to the most; 1 to {@value #MAX_TIMESTEPS}
 */
public record TrainedBetas(List<Double> values) implements BetaSchedule {

  /** The longest chain that is written beta by beta. */
  public static final int MAX_TIMESTEPS = 100_000;

  /**
   * Checks how many there are.
   *
   * @throws IllegalArgumentException if there are none or too many
   */
  public TrainedBetas {
    Objects.requireNonNull(values, "values");
    values = List.copyOf(values);
    if (values.isEmpty() || values.size() > MAX_TIMESTEPS) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d trained betas; there must be 1 to %d.", values.size(), MAX_TIMESTEPS));
    }
  }

  /**
   * The betas of a formula.
   *
   * @param formula of β
   * @param timesteps T
   * @return the betas
   * @throws IllegalArgumentException if T is out of range
   */
  public static TrainedBetas of(BetaSchedule formula, int timesteps) {
    Objects.requireNonNull(formula, "formula");
    if (timesteps > MAX_TIMESTEPS) {
      throw new IllegalArgumentException(
          Text.format(
              "diffusers has no name for this noise schedule, and %d timesteps are too many to write beta by beta; %d are possible.",
              timesteps, MAX_TIMESTEPS));
    }
    return new TrainedBetas(Arrays.stream(formula.betas(timesteps)).boxed().toList());
  }

  @Override
  public double[] betas(int timesteps) {
    if (timesteps != values.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "There are %d trained beta(s) for %d timestep(s); each timestep has one.",
              values.size(), timesteps));
    }
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
