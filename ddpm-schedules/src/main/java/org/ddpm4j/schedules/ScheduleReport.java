package org.ddpm4j.schedules;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * What {@link ScheduleDoctor} found out about a schedule.
 *
 * @param schedule the constants
 * @param data how large the values of the data are
 * @param firstPureNoise the first timestep whose ᾱ is below {@link ScheduleDoctor#PURE_NOISE},
 *     empty if there is none
 * @param clipping how many betas a floor or a ceiling has changed
 * @param float32Losses what float32 cannot hold, empty if it holds everything
 * @param advice what to change, the gravest first; empty if nothing
 */
public record ScheduleReport(
    NoiseSchedule schedule,
    DataRange data,
    OptionalInt firstPureNoise,
    Clipping clipping,
    List<Float32Loss> float32Losses,
    List<Advice> advice) {

  /** How grave a finding is. */
  public enum Severity {
    /** To be known. */
    NOTE,
    /** Samples or speed suffer. */
    WARNING,
    /** The schedule does not do what it is for. */
    PROBLEM
  }

  /** What may be wrong with a schedule. */
  public enum Finding {
    /** A ceiling has changed more than the last β. */
    CLIPPED,
    /** x_T shows the data. */
    SIGNAL_LEFT,
    /** A large part of the chain shows nothing of the data. */
    PURE_NOISE,
    /** The first timestep drowns details. */
    NOISY_START,
    /** Constants are out of float32's range. */
    FLOAT32,
    /** ᾱ_T is 0. */
    ZERO_TERMINAL_SNR
  }

  /** How a finite value other than 0 misses the range of float32. */
  public enum Range {
    /** It becomes infinite. */
    OVERFLOW {
      @Override
      boolean contains(double value) {
        return Double.isFinite(value) && Float.isInfinite((float) value);
      }

      @Override
      String verb() {
        return "overflows";
      }
    },
    /** It becomes 0. */
    UNDERFLOW {
      @Override
      boolean contains(double value) {
        return value != 0 && (float) value == 0;
      }

      @Override
      String verb() {
        return "becomes 0";
      }
    },
    /** It becomes a subnormal number, which has fewer digits and is slow. */
    SUBNORMAL {
      @Override
      boolean contains(double value) {
        float rounded = Math.abs((float) value);
        return rounded > 0 && rounded < Float.MIN_NORMAL;
      }

      @Override
      String verb() {
        return "is subnormal";
      }
    };

    abstract boolean contains(double value);

    abstract String verb();
  }

  /**
   * A quantity that float32 cannot hold.
   *
   * @param quantity {@link ScheduleConstant#fieldName()} of a constant, or {@code
   *     1/alphas_cumprod}, through which {@code sqrt_recip_alphas_cumprod} is computed
   * @param range how it misses
   * @param firstTimestep the first timestep at which it does
   * @param count at how many timesteps it does
   */
  public record Float32Loss(String quantity, Range range, int firstTimestep, int count) {}

  /**
   * A finding with what to do about it.
   *
   * @param finding what was found
   * @param severity how grave it is
   * @param text a sentence with its numbers
   */
  public record Advice(Finding finding, Severity severity, String text) {}

  /** Copies the lists. */
  public ScheduleReport {
    Objects.requireNonNull(float32Losses, "float32Losses");
    Objects.requireNonNull(advice, "advice");
    float32Losses = List.copyOf(float32Losses);
    advice = List.copyOf(advice);
  }

  /**
   * ᾱ_T: what is left of the signal's variance at the end.
   *
   * @return ᾱ of timestep T-1, in [0, 1)
   */
  public double terminalAlphaCumprod() {
    return schedule.alphasCumprod(schedule.timesteps() - 1);
  }

  /**
   * √ᾱ_T: what is left of the signal's amplitude at the end.
   *
   * @return the root of {@link #terminalAlphaCumprod()}
   */
  public double terminalSqrtAlphaCumprod() {
    return schedule.sqrtAlphasCumprod(schedule.timesteps() - 1);
  }

  /**
   * The largest value of the data that is left in x_T, whose noise has standard deviation 1.
   *
   * @return √ᾱ_T · max |x|
   */
  public double signalLeft() {
    return signalLeft(schedule, data);
  }

  /**
   * The Kullback-Leibler divergence of q(x_T | x_0) from N(0, I), averaged over the data: L_T of Ho
   * et al. 2020, eq. 5.
   *
   * @return (ᾱ_T · mean x² - ᾱ_T - log(1 - ᾱ_T)) / (2 log 2), which is in bits/dim
   */
  public double klBitsPerDim() {
    double alphaCumprod = terminalAlphaCumprod();
    double nats = (alphaCumprod * data.meanSquare() - alphaCumprod - Math.log1p(-alphaCumprod)) / 2;
    return nats / Math.log(2);
  }

  /**
   * The share of the chain that is pure noise.
   *
   * @return timesteps from {@link #firstPureNoise} on, divided by T
   */
  public double pureNoiseShare() {
    return pureNoiseShare(schedule, firstPureNoise);
  }

  /**
   * The report as lines of text, the advice last.
   *
   * @return lines without their ends
   */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        line(
            "end",
            "alphas_cumprod %s, its root %s",
            digits(terminalAlphaCumprod()),
            digits(terminalSqrtAlphaCumprod())));
    lines.add(
        line(
            "signal left",
            "%s beside noise of 1 (largest value %s, root mean square %s)",
            digits(signalLeft()),
            digits(data.largest()),
            digits(Math.sqrt(data.meanSquare()))));
    lines.add(line("KL from noise", "%s bits/dim", digits(klBitsPerDim())));
    lines.add(
        firstPureNoise.isEmpty()
            ? line(
                "pure noise",
                "none, alphas_cumprod stays above %s",
                scientific("%.0e", ScheduleDoctor.PURE_NOISE))
            : line(
                "pure noise",
                "alphas_cumprod below %s from t = %d on, %.1f %% of the chain",
                scientific("%.0e", ScheduleDoctor.PURE_NOISE),
                firstPureNoise.getAsInt(),
                100 * pureNoiseShare()));
    lines.add(
        line(
            "clipped",
            "%d betas lowered to the ceiling, %d raised to the floor",
            clipping.lowered(),
            clipping.raised()));
    if (float32Losses.isEmpty()) {
      lines.add(line("float32", "holds every constant"));
    }
    for (Float32Loss loss : float32Losses) {
      lines.add(
          line(
              "float32",
              "%s %s at %d timesteps, first at t = %d",
              loss.quantity(),
              loss.range().verb(),
              loss.count(),
              loss.firstTimestep()));
    }
    if (advice.isEmpty()) {
      lines.add(line("advice", "none, this schedule is sound"));
    }
    for (Advice one : advice) {
      lines.add(line(one.severity().name().toLowerCase(Locale.ROOT), "%s", one.text()));
    }
    return lines;
  }

  static double signalLeft(NoiseSchedule schedule, DataRange data) {
    return schedule.sqrtAlphasCumprod(schedule.timesteps() - 1) * data.largest();
  }

  static double pureNoiseShare(NoiseSchedule schedule, OptionalInt firstPureNoise) {
    return firstPureNoise.isEmpty()
        ? 0
        : (double) (schedule.timesteps() - firstPureNoise.getAsInt()) / schedule.timesteps();
  }

  private static String line(String key, String format, Object... values) {
    return String.format(Locale.ROOT, "%-14s", key) + String.format(Locale.ROOT, format, values);
  }

  /** Three digits, as 0.0481 or 1.15e-44. */
  private static String digits(double value) {
    if (value == 0) {
      return "0";
    }
    return value >= 0.001 ? String.format(Locale.ROOT, "%.3g", value) : scientific("%.2e", value);
  }

  /** Without the zero that Java puts before an exponent of one digit. */
  private static String scientific(String format, double value) {
    return String.format(Locale.ROOT, format, value).replace("e-0", "e-");
  }
}
