package org.ddpm4j.plots;

import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;

/** Charts of noise schedules. */
public final class ScheduleCharts {

  private static final int PANEL_WIDTH = 440;
  private static final int PANEL_HEIGHT = 300;
  private static final int LEGEND_WIDTH = 150;
  private static final int SMALL_WIDTH = 300;
  private static final int SMALL_HEIGHT = 250;
  private static final int SMALL_COLUMNS = 4;

  /** Constants that go through more than this ratio are drawn logarithmically. */
  private static final double LOGARITHMIC_FROM = 1e4;

  private ScheduleCharts() {}

  /**
   * β of several schedules.
   *
   * @param schedules by the names of the legend, in their order
   * @return the chart
   * @throws IllegalArgumentException if there are none
   */
  public static LineChart betas(Map<String, NoiseSchedule> schedules) {
    return compare(ScheduleConstant.BETAS, schedules);
  }

  /**
   * ᾱ of several schedules.
   *
   * @param schedules by the names of the legend, in their order
   * @return the chart
   * @throws IllegalArgumentException if there are none
   */
  public static LineChart alphasCumprod(Map<String, NoiseSchedule> schedules) {
    return compare(ScheduleConstant.ALPHAS_CUMPROD, schedules);
  }

  /**
   * A constant of several schedules over t, or over t/T where they differ in length. The axis is
   * linear; {@link LineChart#withAxes} makes it another.
   *
   * @param constant which
   * @param schedules by the names of the legend, in their order
   * @return the chart
   * @throws IllegalArgumentException if there are none
   */
  public static LineChart compare(ScheduleConstant constant, Map<String, NoiseSchedule> schedules) {
    boolean isOneLength =
        schedules.values().stream().map(NoiseSchedule::timesteps).distinct().count() <= 1;
    List<Series> series = new ArrayList<>();
    schedules.forEach(
        (name, schedule) -> {
          double unit = isOneLength ? 1 : schedule.timesteps();
          series.add(Series.of(name, positions(schedule, unit), schedule.values(constant)));
        });
    return LineChart.of("", series)
        .withAxes(Axis.linear(isOneLength ? "timestep t" : "t / T"), Axis.linear(label(constant)));
  }

  /**
   * Betas, ᾱ and SNR of a schedule, side by side.
   *
   * @param schedule what to draw
   * @param title what stands above
   * @return the picture
   */
  public static BufferedImage overview(NoiseSchedule schedule, String title) {
    return Panels.titled(
        title,
        Panels.grid(
            List.of(
                panel(schedule, ScheduleConstant.BETAS, Scale.LINEAR),
                panel(schedule, ScheduleConstant.ALPHAS_CUMPROD, Scale.LINEAR),
                panel(schedule, ScheduleConstant.SNR, Scale.LOGARITHMIC)),
            3));
  }

  /**
   * Every constant of a schedule, each in a small chart of its own.
   *
   * @param schedule what to draw
   * @return the picture
   */
  public static BufferedImage constants(NoiseSchedule schedule) {
    return Panels.grid(
        Arrays.stream(ScheduleConstant.values())
            .map(
                constant ->
                    LineChart.of(constant.fieldName(), List.of(series(schedule, constant)))
                        .withAxes(Axis.linear(""), axis("", scale(schedule.values(constant))))
                        .withSize(SMALL_WIDTH, SMALL_HEIGHT)
                        .draw())
            .toList(),
        SMALL_COLUMNS);
  }

  /**
   * What a report is about: ᾱ on a logarithmic axis beside the one of Ho et al. 2020, stretched to
   * the same length, and where pure noise begins; and the betas.
   *
   * @param report of the schedule
   * @param title what stands above
   * @return the picture
   */
  public static BufferedImage report(ScheduleReport report, String title) {
    NoiseSchedule schedule = report.schedule();
    int last = schedule.timesteps() - 1;
    NoiseSchedule paper = NoiseSchedule.of(LinearSchedule.paper(), LinearSchedule.PAPER_TIMESTEPS);
    double stretch = (double) schedule.timesteps() / paper.timesteps();
    Series noise =
        new Series(
            "below: pure noise",
            new double[] {0, Math.max(1, last)},
            new double[] {ScheduleDoctor.PURE_NOISE, ScheduleDoctor.PURE_NOISE},
            LineStyle.DOTTED);
    LineChart signal =
        LineChart.of(
                "",
                List.of(
                    series(schedule, ScheduleConstant.ALPHAS_CUMPROD, "this schedule"),
                    Series.of(
                            "Ho et al. 2020",
                            positions(paper, 1 / stretch),
                            paper.values(ScheduleConstant.ALPHAS_CUMPROD))
                        .drawn(LineStyle.REFERENCE),
                    noise))
            .withAxes(
                Axis.linear("timestep t"),
                axis(label(ScheduleConstant.ALPHAS_CUMPROD), Scale.LOGARITHMIC));
    return Panels.titled(
        title,
        Panels.grid(
            List.of(
                signal.withSize(PANEL_WIDTH + LEGEND_WIDTH, PANEL_HEIGHT).draw(),
                panel(schedule, ScheduleConstant.BETAS, Scale.LINEAR)),
            2));
  }

  private static BufferedImage panel(
      NoiseSchedule schedule, ScheduleConstant constant, Scale scale) {
    return LineChart.of("", List.of(series(schedule, constant)))
        .withAxes(Axis.linear("timestep t"), axis(label(constant), scale))
        .withSize(PANEL_WIDTH, PANEL_HEIGHT)
        .draw();
  }

  private static Axis axis(String title, Scale scale) {
    return scale == Scale.LINEAR ? Axis.linear(title) : Axis.logarithmic(title);
  }

  private static Series series(NoiseSchedule schedule, ScheduleConstant constant) {
    return series(schedule, constant, constant.fieldName());
  }

  private static Series series(NoiseSchedule schedule, ScheduleConstant constant, String name) {
    return Series.of(name, positions(schedule, 1), schedule.values(constant));
  }

  private static double[] positions(NoiseSchedule schedule, double unit) {
    double[] positions = new double[schedule.timesteps()];
    Arrays.setAll(positions, t -> t / unit);
    return positions;
  }

  private static Scale scale(double[] values) {
    double[] drawable = DoubleStream.of(values).filter(Double::isFinite).sorted().toArray();
    return drawable.length > 0
            && drawable[0] > 0
            && drawable[drawable.length - 1] > LOGARITHMIC_FROM * drawable[0]
        ? Scale.LOGARITHMIC
        : Scale.LINEAR;
  }

  private static String label(ScheduleConstant constant) {
    return switch (constant) {
      case BETAS -> "β (betas)";
      case ALPHAS_CUMPROD -> "ᾱ (alphas_cumprod)";
      case SNR -> "SNR";
      default -> constant.fieldName();
    };
  }
}
