package org.ddpm4j.diffusion.lucidrains;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * What a network predicts, told by the weights of its losses. With c = min(SNR, γ), where γ is
 * infinite unless min-SNR weighting was chosen (Hang et al. 2023), they are c/SNR for ε, c for x0,
 * and c/(SNR + 1) for v.
 */
final class LossWeights {

  private static final List<Parameterization> OBJECTIVES =
      List.of(Parameterization.V, Parameterization.EPSILON, Parameterization.X0);

  /** Betas are rounded to float, of which the end of a long chain is a product. */
  private static final double TOLERANCE = 1e-3;

  private LossWeights() {}

  /**
   * The objective that these are the weights of.
   *
   * @param schedule of T timesteps
   * @param weights of the losses of all timesteps
   * @return ε, x0 or v
   * @throws IllegalArgumentException if they are of none of them, or of several
   */
  static Parameterization parameterization(NoiseSchedule schedule, double... weights) {
    if (weights.length != schedule.timesteps()) {
      throw new IllegalArgumentException(
          Text.format(
              "it has %d betas and %d weights of losses.", schedule.timesteps(), weights.length));
    }
    List<Parameterization> fitting =
        OBJECTIVES.stream().filter(objective -> fits(schedule, weights, objective)).toList();
    if (fitting.size() != 1) {
      throw new IllegalArgumentException(
          "its loss_weight is that of no objective that is known (pred_noise, pred_x0, pred_v, each also with min_snr_loss_weight), so that what the network predicts cannot be told.");
    }
    return fitting.get(0);
  }

  private static boolean fits(
      NoiseSchedule schedule, double[] weights, Parameterization objective) {
    double[] clipped = new double[weights.length];
    for (int t = 0; t < weights.length; t++) {
      double snr = schedule.snr(t);
      clipped[t] =
          switch (objective) {
            case EPSILON -> weights[t] * snr;
            case V -> weights[t] * (snr + 1);
            default -> weights[t];
          };
    }
    double gamma = Arrays.stream(clipped).max().orElseThrow();
    for (int t = 0; t < weights.length; t++) {
      double expected = Math.min(schedule.snr(t), gamma);
      if (!(Math.abs(clipped[t] - expected) <= TOLERANCE * expected)) {
        return false;
      }
    }
    return true;
  }
}
