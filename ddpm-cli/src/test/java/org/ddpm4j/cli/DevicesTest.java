package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.cpu.Processor;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the program does where there is a card, where there is none, and where memory runs out. */
class DevicesTest {

  private static final DeviceName PRETENDED = DeviceName.parse("pretended");
  private static final String NOTE = "device: pretended:0, " + PretendedCards.NAME + "\n";
  private static final int STEPS = 6;

  @TempDir private static Path shared;

  private static Path data;

  @TempDir private Path folder;

  @BeforeAll
  static void writeData() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
  }

  @BeforeEach
  void insert() {
    assumeThat(FusedKernels.available()).isTrue();
    PretendedCards.insert();
  }

  @AfterEach
  void remove() {
    PretendedCards.remove();
  }

  /** That "auto" takes the pretended card: a real one would come first. */
  private static void assumeNoOther() {
    assumeThat(Devices.fastest()).contains(PRETENDED);
  }

  private Object[] training(Path run, Object... more) {
    return Stream.concat(
            Arrays.stream(
                Cli.tinyTraining(data, run, STEPS, "--sample-every", 4, "--checkpoint-every", 3)),
            Arrays.stream(more))
        .toArray();
  }

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

  @Test
  void theListTellsWhatThereIsAndWhyNot() {
    Map<String, String> facts = facts(Cli.run("info", "--devices"));
    assertThat(facts.get("cpu"))
        .startsWith(Processor.model() + ", ")
        .contains(Runtime.getRuntime().availableProcessors() + " threads");
    assertThat(facts)
        .containsEntry("pretended:0", PretendedCards.NAME + ", 1.5 of 2.0 GiB free")
        .containsEntry(
            "pretended:1",
            "Pretender 1; cannot be used: Pretender 1 is too old; 9 or newer is needed.")
        .containsEntry("auto", Devices.fastest().orElseThrow().toString());

    PretendedCards.remove();
    assertThat(facts(Cli.run("info", "--devices")))
        .containsEntry("pretended", "cannot be used: no test has asked for it.")
        .doesNotContainKeys("pretended:0", "pretended:1");
  }

  @Test
  void theListGoesWithNothingElse() {
    Cli.run("info", "--devices", "--run", folder).isBadInput("--devices", "--run");
  }

  /** The module for NVIDIA's cards comes along; most machines that run this have none. */
  @Test
  void withoutCudasLibrariesTheListAndTheRefusalSayHowToGetThem() {
    assumeThat(Devices.obstacle(DeviceName.parse("cuda")).orElse("")).contains("do not load");
    String[] parts = {"libraries do not load (", "libcudart.so.13", "libcudnn.so.9", "driver 580"};
    assertThat(facts(Cli.run("info", "--devices")).get("cuda"))
        .startsWith("cannot be used: ")
        .contains(parts);
    Cli.run("bench", "sample", "--device", "cuda").isBadInput(parts);
    Cli.run("bench", "sample", "--device", "cuda:7").isBadInput(parts);
    assertThat(Cli.run("bench", "sample", "--device", "cuda").err())
        // The presets of the right version are on the class path.
        .contains("The device cuda:0 cannot be used", "cuda-13");
  }

  @ParameterizedTest
  @CsvSource({
    "pretended:1, 'is too old; 9 or newer'",
    "pretended:7, 'this machine has 2 of them'",
    "abacus, 'only; choose one of them, or add the module of another, such as ddpm-cuda'",
    "cpu:1, 'say cpu alone'",
    "cuda:x, 'auto, cpu, cuda or cuda:N'",
    "'pretended:1,0', 'is too old; 9 or newer'",
    "'pretended:0,cpu', 'several cards of one kind, such as cuda:0,1'",
    "'cpu,cpu', 'several cards of one kind'",
    "'auto,pretended', 'several cards of one kind'",
    "'pretended:0,0', 'cannot train together with others'",
    "'cuda:0,', 'No device is called'",
  })
  void aDeviceThatCannotBeUsedIsOneSentenceAndNothingIsWritten(String device, String part) {
    Path run = folder.resolve("run");
    String first = device.split(",")[0];
    Cli.run(training(run, "--device", device)).isBadInput(device.endsWith(",") ? "" : first, part);
    assertThat(run).doesNotExist();
  }

  @Test
  void aCardTrainsInItsOwnPrecisionUnlessToldOtherwise() {
    PretendedCards.prefer(Precision.TFLOAT32);
    Object[] bench = {"bench", "train", "--batch", 1, "--steps", 1, "--device", "pretended"};
    Cli.Result result = Cli.run(bench).isOk();
    assertThat(facts(result)).containsEntry("precision", "tfloat32");
    assertThat(result.err()).containsOnlyOnce("precision: tfloat32; --precision float32 is");
    result = Cli.run(with(bench, "--precision", "float32")).isOk();
    assertThat(facts(result)).containsEntry("precision", "float32");
    assertThat(result.err()).doesNotContain("precision:");
    bench[1] = "sample";
    assertThat(facts(Cli.run(bench))).containsEntry("precision", "float32");
    bench[1] = "train";
    bench[bench.length - 1] = "cpu";
    assertThat(Cli.run(bench).isOk().out()).contains("fused, float32");
  }

  /** What does not train takes one device. */
  @Test
  void severalDevicesTrainAlone() throws IOException {
    Path picture = folder.resolve("x.png");
    Path clothes = Path.of("..", "models", "fashion-mnist");
    String[] device = {"--device", "pretended:0,0"};
    String[] parts = {"pretended:0,0", "which can train together", "say --device pretended:0."};
    Cli.run(with(new Object[] {"bench", "sample"}, (Object[]) device)).isBadInput(parts);
    Cli.run(with(new Object[] {"sample", "--run", clothes, "--output", picture}, (Object[]) device))
        .isBadInput(parts);
    assertThat(picture).doesNotExist();
    Cli.run(with(new Object[] {"bench", "train"}, (Object[]) device))
        .isBadInput("pretended:0", "cannot train together with others");
  }

  @Test
  void theReferenceLayersAndDoubleStayOnTheProcessor() {
    Cli.run("bench", "sample", "--layers", "reference", "--device", "pretended")
        .isBadInput("reference layers", "pretended:0");
    Cli.Result result =
        Cli.run("bench", "sample", "--batch", 1, "--steps", 1, "--layers", "reference").isOk();
    assertThat(result.err()).doesNotContain("device:");
    assertThat(result.out()).contains("layers       reference");
  }

  @Test
  void aCardThatWasTakenUnaskedIsSaidInOneLine() throws IOException {
    assumeNoOther();
    Path run = folder.resolve("run");
    assertThat(Cli.run(training(run)).isOk().err())
        .containsOnlyOnce(NOTE)
        .containsOnlyOnce("device:");
    Path picture = folder.resolve("x.png");
    Object[] sample = {"sample", "--run", run, "--count", 2, "--steps", 2, "--output", picture};
    assertThat(Cli.run(sample).isOk().err()).isEqualTo(NOTE);
    for (String device : List.of("pretended", "cpu")) {
      assertThat(Cli.run(with(sample, "--device", device)).isOk().err()).isEmpty();
    }
    PretendedCards.remove();
    assertThat(Cli.run(sample).isOk().err()).isEmpty();
  }

  /** All commands that compute take the option; each says in the same line what it took. */
  @Test
  void allCommandsThatComputeSayIt() throws IOException {
    assumeNoOther();
    Path clothes = Path.of("..", "models", "fashion-mnist");
    Path picture = folder.resolve("x.png");
    Object[][] commands = {
      {"image-to-image", "--run", clothes, "--count", 1, "--strength", "0.1", "--steps", 10},
      {"inpaint", "--run", clothes, "--image", 0, "--count", 1, "--steps", 2, "--resamplings", 1},
      {"samplers", "--run", clothes, "--samplers", "ddim", "--steps", 2, "--count", 1},
    };
    for (Object[] command : commands) {
      Cli.Result result = Cli.run(with(command, "--output", picture));
      assertThat(result.isOk().err()).contains(NOTE);
    }
    assertThat(Cli.run("bench", "sample", "--batch", 1, "--steps", 1).isOk().err())
        .startsWith(NOTE);
  }

  private static Object[] with(Object[] args, Object... more) {
    return Stream.concat(Arrays.stream(args), Arrays.stream(more)).toArray();
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "sample"})
  void benchTellsOfTheCardAndNotOfTheProcessor(String task) {
    Cli.Result result = Cli.run("bench", task, "--batch", 1, "--steps", 2, "--device", "pretended");
    Map<String, String> facts = facts(result);
    assertThat(facts)
        .containsEntry("device", "pretended:0, " + PretendedCards.NAME)
        .containsEntry("precision", "float32")
        .containsEntry("rounds", "2")
        .containsEntry("matmul rate", "1000000.0 GFLOP/s (float32, pretence)")
        .containsEntry("copy rate", "2000.0 GB/s")
        .doesNotContainKeys("layers", "threads");
    assertThat(facts.get("median"))
        .matches(Cli.RATE + " images/s, \\d+\\.\\d GFLOP/s, 0 % of the matmul rate");
    assertThat(facts.get("traffic")).matches("\\d+\\.\\d GB/s, \\d+ % of the copy rate");
    assertThat(facts.get("first step")).matches("\\d+\\.\\d s after the start");
    // Weights and, for training, their gradient: 1694929 floats each, in MB, and the arrays
    // between.
    assertThat(Double.parseDouble(facts.get("card memory").split(" ")[0]))
        .isBetween(1.694929 * (task.equals("train") ? 8 : 4), 200.0);
    assertThat(result.err()).startsWith("bench: measures rounds: 2 after 10 to warm up\n");
  }

  @Test
  void aSlowFirstRoundEndsNoMeasurementOnACard() {
    assertThat(
            facts(
                Cli.run(
                    "bench",
                    "sample",
                    "--batch",
                    1,
                    "--seconds",
                    "0.001",
                    "--device",
                    "pretended")))
        .containsEntry("rounds", "20");
  }

  @Test
  void theProfileOfACardIsOfOperations() {
    String out =
        Cli.run("bench", "train", "--batch", 1, "--steps", 1, "--device", "pretended", "--profile")
            .isOk()
            .out();
    assertThat(out.lines().filter(line -> line.startsWith("ddpm_conv2d_bp ")))
        .hasSizeGreaterThan(5);
    assertThat(out).contains("each operation measured by itself").doesNotContain("threads");
  }

  /**
   * Memory runs out at any place: in a step, in measuring held-out images, in drawing. What was
   * saved goes on to the same bits as a training that nothing befell.
   */
  @ParameterizedTest
  @ValueSource(longs = {8, 14, 20, 23, 26, 29, 32, 35, 38, 41, 44, 47, 50})
  void aTrainingWhoseMemoryRunsOutKeepsTheLastWholeStep(long uploads) throws IOException {
    Path whole = shared.resolve("whole");
    if (Files.notExists(whole)) {
      Cli.run(training(whole, "--device", "pretended")).isOk();
    }
    Path run = folder.resolve("run");
    PretendedCards.exhaustAfter(uploads);
    Cli.Result result = Cli.run(training(run, "--device", "pretended"));
    PretendedCards.insert();
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .endsWith("ddpm: " + PretendedCards.OUT_OF_MEMORY + "\n")
        .doesNotContain("\tat ", "Exception");
    Matcher saved =
        Pattern.compile("(?m)^train: saved at step (\\d); go on by 'ddpm train --resume ")
            .matcher(result.err());
    if (!saved.find()) {
      assertThat(run.resolve("checkpoints")).doesNotExist();
      return;
    }
    assertThat(run.resolve("checkpoints/step-000000%s.safetensors".formatted(saved.group(1))))
        .exists();
    Cli.run("train", "--resume", run, "--data", data, "--sample-steps", 2, "--device", "pretended")
        .isOk();
    for (String file : List.of("checkpoints/step-0000006.safetensors", "loss.csv", "samples.png")) {
      assertThat(run.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
  }

  @Test
  void aSamplingWhoseMemoryRunsOutIsOneSentence() {
    Path picture = folder.resolve("x.png");
    PretendedCards.exhaustAfter(6);
    Cli.run(
            "sample",
            "--run",
            Path.of("..", "models", "fashion-mnist"),
            "--count",
            2,
            "--steps",
            40,
            "--device",
            "pretended",
            "--output",
            picture)
        .isBadInput(PretendedCards.OUT_OF_MEMORY);
    assertThat(picture).doesNotExist();
  }

  /** A file takes the place of the folder of checkpoints just then. */
  @Test
  void aTrainingThatCannotBeSavedSaysSo() throws IOException {
    Path run = folder.resolve("run");
    Path checkpoints = run.resolve("checkpoints");
    PretendedCards.exhaustAfter(
        20,
        () -> {
          try {
            Files.writeString(checkpoints, "mine");
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    Cli.Result result = Cli.run(training(run, "--device", "pretended"));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .contains("could not be saved (", "what was saved before is still there\n")
        .endsWith("ddpm: " + PretendedCards.OUT_OF_MEMORY + "\n")
        .doesNotContain("\tat ");
    assertThat(checkpoints).hasContent("mine");
  }
}
