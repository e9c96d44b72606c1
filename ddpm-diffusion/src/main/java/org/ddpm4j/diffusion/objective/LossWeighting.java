package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * How much the loss counts at each timestep. The squared errors of all parameterisations are the
 * same up to a factor, so that a weighting may be stated for one and used with another: {@code |ε -
 * ε'|² = SNR |x0 - x0'|²} and {@code |v - v'|² = (SNR + 1) |x0 - x0'|²}.
 *
 * <p>All but {@link Uniform} are 0 for x0 and v where ᾱ is 0: the last timestep of a schedule of
 * zero terminal SNR is then not trained.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LossWeighting.Uniform.class, name = "uniform"),
  @JsonSubTypes.Type(value = LossWeighting.MinSnr.class, name = "min-snr"),
  @JsonSubTypes.Type(value = LossWeighting.P2.class, name = "p2")
})
public sealed interface LossWeighting {

  /**
   * The factor of the squared error at a timestep.
   *
   * @param parameterization what the error is of
   * @param schedule of the chain
   * @param t the timestep, zero-based
   * @return at least 0
   */
  double weight(Parameterization parameterization, NoiseSchedule schedule, int t);

  /**
   * Every timestep counts alike, in whatever the network predicts: the simple loss of Ho et al.
   * 2020, eq. 14.
   */
  record Uniform() implements LossWeighting {
    @Override
    public double weight(Parameterization parameterization, NoiseSchedule schedule, int t) {
      return 1;
    }

    /** {@return the name as it is written on the command line, {@code uniform}} */
    @Override
    public String toString() {
      return "uniform";
    }
  }

  /**
   * {@code min(SNR, γ)} for the error of x0, so that almost clean images do not outweigh the rest
   * (Hang et al. 2023, section 3.4).
   *
   * @param gamma γ, above 0; the paper takes 5
   */
  record MinSnr(@JsonProperty(value = "gamma", required = true) double gamma)
      implements LossWeighting {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public MinSnr {
      requirePositive("γ of the min-SNR weighting", gamma);
    }

    @Override
    public double weight(Parameterization parameterization, NoiseSchedule schedule, int t) {
      return Math.min(schedule.snr(t), gamma) / x0Weight(parameterization, schedule, t);
    }

    /** {@return the name as it is written on the command line, {@code min-snr}} */
    @Override
    public String toString() {
      return "min-snr";
    }
  }

  /**
   * {@code 1/(k + SNR)^γ} for the error of ε, which takes weight from the timesteps that only clean
   * up (Choi et al. 2022, eq. 8).
   *
   * @param gamma γ, above 0; the paper takes 1
   * @param k above 0; the paper takes 1
   */
  record P2(
      @JsonProperty(value = "gamma", required = true) double gamma,
      @JsonProperty(value = "k", required = true) double k)
      implements LossWeighting {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public P2 {
      requirePositive("γ of the P2 weighting", gamma);
      requirePositive("k of the P2 weighting", k);
    }

    @Override
    public double weight(Parameterization parameterization, NoiseSchedule schedule, int t) {
      double snr = schedule.snr(t);
      return snr / Math.pow(k + snr, gamma) / x0Weight(parameterization, schedule, t);
    }

    /** {@return the name as it is written on the command line, {@code p2}} */
    @Override
    public String toString() {
      return "p2";
    }
  }

  /** The squared error of what is predicted, in units of the squared error of x0. */
  private static double x0Weight(Parameterization parameterization, NoiseSchedule schedule, int t) {
    double slope = parameterization.x0Slope(schedule, t);
    return 1 / (slope * slope);
  }

  private static void requirePositive(String what, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format("%s is %s; it must be above 0 and finite.", what, value));
    }
  }
}
