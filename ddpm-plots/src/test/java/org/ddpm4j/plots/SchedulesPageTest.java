package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.ExponentialSchedule;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LaplaceSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.SigmoidSignalSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What docs/schedules.md shows is what the code says. Its pictures are drawn anew by {@code mvn -pl
 * ddpm-plots test -Dtest=SchedulesPageTest -Dddpm.pictures=$PWD/docs/images}.
 */
class SchedulesPageTest {

  private static final Path PAGE = Path.of("..", "docs", "schedules.md");

  private static ScheduleReport examine(BetaSchedule schedule, int timesteps) {
    return ScheduleDoctor.examine(schedule, timesteps, DataRange.pixels());
  }

  /** By the title that the page gives each. */
  private static Map<String, ScheduleReport> reports() {
    Map<String, ScheduleReport> reports = new LinkedHashMap<>();
    reports.put("linear, T = 600", examine(LinearSchedule.paper(), 600));
    reports.put(
        "cosine in [1e-4, 0.02], T = 600", examine(new CosineSchedule(0.008, 1e-4, 0.02), 600));
    reports.put("linear, T = 10000", examine(LinearSchedule.paper(), 10_000));
    return reports;
  }

  @Test
  void thePageShowsTheReports() throws IOException {
    String page = Files.readString(PAGE);

    reports()
        .forEach(
            (title, report) ->
                assertThat(page)
                    .contains("schedule      " + title + "\n" + String.join("\n", report.lines())));
  }

  private static double left(BetaSchedule schedule, double share) {
    int t = (int) Math.round(1000 * share) - 1;
    return NoiseSchedule.of(schedule, 1000).alphasCumprod(t);
  }

  private static String percent(double share, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f %%", 100 * share);
  }

  /** What it says of schedules at T = 1000 in words. */
  @Test
  void thePagesNumbersAreTheSchedules() throws IOException {
    BetaSchedule sigmoid = SigmoidSchedule.paperEnds();
    BetaSchedule jabri = SigmoidSignalSchedule.paper();
    BetaSchedule cosine = CosineSchedule.paper();
    BetaSchedule exponential = ExponentialSchedule.diffusers();
    String quadratic = percent(Math.sqrt(left(QuadraticSchedule.paperEnds(), 1)), 1);
    String latent = percent(Math.sqrt(left(QuadraticSchedule.scaledLinear(), 1)), 1);
    ScheduleReport constant = examine(ConstantSchedule.paperEnd(), 1000);
    assertThat(Files.readString(PAGE))
        .contains(quadratic + " and " + latent + " of the amplitude are still in x_T")
        .contains(percent(left(sigmoid, 1.0 / 3), 0) + " of the signal's variance are left")
        .contains(percent(left(sigmoid, 2.0 / 3), 1) + " after two")
        .contains(
            String.format(
                Locale.ROOT,
                "(ᾱ is %.3f after a tenth of the chain, %.3f there)",
                left(jabri, 0.1),
                left(cosine, 0.1)))
        .contains(
            String.format(
                Locale.ROOT,
                "(%.3f after nine tenths, %.3f there)",
                left(jabri, 0.9),
                left(cosine, 0.9)))
        .contains(percent(Math.sqrt(left(exponential, 0.5)), 0) + " of the amplitude are left")
        .contains("after three quarters " + percent(Math.sqrt(left(exponential, 0.75)), 0))
        .contains(
            "adds " + percent(constant.schedule().sqrtOneMinusAlphasCumprod(0), 0) + " noise, and")
        .contains(percent(constant.pureNoiseShare(), 0) + " of a chain of 1000 is pure noise")
        .contains(
            percent(Math.sqrt(left(LaplaceSchedule.diffusers(), 1)), 0)
                + " of the amplitude is left at the end");
  }

  @Test
  void thePagesPicturesAreDrawn(@TempDir Path temporary) throws IOException {
    Path folder = Path.of(System.getProperty("ddpm.pictures", temporary.toString()));
    Map<String, BufferedImage> pictures = new LinkedHashMap<>();
    pictures.put("schedules.png", comparison());
    pictures.put(
        "schedule-constants.png",
        ScheduleCharts.constants(NoiseSchedule.of(LinearSchedule.paper(), 1000)));
    pictures.put(
        "schedule-doctor.png",
        Panels.grid(
            reports().entrySet().stream()
                .map(entry -> ScheduleCharts.report(entry.getValue(), entry.getKey()))
                .toList(),
            1));
    String page = Files.readString(PAGE);

    for (Map.Entry<String, BufferedImage> picture : pictures.entrySet()) {
      assertThat(page).contains("(images/" + picture.getKey() + ")");
      Path file = folder.resolve(picture.getKey());
      assertThat(ImageIO.write(picture.getValue(), "png", file.toFile())).isTrue();
      assertThat(PAGE.resolveSibling("images").resolve(picture.getKey())).exists();
    }
  }

  private static BufferedImage comparison() {
    Map<String, NoiseSchedule> schedules = new LinkedHashMap<>();
    schedules.put("linear", NoiseSchedule.of(LinearSchedule.paper(), 1000));
    schedules.put("quadratic", NoiseSchedule.of(QuadraticSchedule.paperEnds(), 1000));
    schedules.put("scaled-linear", NoiseSchedule.of(QuadraticSchedule.scaledLinear(), 1000));
    schedules.put("sigmoid", NoiseSchedule.of(SigmoidSchedule.paperEnds(), 1000));
    schedules.put("cosine", NoiseSchedule.of(CosineSchedule.paper(), 1000));
    schedules.put("constant", NoiseSchedule.of(ConstantSchedule.paperEnd(), 1000));
    schedules.put("jsd", NoiseSchedule.of(new JsdSchedule(), 1000));
    schedules.put(
        "scaled-linear, zero SNR",
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(QuadraticSchedule.scaledLinear()), 1000));
    LineChart betas = ScheduleCharts.betas(schedules);
    return Panels.grid(
        List.of(
            betas.withAxes(betas.x(), betas.y().withRange(0, 0.03)).draw(),
            ScheduleCharts.alphasCumprod(schedules).draw()),
        2);
  }
}
