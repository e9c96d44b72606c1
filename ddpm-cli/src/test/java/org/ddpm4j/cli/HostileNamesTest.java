package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Names of strangers that would clear the screen, turn the line around or forge a line. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "its file names have no control characters")
class HostileNamesTest {

  /** ESC [2J, a title, a line of its own, an override, the eight-bit CSI, a carriage return. */
  private static final String HOSTILE = "x\u001b[2J\u001b]0;t\u0007\nforged\u202Egnp\u009b1m\rz";

  /** As {@link #HOSTILE} is shown: whatever it is surrounded by, this is one line. */
  private static final String SHOWN = "x?[2J?]0;t??forged?gnp?1m?z";

  private static final Pattern UNSAFE =
      Pattern.compile("[\\p{Cc}&&[^\\n]]|[\\u200E\\u200F\\u061C\\u202A-\\u202E\\u2066-\\u2069]");

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = PictureFixture.folder(shared.resolve("data" + HOSTILE), 6);
    Files.move(data.resolve("red"), data.resolve(HOSTILE));
    Files.writeString(data.resolve("blue").resolve(HOSTILE + ".png"), "no picture");
    run = shared.resolve("run" + HOSTILE);
    Cli.Result training = train(run);
    assertSafe(training);
    assertThat(training.code()).as(training.err()).isZero();
    assertThat(training.err()).contains(SHOWN);
  }

  private static Cli.Result train(Path folder, Object... more) {
    Object[] options =
        Stream.concat(
                Stream.of(
                    "--dataset",
                    "folder",
                    "--image-size",
                    8,
                    "--corrupt",
                    "skip",
                    "--class-conditional"),
                Stream.of(more))
            .toArray();
    return Cli.run(Cli.tinyTraining(data, folder, 2, options));
  }

  private static void assertSafe(Cli.Result result) {
    for (String text : List.of(result.out(), result.err())) {
      assertThat(UNSAFE.matcher(text).results().map(found -> escaped(found.group())).toList())
          .as(text)
          .isEmpty();
      assertThat(text.lines()).noneMatch(line -> line.startsWith("forged"));
    }
  }

  private static String escaped(String character) {
    return String.format("U+%04X", (int) character.charAt(0));
  }

  static List<List<Object>> commands() {
    Path output = shared.resolve("out" + HOSTILE);
    return List.of(
        List.of(
            "data",
            "--dataset",
            "folder",
            "--data",
            data,
            "--image-size",
            8,
            "--corrupt",
            "skip",
            "--output",
            output.resolveSibling("data.png")),
        List.of("data", "--dataset", "folder", "--data", data, "--image-size", 8),
        List.of("data", "--dataset", "folder", "--data", data, "--class", "none-such"),
        List.of(
            "data",
            "--dataset",
            "folder",
            "--data",
            data,
            "--class",
            HOSTILE,
            "--corrupt",
            "skip",
            "--output",
            output.resolveSibling("one.png")),
        List.of("info", run),
        List.of("info", run.resolve("unet")),
        List.of("info", run.resolve("checkpoints")),
        List.of("info", shared.resolve(HOSTILE)),
        List.of("sample", "--run", run, "--class", "none-such"),
        List.of("sample", "--run", run, "--class", HOSTILE + "!"),
        List.of("sample", "--run", run, "--count", 1, "--steps", 1),
        List.of(
            "sample",
            "--run",
            run,
            "--count",
            1,
            "--steps",
            1,
            "--format",
            "png",
            "--output",
            output),
        List.of(
            "sample",
            "--run",
            run,
            "--seed",
            3,
            "--count",
            1,
            "--steps",
            1,
            "--format",
            "png",
            "--output",
            output),
        List.of("sample", "--run", run, "--noise", shared.resolve(HOSTILE)),
        List.of(
            "samplers",
            "--run",
            run,
            "--samplers",
            "ddim",
            "--count",
            1,
            "--steps",
            1,
            "--output",
            output.resolveSibling("samplers.png")),
        List.of("evaluate", "--run", run, "--data", data, "--images", 2, "--steps", 2),
        List.of("inpaint", "--run", run, "--image", shared.resolve(HOSTILE)),
        List.of("interpolate", "--run", run, "--from", shared.resolve(HOSTILE)),
        List.of("image-to-image", "--run", run, "--image", shared.resolve(HOSTILE)),
        List.of("invert", "--run", run, "--image", shared.resolve(HOSTILE)),
        List.of(
            "predict",
            "--model",
            run.resolve("unet"),
            "--input",
            shared.resolve(HOSTILE),
            "--output",
            output.resolveSibling("y.safetensors")),
        List.of(
            "convert",
            "--run",
            run,
            "--to",
            "samediff",
            "--output",
            output.resolveSibling("graph" + HOSTILE + ".fb")),
        List.of("train", "--resume", run, "--data", data),
        List.of("train", "--resume", run, "--data", data, "--dry-run"),
        List.of(
            "train",
            "--from",
            run,
            "--dataset",
            "folder",
            "--data",
            data,
            "--image-size",
            8,
            "--corrupt",
            "skip",
            "--steps",
            1,
            "--dry-run",
            "--class-conditional",
            "--batch-size",
            4),
        List.of("schedules", "--output", output.resolve("none")),
        List.of("no-such-command" + HOSTILE),
        List.of("sample", "--no-such-option" + HOSTILE));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void noCommandPrintsThem(List<Object> command) {
    assertSafe(Cli.run(command.toArray()));
  }

  @Test
  void theReportOfARunShowsNone() throws IOException {
    String page = Files.readString(run.resolve("report.html"));
    assertThat(UNSAFE.matcher(page).find()).isFalse();
    assertThat(page).contains("forged");
  }

  /** Tensor names and metadata, as cases/rel-info-escapes has them. */
  @Test
  void infoShowsThemInALine() throws IOException {
    Path file = folder.resolve("esc.safetensors");
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    tensors.put(HOSTILE, Nd4j.zeros(DataType.FLOAT, 2));
    SafetensorsWriter.write(file, tensors, Map.of("key" + HOSTILE, "value" + HOSTILE));
    Cli.Result result = Cli.run("info", file).isOk();
    assertSafe(result);
    assertThat(result.out())
        .contains("  " + SHOWN + "  FLOAT")
        .contains("key" + SHOWN + " value" + SHOWN + "\n");
    assertThat(result.out().lines()).hasSize(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"config.json", "unet/config.json"})
  void aFileThatQuotesThemIsRefusedInOneSentence(String name) throws IOException {
    Path broken = folder.resolve("broken");
    FolderContent.copy(run, broken);
    Files.writeString(
        broken.resolve(name),
        "{\""
            + HOSTILE
                .replace("\u001b", "\\u001b")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\u0007", "\\u0007")
            + "\": 1}");
    Path place = name.startsWith("unet") ? broken.resolve("unet") : broken;
    Cli.Result result = Cli.run("info", place);
    assertSafe(result);
    result.isBadInputAtEnd("config.json");
  }
}
