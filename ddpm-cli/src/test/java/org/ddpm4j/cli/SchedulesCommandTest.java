package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
    "--beta-start, 0, Beta start is 0",
    "--beta-start, NaN, Beta start is NaN",
    "--beta-end, 1, Beta end is 1",
    "--beta-end, -0.5, Beta end is -0.5",
    "--beta-end, 0.00001, Beta end",
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

  @ParameterizedTest
  @CsvSource({
    "linear",
    "linear-scaled",
    "scaled-linear",
    "quadratic",
    "cosine",
    "cosine-annotated",
    "sigmoid",
    "sigmoid-jabri",
    "constant",
    "jsd",
    "exponential",
    "laplace",
    "laplace-diffusers",
    "flow",
    "edm",
    "variance-exploding"
  })
  void everyTypeIsPrinted(String type) throws Exception {
    JsonNode plain =
        JSON.readTree(Cli.run("schedules", "--type", type, "--timesteps", 50).isOk().out());
    assertThat(plain.get("betas")).hasSize(50);
    JsonNode rescaled =
        JSON.readTree(
            Cli.run("schedules", "--type", type, "--timesteps", 50, "--zero-terminal-snr")
                .isOk()
                .out());
    assertThat(rescaled.get("betas").get(49).asDouble()).isEqualTo(1);
    assertThat(rescaled.get("alphas_cumprod").get(49).asDouble()).isZero();
    assertThat(rescaled.get("sqrt_recip_alphas_cumprod").get(49).asText()).isEqualTo("Infinity");
    assertThat(rescaled.get("posterior_variance").get(49).asDouble()).isBetween(0.1, 1.0);
  }

  /** The noise-to-signal ratios at both ends are those that were asked for. */
  @ParameterizedTest
  @CsvSource({
    "edm, 0.5, 20, 0.5, 20",
    "variance-exploding, 0.05, 50, 0.05, 50",
    "variance-exploding, , 50, 0.01, 50",
    "variance-exploding, 0.05, , 0.05, 1348"
  })
  void ratiosHaveTheirEnds(String type, Double least, Double greatest, double first, double last)
      throws Exception {
    List<Object> words = new ArrayList<>(List.of("schedules", "--type", type, "--timesteps", 20));
    if (least != null) {
      words.addAll(List.of("--sigma-min", least));
    }
    if (greatest != null) {
      words.addAll(List.of("--sigma-max", greatest));
    }
    JsonNode signal = JSON.readTree(Cli.run(words.toArray()).isOk().out()).get("alphas_cumprod");
    assertThat(1 / signal.get(0).asDouble() - 1).isCloseTo(first * first, withinPercentage(1e-6));
    assertThat(1 / signal.get(19).asDouble() - 1).isCloseTo(last * last, withinPercentage(1e-6));
  }

  @ParameterizedTest
  @CsvSource({
    "cosine, --sigma-min, 0.1, edm and variance-exploding have",
    "variance-exploding, --sigma-min, 0, both must be positive and finite",
    "variance-exploding, --sigma-min, 1348, and the first the less",
    "variance-exploding, --sigma-max, Infinity, both must be positive and finite",
    "variance-exploding, --sigma-max, NaN, both must be positive and finite",
    "edm, --sigma-max, 0.001, 0.002 to 0.001"
  })
  void otherEndsAreRefused(String type, String option, String value, String part) {
    Cli.run("schedules", "--type", type, option, value).isBadInput(part);
  }

  @Test
  void theConstantIsItsEnd() throws Exception {
    JsonNode json =
        JSON.readTree(
            Cli.run("schedules", "--type", "constant", "--timesteps", 3, "--beta-end", 0.25)
                .isOk()
                .out());
    assertThat(JSON.convertValue(json.get("betas"), double[].class))
        .containsExactly(0.25, 0.25, 0.25);
    Cli.run("schedules", "--type", "constant", "--beta-start", 0.1).isBadInput("by beta end");
    Cli.run("schedules", "--timesteps", 1, "--zero-terminal-snr").isBadInput("at least 2");
  }

  @Test
  void theDoctorPrintsItsReport() {
    String text = Cli.run("schedules", "--doctor", "--timesteps", 10000).isOk().out();

    assertThat(text.lines())
        .contains(
            "schedule      linear, T = 10000",
            "pure noise    alphas_cumprod below 1e-4 from t = 2989 on, 70.1 % of the chain")
        .anyMatch(line -> line.startsWith("problem       70 % of the timesteps"))
        .anyMatch(line -> line.startsWith("end           alphas_cumprod 1.15e-44"));
  }

  @Test
  void theDoctorWritesJsonAndAPlot(@TempDir Path folder) throws Exception {
    Path plot = folder.resolve("doctor.png");
    JsonNode json =
        JSON.readTree(
            Cli.run(
                    "schedules",
                    "--doctor",
                    "--timesteps",
                    600,
                    "--format",
                    "json",
                    "--plot",
                    plot,
                    "--data-max",
                    2,
                    "--data-rms",
                    0.5)
                .isOk()
                .out());

    assertThat(json.get("schedule").get("type").asText()).isEqualTo("linear");
    assertThat(json.get("terminal_alpha_cumprod").asDouble()).isCloseTo(2.3e-3, within(0.05e-3));
    assertThat(json.get("signal_left").asDouble()).isCloseTo(0.096, within(0.001));
    assertThat(json.get("data").get("mean_square").asDouble()).isEqualTo(0.25);
    assertThat(json.get("first_pure_noise").isNull()).isTrue();
    assertThat(json.get("clipping").get("lowered").asInt()).isZero();
    assertThat(json.get("float32")).isEmpty();
    assertThat(json.get("advice").get(0).get("finding").asText()).isEqualTo("signal-left");
    assertThat(json.get("advice").get(0).get("severity").asText()).isEqualTo("warning");
    assertThat(ImageIO.read(plot.toFile()).getWidth()).isGreaterThan(1000);
  }

  @Test
  void whatDoesNotGoTogetherIsRefused(@TempDir Path folder) {
    Cli.run("schedules", "--doctor", "--format", "csv").isBadInput("--plot FILE");
    Cli.run("schedules", "--doctor", "--format", "png").isBadInput("--plot FILE");
    Cli.run("schedules", "--format", "text").isBadInput("--doctor");
    Cli.run("schedules", "--plot", folder.resolve("x.png")).isBadInput("--format png");
    Cli.run("schedules", "--doctor", "--data-max", 0).isBadInput("largest |x|");
    Cli.run("schedules", "--doctor", "--data-max", 1e300)
        .isBadInput("largest |x| of the data is 1.0E300", "so must its square");
    Cli.run("schedules", "--doctor", "--data-rms", 1.5).isBadInput("mean of x²");
    Cli.run("schedules", "--doctor", "--data-rms", -0.5).isBadInput("--data-rms is -0.5");
    Cli.run("schedules", "--doctor", "--data-rms", 1e-300).isBadInput("--data-rms is 1.0E-300");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void outputIntoAMissingFolderIsRefused(@TempDir Path folder) {
    Path file = folder.resolve("missing").resolve("s.csv");
    Cli.run("schedules", "--format", "csv", "--output", file).isBadInput(file.toString());
  }
}
