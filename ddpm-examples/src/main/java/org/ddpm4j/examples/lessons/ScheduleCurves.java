package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.ScheduleCharts;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;

/** How much noise each timestep adds, and everything that follows from it. */
final class ScheduleCurves {

  private ScheduleCurves() {}

  /** A chain of T timesteps with each formula. */
  static void draw(int timesteps, LessonRun run) throws IOException {
    Map<String, NoiseSchedule> schedules = new LinkedHashMap<>();
    schedules.put("linear", chain(LinearSchedule.paper().scaledTo(timesteps), timesteps));
    schedules.put("quadratic", chain(QuadraticSchedule.paperEnds(), timesteps));
    schedules.put("sigmoid", chain(SigmoidSchedule.paperEnds(), timesteps));
    schedules.put("cosine", chain(CosineSchedule.paper(), timesteps));
    // Cosine ends at 0.999, which would press all other curves to the ground.
    var betas = ScheduleCharts.betas(schedules);
    run.picture(
        "schedules.png",
        Panels.grid(
            List.of(
                betas.withAxes(betas.x(), betas.y().withRange(0, 0.05)).draw(),
                ScheduleCharts.alphasCumprod(schedules).draw()),
            2),
        "the betas of four schedules, and how much of the image they leave");

    schedules.keySet().retainAll(List.of("linear", "cosine"));
    run.picture(
        "linear-and-cosine.png",
        ScheduleCharts.alphasCumprod(schedules).draw(),
        "how much of the image is left, with the linear schedule and with the cosine one");

    run.picture(
        "constants.png",
        ScheduleCharts.constants(schedules.get("linear")),
        "every constant of the linear schedule");
  }

  private static NoiseSchedule chain(BetaSchedule formula, int timesteps) {
    return NoiseSchedule.of(formula, timesteps);
  }
}
