package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;

/** The noise schedules by name, as curves, with what their doctor says. */
final class Schedules {

  static final int MOST_TIMESTEPS = 10_000;

  private static final int DEFAULT_TIMESTEPS = 1000;
  private static final double LEAST_BETA = 1e-9;
  private static final int POINTS = 101;

  private Schedules() {}

  /**
   * What is asked for all schedules.
   *
   * @param timesteps T
   * @param betaStart β to begin with, where a schedule takes one
   * @param betaEnd β to end with, where a schedule takes one
   * @param zeroTerminalSnr whether they are rescaled to end at ᾱ = 0
   */
  private record Asked(
      int timesteps,
      Optional<Double> betaStart,
      Optional<Double> betaEnd,
      boolean zeroTerminalSnr) {

    static Asked of(QueryFields fields) {
      fields.requireKnown(Set.of("timesteps", "beta_start", "beta_end", "zero_terminal_snr"));
      return new Asked(
          fields.wholeNumber("timesteps", DEFAULT_TIMESTEPS, 2, MOST_TIMESTEPS),
          fields.number("beta_start", LEAST_BETA, 1),
          fields.number("beta_end", LEAST_BETA, 1),
          fields.flag("zero_terminal_snr"));
    }

    ScheduleConfig config(ScheduleType type) {
      return new ScheduleConfig(
          type,
          timesteps,
          takesStart(type) ? betaStart.orElse(null) : null,
          takesEnd(type) ? betaEnd.orElse(null) : null,
          zeroTerminalSnr);
    }
  }

  private static boolean takesStart(ScheduleType type) {
    return switch (type) {
      case LINEAR, LINEAR_SCALED, SCALED_LINEAR, QUADRATIC, SIGMOID -> true;
      default -> false;
    };
  }

  private static boolean takesEnd(ScheduleType type) {
    return takesStart(type) || type == ScheduleType.CONSTANT;
  }

  static ObjectNode toJson(QueryFields fields) {
    Asked asked = Asked.of(fields);
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("timesteps", asked.timesteps());
    ArrayNode t = json.putArray("t");
    for (int i = 0; i < POINTS; i++) {
      t.add(timestep(i, asked.timesteps()));
    }
    ArrayNode all = json.putArray("schedules");
    for (ScheduleType type : ScheduleType.values()) {
      all.add(toJson(type, asked));
    }
    return json;
  }

  private static int timestep(int point, int timesteps) {
    return (int) ((long) point * (timesteps - 1) / (POINTS - 1));
  }

  private static ObjectNode toJson(ScheduleType type, Asked asked) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", OpenApi.spelling(type));
    json.put("takes_betas", takesEnd(type));
    try {
      ScheduleConfig config = asked.config(type);
      ScheduleReport report =
          ScheduleDoctor.examine(config.betas(), asked.timesteps(), DataRange.pixels());
      addCurves(json, report.schedule());
      addFindings(json, report);
    } catch (IllegalArgumentException e) {
      json.put("obstacle", e.getMessage());
    }
    return json;
  }

  private static void addCurves(ObjectNode json, NoiseSchedule schedule) {
    ArrayNode alphasCumprod = json.putArray("alphas_cumprod");
    ArrayNode logSnr = json.putArray("log_snr");
    ArrayNode betas = json.putArray("betas");
    for (int i = 0; i < POINTS; i++) {
      int at = timestep(i, schedule.timesteps());
      alphasCumprod.add(schedule.alphasCumprod(at));
      betas.add(schedule.betas(at));
      double value = schedule.logSnr(at);
      if (Double.isInfinite(value)) {
        logSnr.addNull();
      } else {
        logSnr.add(value);
      }
    }
  }

  private static void addFindings(ObjectNode json, ScheduleReport report) {
    json.put("signal_left", report.signalLeft());
    json.put("kl_bits_per_dim", report.klBitsPerDim());
    json.put("pure_noise_share", report.pureNoiseShare());
    report.firstPureNoise().ifPresent(first -> json.put("first_pure_noise", first));
    ArrayNode advice = json.putArray("advice");
    for (ScheduleReport.Advice each : report.advice()) {
      advice
          .addObject()
          .put("severity", OpenApi.spelling(each.severity()))
          .put("text", each.text());
    }
  }
}
