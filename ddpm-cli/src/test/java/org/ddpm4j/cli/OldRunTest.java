package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs of format 1, whose random numbers were drawn otherwise, are sampled with but not resumed.
 */
class OldRunTest {

  @TempDir private Path folder;
  private Path run;

  @BeforeEach
  void copyFixture() throws IOException, URISyntaxException {
    Path fixture = fixture("");
    run = folder.resolve("run");
    Files.createDirectories(run.resolve("checkpoints"));
    for (String file : new String[] {"config.json", "checkpoints/step-0000002.safetensors"}) {
      Files.copy(fixture.resolve(file), run.resolve(file));
    }
  }

  private static Path fixture(String file) throws URISyntaxException {
    return Path.of(OldRunTest.class.getResource("run_format_1/" + file).toURI());
  }

  /** From a given noise by a sampler that adds none, the pictures are those of the time. */
  @Test
  void drawsWhatItDrewThen() throws Exception {
    assertThat(RunFolder.open(run).readConfig().format()).isEqualTo(1);
    Path drawn = folder.resolve("drawn.safetensors");
    Cli.run(
            "sample",
            "--run",
            run,
            "--sampler",
            "ddim",
            "--steps",
            3,
            "--noise",
            fixture("noise.safetensors"),
            "--format",
            "safetensors",
            "--output",
            drawn)
        .isOk();
    try (SafetensorsReader expected = SafetensorsReader.open(fixture("drawn.safetensors"));
        SafetensorsReader found = SafetensorsReader.open(drawn)) {
      INDArray images = expected.tensor("images");
      assertThat(images.shape()).containsExactly(2, 1, 8, 8);
      assertThat(images.stdNumber().doubleValue()).isGreaterThan(0.1);
      assertThat(found.tensor("images").sub(images).normmaxNumber().doubleValue()).isLessThan(1e-4);
    }
  }

  @Test
  void isSampledWithASeedOfItsOwnToo() {
    Path picture = folder.resolve("samples.png");
    Cli.run("sample", "--run", run, "--count", 2, "--steps", 2, "--output", picture).isOk();
    assertThat(picture).exists();
  }

  @Test
  void isNotResumed() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Cli.run("train", "--resume", run, "--data", data)
        .isBadInput(
            "The run "
                + run
                + " has the format 1, whose random numbers are drawn otherwise than those of format 2, so that going on would be neither run; finish it with the ddpm4j that began it (0.1.0-SNAPSHOT), or begin a new run.");
    assertThat(run.resolve("checkpoints")).isDirectoryNotContaining("glob:**step-0000004*");
  }

  /** Nor is its checkpoint, put into a run of today. */
  @Test
  void itsCheckpointIsNotResumedEither() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path config = run.resolve("config.json");
    String json = Files.readString(config);
    Files.writeString(
        config,
        json.replaceFirst("\\{", "{\"format\" : 2, ")
            .replaceFirst("\"training\" : \\{", "\"training\" : {\"accumulate\" : 1, "));
    Cli.run("train", "--resume", run, "--data", data)
        .isBadInput(
            "step-0000002.safetensors cannot be resumed from: The checkpoint has version 1");
  }
}
