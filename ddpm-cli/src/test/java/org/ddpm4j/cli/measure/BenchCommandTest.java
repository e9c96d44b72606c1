package org.ddpm4j.cli.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {

  private static final String SPEED =
      Cli.RATE + " images/s, \\d+\\.\\d GFLOP/s, \\d+ % of the matmul rate";

  private static Map<String, String> facts(Cli.Result result) {
    Map<String, String> facts = new LinkedHashMap<>();
    result
        .isOk()
        .out()
        .lines()
        .takeWhile(line -> !line.isEmpty())
        .forEach(line -> facts.put(line.substring(0, 13).strip(), line.substring(13)));
    return facts;
  }

  @ParameterizedTest
  @CsvSource({
    "sample, annotated, 1694929, 28x28x1",
    "train, annotated, 1694929, 28x28x1",
    "train, annotated-convnext, 2996315, 28x28x1",
    "sample, cifar10, 35746307, 32x32x3",
  })
  void measuresTheNetworksOfPyTorchsSizes(
      String task, String model, String parameters, String size) {
    Cli.Result result =
        Cli.run(
            "bench",
            task,
            "--model",
            model,
            "--batch",
            3,
            "--steps",
            2,
            "--threads",
            2,
            "--layers",
            "fused");
    Map<String, String> facts = facts(result);
    assertThat(facts)
        .containsEntry("task", task)
        .containsEntry("model", model + ", " + size)
        .containsEntry("parameters", parameters)
        .containsEntry("batch", "3")
        .containsEntry("layers", "fused, float32")
        .containsEntry("threads", "2")
        .containsEntry("rounds", "2");
    assertThat(facts.get("best")).matches(SPEED);
    assertThat(facts.get("median")).matches(SPEED);
    assertThat(number(facts.get("best"))).isGreaterThanOrEqualTo(number(facts.get("median")));
    assertThat(number(facts.get("matmul rate"))).isPositive();
    assertThat(result.err()).startsWith("bench: measures rounds: 2 after 1 to warm up\n");
  }

  private static double number(String text) {
    return Double.parseDouble(text.split(" ")[0]);
  }

  @Test
  void decodersAreMeasuredInPredictionsAlone() {
    Cli.run("bench", "train", "--model", "autoencoder-kl")
        .isBadInput("autoencoder-kl", "bench sample");
  }

  @Test
  void theTimeDecidesHowManyRoundsThereAre() {
    Cli.Result result = Cli.run("bench", "sample", "--batch", 1, "--seconds", "0.3");
    assertThat(result.isOk().err())
        .startsWith("bench: measures for about 0 s after 0 s to warm up\n");
    assertThat(Integer.parseInt(facts(result).get("rounds"))).isPositive();
  }

  @Test
  void referenceLayersHaveNoRateOfOperations() {
    Map<String, String> facts =
        facts(Cli.run("bench", "sample", "--batch", 1, "--steps", 1, "--layers", "reference"));
    assertThat(facts).containsEntry("layers", "reference").doesNotContainKey("threads");
    assertThat(facts.get("median")).matches(Cli.RATE + " images/s");
  }

  @Test
  void theProfileHasKindsAndSingleOperations() {
    String out =
        Cli.run("bench", "train", "--batch", 2, "--steps", 1, "--layers", "fused", "--profile")
            .isOk()
            .out();
    assertThat(out.lines().filter(line -> line.startsWith("ddpm_conv2d_bp ")))
        .hasSizeGreaterThan(5);
    assertThat(out).contains("\noperation ", "\n(outside of operations) ", "\nslowest ");
  }

  @Test
  void scalingHasARowForEachNumberOfThreads() {
    String out =
        Cli.run("bench", "train", "--batch", 9, "--steps", 2, "--scaling", "2,1", "--device", "cpu")
            .isOk()
            .out();
    assertThat(out)
        .contains("batch        9\n", "layers       fused, float32\n")
        .doesNotContain("matmul");
    List<String> rows =
        out.lines().dropWhile(line -> !line.equals(ScalingRow.HEADER)).skip(1).toList();
    assertThat(rows).hasSize(2);
    String rates = " +" + Cli.RATE + " +" + Cli.RATE;
    assertThat(rows.get(0)).matches(" +2" + rates + " +100 % +-?\\d+\\.\\d %");
    assertThat(rows.get(1)).matches(" +1" + rates + " +\\d+ % +-?\\d+\\.\\d %");
  }

  @Test
  void efficiencyComparesSpeedsOfOneThread() {
    ScalingRow two = new ScalingRow(2, 150, 140, 0.05);
    ScalingRow sixteen = new ScalingRow(16, 900, 840, 0.25);
    assertThat(sixteen.efficiency(two)).isCloseTo(0.75, within(1e-12));
    assertThat(sixteen.line(two).split(" +"))
        .containsExactly("", "16", "900.0", "840.0", "75", "%", "25.0", "%");
  }

  @Test
  void sharesOfAProfileAddUp() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new ProfileTable(new PlanProfile(), 4, 0.1).write(out);
    assertThat(out.toString(StandardCharsets.UTF_8).lines())
        .filteredOn(line -> line.startsWith("(outside"))
        .singleElement()
        // A tenth of a second in four rounds, all of it outside.
        .satisfies(line -> assertThat(line).contains("25.00", "100.0 %"));
  }

  @ParameterizedTest
  @CsvSource({
    "--batch, 0, --batch",
    "--steps, 0, --steps",
    "--seconds, 0, --seconds",
    "--seconds, NaN, --seconds",
    "--model, unet, 'annotated, annotated-convnext'",
    "--threads, 0, --threads",
    "--scaling, '1,0', --scaling",
    "--scaling, '1,two', --scaling",
    "--precision, double, bfloat16",
  })
  void badValuesAreRefused(String option, String value, String part) {
    Cli.run("bench", "train", option, value).isBadInput(part);
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    Cli.run("bench").isBadInput("TASK");
    Cli.run("bench", "learn").isBadInput("train, sample");
    Cli.run("bench", "train", "--steps", 1, "--seconds", 1).isBadInput("--steps", "--seconds");
    Cli.run("bench", "train", "--layers", "reference", "--profile")
        .isBadInput("'--profile'", "reference layers");
    Cli.run("bench", "train", "--scaling", "1,2", "--threads", 1)
        .isBadInput("'--scaling'", "'--threads'");
    Cli.run("bench", "train", "--scaling", 1, "--profile").isBadInput("'--scaling'", "'--profile'");
    Cli.run("bench", "train", "--scaling", 1, "--layers", "reference")
        .isBadInput("'--scaling'", "fused layers");
    Cli.run("bench", "train", "--layers", "reference", "--threads", 1).isBadInput("--threads");
  }

  @Test
  void peakMemoryIsReadFromTheSystemsStatus() {
    assertThat(PeakMemory.bytes("Name:\tjava\nVmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t1 kB\n"))
        .hasValue(512 * 1024);
    for (String without : List.of("", "Name:\tVmHWM: 3\n", "VmHWM:\t kB\n")) {
      assertThat(PeakMemory.bytes(without)).isEmpty();
    }
  }

  @Test
  void roundsOnACardFillTheSecondsAndAreNeverTooFew() {
    assertThat(DeviceBench.rounds(24, 0.004)).isEqualTo(6000);
    assertThat(DeviceBench.rounds(1, 60)).isEqualTo(DeviceBench.LEAST_ROUNDS);
  }
}
