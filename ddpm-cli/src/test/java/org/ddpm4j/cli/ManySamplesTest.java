package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.ddpm4j.io.FolderLock;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Images that are written as they are ready, and calls that go on with those of another. */
class ManySamplesTest {

  @TempDir private static Path shared;
  private static Path run;
  private static Path whole;

  @TempDir private Path folder;

  @BeforeAll
  static void trainAndDrawOnce() throws IOException {
    run = shared.resolve("run");
    Path data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    whole = shared.resolve("whole");
    sample(whole, "--count", 7).isOk();
  }

  /** In batches of three, of seed 7. */
  private static Cli.Result sample(Path output, Object... more) {
    return Cli.run(
        Stream.concat(
                Stream.of(
                    "sample",
                    "--run",
                    run,
                    "--output",
                    output,
                    "--format",
                    "png",
                    "--seed",
                    7,
                    "--batch-size",
                    3),
                Stream.of(more))
            .toArray());
  }

  private static List<String> names(Path path) throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void aCallGoesOnWithWhatIsThere() throws IOException {
    Path begun = folder.resolve("begun");
    assertThat(sample(begun, "--count", 4).isOk().err()).isEmpty();
    assertThat(names(begun))
        .containsExactly("0000.png", "0001.png", "0002.png", "0003.png", "samples.json");
    assertThat(sample(begun, "--count", 7).isOk().err())
        .isEqualTo("sample: 4 of 7 images are there already\n");
    assertThat(FolderContent.of(begun)).isEqualTo(FolderContent.of(whole));
  }

  @Test
  void whatIsLostIsDrawnAgainAndWhatIsThereIsNotTouched() throws IOException {
    Path broken = folder.resolve("broken");
    sample(broken, "--count", 7).isOk();
    Files.delete(broken.resolve("0001.png"));
    Files.delete(broken.resolve("0006.png"));
    Files.writeString(broken.resolve("0002.png"), "mine");
    Files.writeString(broken.resolve(".ddpm4j-0.tmp"), "half");
    Files.writeString(broken.resolve("notes.txt"), "mine");
    assertThat(sample(broken, "--count", 7).isOk().err()).contains("5 of 7");
    assertThat(broken.resolve("0001.png")).hasSameBinaryContentAs(whole.resolve("0001.png"));
    assertThat(broken.resolve("0006.png")).hasSameBinaryContentAs(whole.resolve("0006.png"));
    assertThat(broken.resolve("0002.png")).hasContent("mine");
    assertThat(names(broken)).contains("notes.txt").doesNotContain(".ddpm4j-0.tmp");
  }

  @Test
  void fewerThanThereAreIsSaid() {
    Path output = folder.resolve("output");
    sample(output, "--count", 4).isOk();
    assertThat(sample(output, "--count", 3).isOk().err())
        .contains(
            "3 of 3 images are there already", "the folder has 1 more image, of an earlier call");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--seed 8",
        "--steps 5",
        "--sampler ddim",
        "--clip none",
        "--layers reference",
        "--weights model"
      })
  void imagesOfAnotherCallAreNotMixedIn(String option) throws IOException {
    Map<String, String> before = FolderContent.of(whole);
    Object[] others = option.split(" ");
    Object[] call = {
      "sample",
      "--run",
      run,
      "--output",
      whole,
      "--format",
      "png",
      "--count",
      9,
      others[0],
      others[1]
    };
    if (!option.startsWith("--seed")) {
      call = Stream.concat(Stream.of(call), Stream.of("--seed", 7)).toArray();
    }
    Cli.run(call).isBadInput("The folder " + whole + " holds images of another call", "--output");
    assertThat(FolderContent.of(whole)).isEqualTo(before);
  }

  @Test
  void whatDiffersIsNamed() {
    Cli.run("sample", "--run", run, "--output", whole, "--format", "png", "--seed", 8)
        .isBadInput("(--seed: 7 there, 8 here)");
  }

  @Test
  void picturesOfUnknownOriginAreNotMixedIn() throws IOException {
    Files.writeString(folder.resolve("0000.png"), "of somebody");
    sample(folder, "--count", 2).isBadInput("holds 0000.png but no samples.json", "--output");
    Files.writeString(folder.resolve("samples.json"), "[]");
    sample(folder, "--count", 2).isBadInput("samples.json does not say what the images");
    assertThat(names(folder)).containsExactly("0000.png", "samples.json");
    assertThat(folder.resolve("0000.png")).hasContent("of somebody");
  }

  /** A call that was stopped before its first image was ready leaves its record alone. */
  @Test
  void aRecordOfNoImagesHoldsUpNobody() throws IOException {
    Path stopped = Files.createDirectory(folder.resolve("stopped"));
    Files.copy(whole.resolve("samples.json"), stopped.resolve("samples.json"));
    sample(stopped, "--count", 2, "--steps", 3).isOk();
    assertThat(names(stopped)).containsExactly("0000.png", "0001.png", "samples.json");
    // It is now of that call.
    sample(stopped, "--count", 2).isBadInput("another call");
    sample(stopped, "--count", 2, "--steps", 3).isOk();
  }

  @Test
  void oneCallAtATimeDrawsIntoAFolder() throws IOException {
    FolderLock other = FolderLock.tryLock(folder).orElseThrow();
    try {
      sample(folder, "--count", 2).isBadInput(folder.toString(), "in use");
    } finally {
      other.close();
    }
    sample(folder, "--count", 2).isOk();
  }

  @Test
  void givenNoiseIsPartOfTheCall() throws IOException {
    Path noise = folder.resolve("noise.safetensors");
    Path output = folder.resolve("output");
    INDArray start = Nd4j.randn(5, 1, 8, 8);
    SafetensorsWriter.write(noise, Map.of("noise", start), Map.of());
    sample(output, "--noise", noise).isOk();
    sample(output, "--noise", noise).isOk();
    SafetensorsWriter.write(noise, Map.of("noise", start.mul(0.5)), Map.of());
    sample(output, "--noise", noise).isBadInput("another call (noise: ");
  }

  @Test
  void aTensorIsWrittenInBatchesToo() throws IOException {
    Path all = folder.resolve("all.safetensors");
    Path parts = folder.resolve("parts.safetensors");
    Cli.run("sample", "--run", run, "--count", 5, "--format", "safetensors", "--output", all)
        .isOk();
    Cli.run(
            "sample",
            "--run",
            run,
            "--count",
            5,
            "--format",
            "safetensors",
            "--output",
            parts,
            "--batch-size",
            2)
        .isOk();
    assertThat(parts).hasSameBinaryContentAs(all);
    try (SafetensorsReader reader = SafetensorsReader.open(all)) {
      assertThat(reader.shape("images")).containsExactly(5, 1, 8, 8);
    }
  }

  @Test
  void aTensorThatWouldBeTooLargeIsRefusedBeforeItIsDrawn() {
    Cli.run(
            "sample",
            "--model",
            run.resolve("unet"),
            "--size",
            128,
            "--timesteps",
            6,
            "--count",
            100_000,
            "--format",
            "safetensors",
            "--output",
            folder.resolve("a.safetensors"))
        .isBadInput("100000 images of 128x128x1 cannot go into one tensor", "at most 32767");
    assertThat(folder).isEmptyDirectory();
  }
}
