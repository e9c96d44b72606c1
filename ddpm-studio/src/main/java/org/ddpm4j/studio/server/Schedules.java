package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;

/** The noise schedules by name, as curves, with what their doctor says. */
final class Schedules {

  static final int MOST_TIMESTEPS = 10_000;

  private static final int POINTS = 101;

  private Schedules() {}

  static ObjectNode toJson(int timesteps) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("timesteps", timesteps);
    ArrayNode t = json.putArray("t");
    for (int i = 0; i < POINTS; i++) {
      t.add(timestep(i, timesteps));
    }
    ArrayNode all = json.putArray("schedules");
    for (ScheduleType type : ScheduleType.values()) {
      all.add(toJson(type, timesteps));
    }
    return json;
  }

  private static int timestep(int point, int timesteps) {
    return (int) ((long) point * (timesteps - 1) / (POINTS - 1));
  }

  private static ObjectNode toJson(ScheduleType type, int timesteps) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", OpenApi.spelling(type));
    try {
      ScheduleConfig config = new ScheduleConfig(type, timesteps, null, null);
      NoiseSchedule schedule = config.create();
      ArrayNode alphasCumprod = json.putArray("alphas_cumprod");
      ArrayNode logSnr = json.putArray("log_snr");
      for (int i = 0; i < POINTS; i++) {
        int at = timestep(i, timesteps);
        alphasCumprod.add(schedule.alphasCumprod(at));
        double value = schedule.logSnr(at);
        if (Double.isInfinite(value)) {
          logSnr.addNull();
        } else {
          logSnr.add(value);
        }
      }
      ArrayNode advice = json.putArray("advice");
      ScheduleReport report = ScheduleDoctor.examine(config.betas(), timesteps, DataRange.pixels());
      for (ScheduleReport.Advice each : report.advice()) {
        advice
            .addObject()
            .put("severity", each.severity().name().toLowerCase(Locale.ROOT))
            .put("text", each.text());
      }
    } catch (IllegalArgumentException e) {
      json.put("obstacle", e.getMessage());
    }
    return json;
  }
}
