package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.DataRange;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.ScheduleDoctor;
import org.ddpm4j.schedules.ScheduleReport;
import org.ddpm4j.schedules.SigmoidSchedule;
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
