package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Places where nothing can be written are found before the work begins. */
class OutputPlacesTest {

  @TempDir private Path folder;

  private static Object[] words(String line, Path output) {
    return Arrays.stream(line.split(" "))
        .map(word -> word.equals("OUTPUT") ? output.toString() : word)
        .toArray();
  }

  /** The models, runs and data do not exist either: what is said first was looked at first. */
  @ParameterizedTest
  @ValueSource(
      strings = {
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
        "schedules --doctor --plot OUTPUT",
      })
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

  @Test
  void aFolderWhereAFileShouldGo() {
    Cli.run("sample", "--run", "missing-run", "--output", folder)
        .isBadInput("a folder of that name exists");
    assertThat(folder).isEmptyDirectory();
  }
}
