package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs and networks of which files are cut off or missing: the rest is told, and then which. */
class InfoOfDamagedRunsTest {

  private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";
  private static final String OLDER = "checkpoints/step-0000002.safetensors";
  private static final String NEWEST = "checkpoints/step-0000004.safetensors";

  @TempDir private static Path shared;
  private static Path trained;

  @TempDir private Path folder;
  private Path run;

  @BeforeAll
  static void trainOnce() throws IOException {
    Path data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    trained = shared.resolve("trained");
    Cli.run(Cli.tinyTraining(data, trained, 4, "--checkpoint-every", 2)).isOk();
  }

  @BeforeEach
  void copyRun() throws IOException {
    run = folder.resolve("run");
    try (Stream<Path> files = Files.walk(trained)) {
      for (Path file : files.toList()) {
        Files.copy(file, run.resolve(trained.relativize(file).toString()));
      }
    }
  }

  private void cutOff(String file) throws IOException {
    Path path = run.resolve(file);
    byte[] whole = Files.readAllBytes(path);
    Files.write(path, Arrays.copyOf(whole, whole.length - 100));
  }

  private void delete(String place) throws IOException {
    try (Stream<Path> files = Files.walk(run.resolve(place))) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void aWholeRunSaysWhereItsWeightsAre() {
    assertThat(Cli.run("info", run).isOk().out())
        .contains("weights      " + run.resolve(WEIGHTS), "steps        4 of 4", "\nmachine ");
  }

  @ParameterizedTest
  @ValueSource(strings = {WEIGHTS, OLDER, NEWEST})
  void aFileThatIsCutOffIsNamedAfterTheRest(String file) throws IOException {
    cutOff(file);
    for (Object[] command : new Object[][] {{"info", run}, {"info", "--run", run}}) {
      Cli.Result result =
          Cli.run(command).isBadInputAtEnd(run.resolve(file).toString(), "so it is cut off");
      assertThat(result.err().lines()).hasSize(1);
      assertThat(result.out())
          .contains("\nnetwork ", "\nparameters ", "step-0000002.safetensors, step-", "\nmachine ");
      assertThat(result.out().contains("4 of 4")).isEqualTo(!file.equals(NEWEST));
      assertThat(result.out().contains("\nweights ")).isEqualTo(!file.equals(WEIGHTS));
    }
  }

  @Test
  void allFilesThatAreWrongAreNamedAtOnce() throws IOException {
    cutOff(NEWEST);
    delete(WEIGHTS);
    Cli.run("info", run)
        .isBadInputAtEnd(run.resolve(NEWEST).toString(), run.resolve(WEIGHTS) + " does not exist");
  }

  @Test
  void missingWeightsAreNamed() throws IOException {
    delete(WEIGHTS);
    Cli.Result result = Cli.run("info", run);
    result.isBadInputAtEnd(run.resolve(WEIGHTS) + " does not exist");
    assertThat(result.out()).contains("steps        4 of 4", "\nmachine ");
  }

  /** A training makes the folder at its end, and sample can do without it. */
  @Test
  void aRunMayHaveCheckpointsAlone() throws IOException {
    delete("unet");
    assertThat(Cli.run("info", run).isOk().out())
        .contains(
            "weights      of the checkpoints alone; there is no folder " + run.resolve("unet"));
    delete("checkpoints");
    assertThat(Cli.run("info", run).isOk().out())
        .contains("weights      none; there is neither a checkpoint nor the folder");
  }

  @Test
  void aNetworkWithoutItsWeightsIsTold() throws IOException {
    Path unet = run.resolve("unet");
    cutOff(WEIGHTS);
    Cli.Result result = Cli.run("info", unet).isBadInputAtEnd(WEIGHTS, "so it is cut off");
    assertThat(result.out()).contains("network      U-Net of ResNet blocks", "image sizes ");
    delete(WEIGHTS);
    result = Cli.run("info", unet).isBadInputAtEnd(WEIGHTS + " does not exist");
    assertThat(result.out()).contains("network      U-Net of ResNet blocks", "image sizes ");
  }
}
