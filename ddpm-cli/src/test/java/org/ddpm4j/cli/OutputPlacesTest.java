package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Places where nothing can be written are found before the work begins. */
class OutputPlacesTest {

  @TempDir private Path folder;

  private static Object[] words(String line, Path output) {
    return Arrays.stream(line.split(" "))
        .map(word -> word.equals("OUTPUT") ? output.toString() : word)
        .toArray();
  }

  static List<String> writingAFile() {
    return List.of(
        "sample --model missing-model --output OUTPUT",
        "sample --run missing-run --format gif --output OUTPUT",
        "sample --run missing-run --format safetensors --output OUTPUT",
        "predict --model missing-model --input missing --output OUTPUT",
        "data --dataset folder --data missing-data --output OUTPUT",
        "samplers --run missing-run --output OUTPUT",
        "inpaint --run missing-run --image 1 --mask-box 0,0,4,4 --output OUTPUT",
        "image-to-image --run missing-run --image 1 --output OUTPUT",
        "interpolate --run missing-run --seeds 1,2 --output OUTPUT",
        "invert --run missing-run --image 1 --output OUTPUT",
        "convert --run missing-run --to samediff --output OUTPUT",
        "schedules --output OUTPUT",
        "schedules --format png --output OUTPUT",
        "schedules --doctor --plot OUTPUT");
  }

  /** The models, runs and data do not exist either: what is said first was looked at first. */
  @ParameterizedTest
  @MethodSource("writingAFile")
  void aFileInAFolderThatIsMissing(String line) {
    Path output = folder.resolve("none").resolve("file");
    Cli.run(words(line, output))
        .isBadInput(
            "The file " + output,
            "its folder " + folder.resolve("none") + " does not exist; create the folder");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sample --model missing-model --format png --output OUTPUT",
        "evaluate --run missing-run --output OUTPUT",
        "convert --run missing-run --to diffusers --output OUTPUT",
        "convert --model missing-model --to run --output OUTPUT",
        "train --dataset folder --data missing-data --run OUTPUT",
      })
  void aFolderBelowAFile(String line) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    Path output = file.resolve("folder");
    Cli.run(words(line, output)).isBadInput("The folder " + output, "there is a file in its place");
    assertThat(file).hasContent("in the way");
  }

  /** What a variable that is not set makes of --output "$OUT". */
  @Test
  void aPlaceWithoutAName() {
    Cli.run("sample", "--output", "").isBadInput("'--output'", "it is empty");
    Cli.run("train", "--run", "").isBadInput("'--run'", "it is empty");
  }

  /** As root, replacing /dev/null by a picture would break every program of the machine. */
  @ParameterizedTest
  @MethodSource("writingAFile")
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aPipeIsNotReplaced(String line) throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Cli.run(words(line, pipe)).isBadInput("The file " + pipe, "is a device or a pipe");
    assertThat(Files.readAttributes(pipe, BasicFileAttributes.class).isOther()).isTrue();
  }

  /** What a command writes into a folder is written as whole files, too, and replaces no pipe. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void aPipeInTheFolderOfAnOutputIsNotReplaced() throws Exception {
    Path run = folder.resolve("run");
    Cli.run(Cli.tinyTraining(IdxFixture.write(folder.resolve("data"), 12, 8, 5), run, 1)).isOk();
    for (String name : List.of("samples.png", "loss.csv", "report.html", "loss.png")) {
      Path pipe = run.resolve(name);
      Files.delete(pipe);
      assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
      Cli.run("train", "--resume", run, "--data", folder.resolve("data"))
          .isBadInputAtEnd("The file " + pipe, "is a device or a pipe");
      Files.delete(pipe);
    }
    Path pictures = Files.createDirectory(folder.resolve("pictures"));
    Path pipe = pictures.resolve("samples.json");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Cli.run(
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
            pictures)
        .isBadInput("The file " + pipe, "is a device or a pipe");
  }

  @Test
  void aFolderWhereAFileShouldGo() {
    Cli.run("sample", "--run", "missing-run", "--output", folder)
        .isBadInput("a folder of that name exists");
    assertThat(folder).isEmptyDirectory();
  }
}
