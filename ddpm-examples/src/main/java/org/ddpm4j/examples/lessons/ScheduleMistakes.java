package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.ScheduleCharts;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;

/** Schedules of tutorials that are not the ones of the papers, and what the doctor says of them. */
final class ScheduleMistakes {

  /** The offset s of the cosine. */
  private static final double S = 0.008;

  private ScheduleMistakes() {}

  static void draw(int timesteps, LessonRun run) throws IOException {
    Map<String, BetaSchedule> linear = new LinkedHashMap<>();
    linear.put("scaled by 1000/T", LinearSchedule.paper().scaledTo(timesteps));
    linear.put("not scaled", LinearSchedule.paper());
    Map<String, BetaSchedule> cosine = new LinkedHashMap<>();
    cosine.put("the paper's, at most 0.999", CosineSchedule.paper());
    cosine.put("clipped to [1e-4, 0.02]", new CosineSchedule(S, 1e-4, 0.02));
    cosine.put("without the square", ScheduleMistakes::cosineWithoutSquare);

    run.picture(
        "schedule-mistakes.png",
        Panels.grid(
            List.of(
                chart("linear, T = " + timesteps, timesteps, linear),
                chart("cosine, T = " + timesteps, timesteps, cosine)),
            2),
        "what is left of the image, as it should be and with three common mistakes");
    linear.forEach((name, formula) -> examine("linear, " + name, formula, timesteps, run));
    cosine.forEach((name, formula) -> examine("cosine, " + name, formula, timesteps, run));
  }

  private static BufferedImage chart(
      String title, int timesteps, Map<String, BetaSchedule> formulas) {
    Map<String, NoiseSchedule> schedules = new LinkedHashMap<>();
    formulas.forEach((name, formula) -> schedules.put(name, NoiseSchedule.of(formula, timesteps)));
    LineChart chart = ScheduleCharts.alphasCumprod(schedules);
    return LineChart.of(title, chart.series())
        .withAxes(chart.x(), Axis.logarithmic(chart.y().title()).withRange(1e-6, 1))
        .draw();
  }

  static void examine(String name, BetaSchedule formula, int timesteps, LessonRun run) {
    ScheduleReport report = ScheduleDoctor.examine(formula, timesteps, DataRange.pixels());
    run.say("%s: of the image, %.2g of the amplitude is left at T", name, report.signalLeft());
    report.advice().forEach(advice -> run.say("  the doctor: %s", advice.text()));
  }

  /** f(u) = cos(…) where Nichol and Dhariwal 2021, eq. 17 has its square. */
  static double[] cosineWithoutSquare(int timesteps) {
    double[] betas = new double[timesteps];
    for (int t = 0; t < timesteps; t++) {
      double ratio = cosine((t + 1.0) / timesteps) / cosine((double) t / timesteps);
      betas[t] = Math.min(1 - ratio, CosineSchedule.paper().maxBeta());
    }
    return betas;
  }

  private static double cosine(double u) {
    return Math.cos((u + S) / (1 + S) * Math.PI / 2);
  }
}
