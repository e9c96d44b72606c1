package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchedulesCommandTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void jsonHasEveryConstantInFullPrecision() throws Exception {
    JsonNode json =
        JSON.readTree(Cli.run("schedules", "--type", "cosine", "--timesteps", 600).isOk().out());
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 600);
    assertThat(json).hasSize(ScheduleConstant.values().length);
    for (ScheduleConstant constant : ScheduleConstant.values()) {
      double[] values = JSON.convertValue(json.get(constant.fieldName()), double[].class);
      assertThat(values).containsExactly(schedule.values(constant));
    }
  }

  /** β of 0.1, 0.2, 0.3, hence ᾱ of 0.9, 0.9·0.8, 0.9·0.8·0.7. */
  @Test
  void csvHasOneLineForEachTimestep() {
    List<String> lines =
        Cli.run(
                "schedules",
                "--timesteps",
                3,
                "--beta-start",
                0.1,
                "--beta-end",
                0.3,
                "--format",
                "csv")
            .isOk()
            .out()
            .lines()
            .toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0)).startsWith("t,betas,alphas,alphas_cumprod,").endsWith(",snr");
    assertThat(lines.get(3)).startsWith("2,0.3,0.7,");
    assertThat(Double.parseDouble(lines.get(3).split(",")[3])).isCloseTo(0.504, within(1e-15));
    assertThat(lines.get(3).split(",")).hasSize(ScheduleConstant.values().length + 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5000})
  void pngIsAPicture(int timesteps, @TempDir Path folder) throws Exception {
    Path file = folder.resolve("s.png");
    Cli.Result result =
        Cli.run(
            "schedules",
            "--type",
            "cosine-annotated",
            "--timesteps",
            timesteps,
            "--format",
            "png",
            "--output",
            file);
    assertThat(result.isOk().out()).isEqualTo(file + "\n");
    BufferedImage picture = ImageIO.read(file.toFile());
    assertThat(picture.getWidth()).isGreaterThan(picture.getHeight());
  }

  @Test
  void outputReplacesAFile(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("s.json"), "before");
    Cli.run("schedules", "--timesteps", 2, "--output", file).isOk();
    assertThat(JSON.readTree(file.toFile()).get("betas")).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "--timesteps, 0, timesteps is 0",
    "--timesteps, -3, timesteps is -3",
    "--timesteps, 1000001, 1000000",
    "--timesteps, 99999999999, --timesteps",
    "--timesteps, ten, --timesteps",
    "--beta-start, 0, betaStart is 0",
    "--beta-start, NaN, betaStart is NaN",
    "--beta-end, 1, betaEnd is 1",
    "--beta-end, -0.5, betaEnd is -0.5",
    "--beta-end, 0.00001, betaEnd",
    "--type, linaer, linear-scaled",
    "--format, xml, json",
    "--fromat, json, --fromat",
  })
  void badValuesAreRefused(String option, String value, String part) {
    Cli.run("schedules", option, value).isBadInput(part);
  }

  @Test
  void betasOnlyGoWithLinear() {
    Cli.run("schedules", "--type", "cosine", "--beta-end", 0.1).isBadInput("linear");
  }

  @Test
  void outputIntoAMissingFolderIsRefused(@TempDir Path folder) {
    Path file = folder.resolve("missing").resolve("s.csv");
    Cli.run("schedules", "--format", "csv", "--output", file).isBadInput(file.toString());
  }
}
