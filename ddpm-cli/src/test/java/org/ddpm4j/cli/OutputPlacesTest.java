package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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

  /** Pictures would go to the run's folder, which must not be what is said to be missing. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sample",
        "sample --format png",
        "inpaint --image 1 --mask-box 0,0,4,4",
        "interpolate --seeds 1,2",
        "evaluate",
        "evaluate --distances",
        "nearest",
        "samplers"
      })
  void aRunThatIsNone(String line) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    Path missing = folder.resolve("missing");
    Cli.run(words(line + " --run OUTPUT", file))
        .isBadInput(file + " is not the folder of a run: it is a file");
    Cli.run(words(line + " --run OUTPUT", missing))
        .isBadInput(missing + " is not the folder of a run: it does not exist");
    assertThat(missing).doesNotExist();
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

  static List<String> readingAFile() {
    return List.of(
        "image-to-image --run missing-run --image FILE --output OUTPUT",
        "inpaint --run missing-run --image 1 --mask FILE --output OUTPUT",
        "inpaint --run missing-run --image 1,FILE --mask-box 0,0,4,4 --output OUTPUT",
        "interpolate --run missing-run --from 1 --to FILE --output OUTPUT",
        "invert --run missing-run --image FILE --output OUTPUT",
        "sample --run missing-run --noise FILE --output OUTPUT",
        "sample --run missing-run --checkpoint FILE --format safetensors --output OUTPUT",
        "predict --model missing-model --input FILE --output OUTPUT",
        "convert --model FILE --to onnx --output OUTPUT");
  }

  /** However it is spelled, the file that was read is still there. */
  @ParameterizedTest
  @MethodSource("readingAFile")
  void theFileThatIsReadIsNotReplaced(String line) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "the only copy");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    for (Path output : List.of(file, folder.resolve("x/../file"), link)) {
      Files.createDirectories(folder.resolve("x"));
      Cli.run(words(line.replace("FILE", file.toString()), output))
          .isBadInput("The result would replace " + output, "choose another file by --output");
    }
    assertThat(file).hasContent("the only copy");
  }

  /** Without --output, the picture of one edit could be the image of the next. */
  @Test
  void theFileThatIsReadIsNotReplacedByThatOfTheUsualName() throws Exception {
    Path run = Files.createDirectory(folder.resolve("run"));
    // What is written here is looked at before it is read.
    Files.writeString(run.resolve("config.json"), "{}");
    Path file = Files.writeString(run.resolve("image-to-image.png"), "the only copy");
    Cli.run("image-to-image", "--run", run, "--image", file)
        .isBadInput("The result would replace " + file);
    assertThat(file).hasContent("the only copy");
  }

  /** Their pictures would be images to train on from then on, and no run could be resumed. */
  @Test
  void nothingIsWrittenAmongTheImagesOfAFolder() throws Exception {
    Path images = PictureFixture.folder(folder.resolve("images"), 2);
    Map<String, String> before = FolderContent.of(images);
    Path linked = Files.createSymbolicLink(folder.resolve("link"), images);
    for (Path run : List.of(images.resolve("runs/x"), linked.resolve("red/x"))) {
      Cli.run("train", "--dataset", "folder", "--data", images, "--image-size", 16, "--run", run)
          .isBadInput(run + " lies in the folder of images " + images, "by --run");
    }
    for (Path picture : List.of(images.resolve("data.png"), images.resolve("red/00.png"))) {
      Cli.run("data", "--dataset", "folder", "--data", images, "--output", picture)
          .isBadInput(picture + " lies in the folder of images " + images, "by --output");
    }
    assertThat(FolderContent.of(images)).isEqualTo(before);
    // A name that begins with a full stop is left out, and one that only begins alike is outside.
    for (Path picture : List.of(images.resolve(".data.png"), folder.resolve("images.png"))) {
      Cli.run("data", "--dataset", "folder", "--data", images, "--output", picture).isOk();
    }
  }
}
