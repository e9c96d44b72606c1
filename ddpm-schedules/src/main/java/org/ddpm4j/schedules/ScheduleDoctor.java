package org.ddpm4j.schedules;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import org.ddpm4j.schedules.ScheduleReport.Advice;
import org.ddpm4j.schedules.ScheduleReport.Finding;
import org.ddpm4j.schedules.ScheduleReport.Float32Loss;
import org.ddpm4j.schedules.ScheduleReport.Range;
import org.ddpm4j.schedules.ScheduleReport.Severity;

/**
 * Examines a noise schedule for what goes wrong silently: signal left in x_T, timesteps wasted on
 * pure noise, betas that a clip has changed, and constants that float32 cannot hold.
 *
 * <p>Sampling starts from N(0, I), while training has seen x_T = √ᾱ_T x_0 + √(1 - ᾱ_T) ε. What the
 * two differ by is measured twice: by the largest value that is left, √ᾱ_T · max |x|, against noise
 * of standard deviation 1, and by the Kullback-Leibler divergence of q(x_T | x_0) from N(0, I), the
 * L_T of Ho et al. 2020, eq. 5, in bits/dim.
 */
public final class ScheduleDoctor {

  /** ᾱ below this is called pure noise: 1 % of the signal's amplitude. */
  public static final double PURE_NOISE = 1e-4;

  /** ᾱ_T of {@link LinearSchedule#paper()} at its T = 1000, 4.0e-5, to which advice leads. */
  private static final double TARGET_LOG_ALPHA_CUMPROD =
      Math.log(
          NoiseSchedule.of(LinearSchedule.paper(), LinearSchedule.PAPER_TIMESTEPS)
              .alphasCumprod(LinearSchedule.PAPER_TIMESTEPS - 1));

  private static final double SIGNAL_WARNING = 0.02;
  private static final double SIGNAL_PROBLEM = 0.2;
  private static final double SHARE_WARNING = 0.2;
  private static final double SHARE_PROBLEM = 0.5;
  private static final double FIRST_NOISE_WARNING = 0.1;

  /** A formula that reaches β = 1 has its last β lowered, which is what a ceiling is for. */
  private static final int HARMLESS_LOWERED = 1;

  private ScheduleDoctor() {}

  /**
   * Examines a schedule.
   *
   * @param schedule the formula of β
   * @param timesteps T, at least 1
   * @param data how large the values of the data are
   * @return what was found
   * @throws IllegalArgumentException if {@link NoiseSchedule#of(BetaSchedule, int)} refuses the
   *     schedule
   */
  public static ScheduleReport examine(BetaSchedule schedule, int timesteps, DataRange data) {
    NoiseSchedule constants = NoiseSchedule.of(schedule, timesteps);
    Clipping clipping = schedule.clipping(timesteps);
    OptionalInt firstPureNoise = firstPureNoise(constants);
    List<Float32Loss> losses = float32Losses(constants);
    return new ScheduleReport(
        constants,
        data,
        firstPureNoise,
        clipping,
        losses,
        advice(constants, data, firstPureNoise, clipping, losses));
  }

  private static OptionalInt firstPureNoise(NoiseSchedule schedule) {
    for (int t = 0; t < schedule.timesteps(); t++) {
      if (schedule.alphasCumprod(t) < PURE_NOISE) {
        return OptionalInt.of(t);
      }
    }
    return OptionalInt.empty();
  }

  private static List<Float32Loss> float32Losses(NoiseSchedule schedule) {
    List<Float32Loss> losses = new ArrayList<>();
    for (ScheduleConstant constant : ScheduleConstant.values()) {
      addLosses(losses, constant.fieldName(), schedule.values(constant));
    }
    double[] reciprocals = schedule.values(ScheduleConstant.ALPHAS_CUMPROD);
    for (int t = 0; t < reciprocals.length; t++) {
      reciprocals[t] = 1 / reciprocals[t];
    }
    addLosses(losses, "1/alphas_cumprod", reciprocals);
    return List.copyOf(losses);
  }

  private static void addLosses(List<Float32Loss> losses, String quantity, double[] values) {
    for (Range range : Range.values()) {
      int first = -1;
      int count = 0;
      for (int t = 0; t < values.length; t++) {
        if (range.contains(values[t])) {
          first = first < 0 ? t : first;
          count++;
        }
      }
      if (count > 0) {
        losses.add(new Float32Loss(quantity, range, first, count));
      }
    }
  }

  private static List<Advice> advice(
      NoiseSchedule schedule,
      DataRange data,
      OptionalInt firstPureNoise,
      Clipping clipping,
      List<Float32Loss> losses) {
    List<Advice> advice = new ArrayList<>();
    adviseOnClipping(advice, schedule, clipping);
    adviseOnSignal(advice, schedule, data, clipping);
    adviseOnPureNoise(advice, schedule, firstPureNoise);
    adviseOnFirstTimestep(advice, schedule, data);
    adviseOnFloat32(advice, losses);
    if (schedule.hasZeroTerminalSnr()) {
      advice.add(
          new Advice(
              Finding.ZERO_TERMINAL_SNR,
              Severity.NOTE,
              "x_T is noise exactly, as where sampling begins; a network that predicts eps learns"
                  + " nothing there, so predict v or x0."));
    }
    advice.sort(Comparator.comparing(Advice::severity).reversed());
    return List.copyOf(advice);
  }

  private static void adviseOnClipping(
      List<Advice> advice, NoiseSchedule schedule, Clipping clipping) {
    if (clipping.lowered() > HARMLESS_LOWERED) {
      add(
          advice,
          Finding.CLIPPED,
          Severity.WARNING,
          "The ceiling lowers %d of %d betas, which makes another schedule of the formula; raise it"
              + " to 0.999, so that it only touches the last.",
          clipping.lowered(),
          schedule.timesteps());
    }
  }

  private static void adviseOnSignal(
      List<Advice> advice, NoiseSchedule schedule, DataRange data, Clipping clipping) {
    double signal = ScheduleReport.signalLeft(schedule, data);
    if (signal < SIGNAL_WARNING) {
      return;
    }
    String remedy =
        clipping.lowered() > HARMLESS_LOWERED
            ? "raise the ceiling"
            : scaling(schedule)
                + ", take a cosine schedule, or rescale to zero terminal SNR and predict v or x0";
    add(
        advice,
        Finding.SIGNAL_LEFT,
        signal < SIGNAL_PROBLEM ? Severity.WARNING : Severity.PROBLEM,
        "x_T still shows %.3g of the data beside noise of 1, but sampling begins with noise alone,"
            + " which the network never saw; %s.",
        signal,
        remedy);
  }

  private static void adviseOnPureNoise(
      List<Advice> advice, NoiseSchedule schedule, OptionalInt firstPureNoise) {
    double share = ScheduleReport.pureNoiseShare(schedule, firstPureNoise);
    if (share < SHARE_WARNING) {
      return;
    }
    add(
        advice,
        Finding.PURE_NOISE,
        share < SHARE_PROBLEM ? Severity.WARNING : Severity.PROBLEM,
        "%.0f %% of the timesteps, from t = %d on, hold next to no signal, so that this share of"
            + " training and sampling is wasted; %s.",
        100 * share,
        firstPureNoise.orElseThrow(),
        scaling(schedule));
  }

  /** log ᾱ_T is nearly minus the sum of the betas. */
  private static String scaling(NoiseSchedule schedule) {
    int last = schedule.timesteps() - 1;
    double factor = TARGET_LOG_ALPHA_CUMPROD / Math.log(schedule.alphasCumprod(last));
    if (factor > 0 && factor * schedule.betas(last) < 1) {
      return String.format(
          Locale.ROOT,
          "multiply the betas by about %.2g, or take about %.0f timesteps",
          factor,
          factor * schedule.timesteps());
    }
    return String.format(
        Locale.ROOT,
        "take another number of timesteps than %d, or other betas",
        schedule.timesteps());
  }

  private static void adviseOnFirstTimestep(
      List<Advice> advice, NoiseSchedule schedule, DataRange data) {
    double noise = 1 / Math.sqrt(schedule.snr(0) * data.meanSquare());
    if (noise >= FIRST_NOISE_WARNING) {
      add(
          advice,
          Finding.NOISY_START,
          Severity.WARNING,
          "Already the first timestep adds noise of %.2g of the data's root mean square; finer"
              + " details than that are never denoised, so begin with a smaller beta.",
          noise);
    }
  }

  private static void adviseOnFloat32(List<Advice> advice, List<Float32Loss> losses) {
    if (losses.isEmpty()) {
      return;
    }
    Float32Loss worst = losses.get(0);
    for (Float32Loss loss : losses) {
      worst = loss.range().compareTo(worst.range()) < 0 ? loss : worst;
    }
    add(
        advice,
        Finding.FLOAT32,
        worst.range() == Range.OVERFLOW ? Severity.WARNING : Severity.NOTE,
        "In float32, %s %s from t = %d on; compute constants in double precision, as ddpm4j does,"
            + " and cast only what a network takes.",
        worst.quantity(),
        worst.range().verb(),
        worst.firstTimestep());
  }

  private static void add(
      List<Advice> advice, Finding finding, Severity severity, String format, Object... values) {
    advice.add(new Advice(finding, severity, String.format(Locale.ROOT, format, values)));
  }
}
