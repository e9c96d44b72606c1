package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs in the states in which a kill leaves them, resumed: their folders end as that of a run that
 * was left alone, byte for byte but for how long it took.
 */
class NothingLostTest {

  private static final int STEPS = 8;

  @TempDir private static Path shared;
  private static Path data;

  /** As the run was left alone; moved away, since the report says where a run lies. */
  private static Path whole;

  private static Path run;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, STEPS, "--sample-every", 2, "--checkpoint-every", 4))
        .isOk();
    whole = Files.move(run, shared.resolve("whole"));
  }

  private static Cli.Result resume(Object... more) {
    return Cli.run(
        Stream.concat(Stream.of("train", "--resume", run, "--data", data), Stream.of(more))
            .toArray());
  }

  /** A run of which a kill has left only some of the files. */
  private static void leave(List<String> lost) throws IOException {
    if (Files.exists(run)) {
      FolderContent.delete(run);
    }
    FolderContent.copy(whole, run);
    for (String file : lost) {
      FolderContent.delete(run.resolve(file));
    }
  }

  /** The same files with the same bytes, but for how long it took. */
  private static void assertWhole() throws IOException {
    assertThat(timeless(run)).isEqualTo(timeless(whole));
    assertThat(timelessReport(run)).isEqualTo(timelessReport(whole));
  }

  private static Map<String, String> timeless(Path folder) throws IOException {
    Map<String, String> content = FolderContent.of(folder);
    for (String file : List.of("time.csv", "progress.json", "report.html")) {
      assertThat(content).containsKey(file);
      content.put(file, "");
    }
    return content;
  }

  private static String timelessReport(Path folder) throws IOException {
    String page = Files.readString(folder.resolve("report.html"));
    return page.replaceAll("<tr><th scope=\"row\">(Time|Speed|Machine)</th>[^\n]*\n", "");
  }

  /** In order: before the grid, the report, the checkpoint, the network, the last pictures. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "checkpoints/step-0000008.safetensors samples unet report.html samples.png loss.csv loss.png",
        "checkpoints/step-0000008.safetensors samples/step-0000004.png samples/step-0000006.png"
            + " samples/step-0000008.png unet report.html samples.png loss.csv loss.png",
        "checkpoints/step-0000008.safetensors samples/step-0000008.png unet samples.png",
        "samples/step-0000008.png unet samples.png report.html",
        "unet/diffusion_pytorch_model.safetensors samples.png samples/step-0000008.png",
        "samples.png",
        "report.html",
        "checkpoints samples unet report.html samples.png loss.csv loss.png",
      })
  void aKilledRunEndsAsOneThatWasLeftAlone(String lost) throws IOException {
    List<String> files = List.of(lost.split(" "));
    leave(files);
    // The grid of a step before the checkpoint's was there when the checkpoint was written.
    if (files.contains("samples") && !files.contains("checkpoints")) {
      Files.createDirectory(run.resolve("samples"));
      Files.copy(
          whole.resolve("samples/step-0000002.png"), run.resolve("samples/step-0000002.png"));
    }
    resume("--sample-steps", 2).isOk();
    assertWhole();
  }

  @Test
  void unfinishedFilesOfAKilledRunAreRemoved() throws IOException {
    leave(List.of("samples.png"));
    for (String folder : List.of("", "checkpoints", "samples", "unet")) {
      Files.writeString(run.resolve(folder).resolve(".ddpm4j-12.tmp"), "half");
    }
    resume().isOk();
    assertWhole();
  }

  @Test
  void theStepsOfTheGridsArePartOfTheRun() throws IOException {
    leave(List.of());
    assertThat(run.resolve("config.json")).content().contains("\"sample_steps\" : 2");
    Map<String, String> before = FolderContent.of(run);
    resume("--sample-steps", 3).isBadInput("draws its samples in 2 steps", "--sample-steps 3");
    assertThat(FolderContent.of(run)).isEqualTo(before);
  }

  /** As runs of before have it, which are given the number when they are resumed. */
  @Test
  void aRunThatDoesNotSayTheStepsOfItsGridsIsGivenThem() throws IOException {
    leave(List.of("samples.png", "samples/step-0000008.png"));
    Path config = run.resolve("config.json");
    String json = Files.readString(config);
    Files.writeString(config, json.replaceFirst(",\\s*\"sample_steps\" : 2", ""));
    assertThat(config).content().isNotEqualTo(json);
    resume("--sample-steps", 2).isOk();
    assertWhole();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFolderThatIsMovedOrDeletedWhileItIsTrainedIsNoticed(boolean isMoved) throws Exception {
    Path place = shared.resolve(isMoved ? "moving" : "deleted");
    CompletableFuture<Cli.Result> training =
        CompletableFuture.supplyAsync(
            () ->
                Cli.run(
                    Cli.tinyTraining(
                        data,
                        place,
                        1_000_000,
                        "--checkpoint-every",
                        5,
                        "--sample-every",
                        1_000_000)));
    Path checkpoints = place.resolve("checkpoints");
    while (!training.isDone() && !hasCheckpoint(checkpoints)) {
      Thread.sleep(20);
    }
    // Whole: a half-deleted folder is none of the two cases.
    Path moved = shared.resolve(isMoved ? "moved" : "deleting");
    Files.move(place, moved);
    if (!isMoved) {
      FolderContent.delete(moved);
    }
    Cli.Result result = training.get(2, TimeUnit.MINUTES);
    assertThat(result.code()).as(result.err()).isEqualTo(2);
    assertThat(result.err())
        .contains("ddpm: The run's folder " + place + " was moved, deleted or replaced", "--resume")
        .doesNotContain("\tat ");
    assertThat(place).doesNotExist();
    if (isMoved) {
      Cli.run("train", "--resume", moved, "--data", data, "--time-limit", "0.0000001").isOk();
    }
  }

  private static boolean hasCheckpoint(Path checkpoints) {
    try (Stream<Path> files = Files.list(checkpoints)) {
      return files.anyMatch(file -> file.toString().endsWith(".safetensors"));
    } catch (NoSuchFileException e) {
      return false;
    } catch (IOException e) {
      return fail(e);
    }
  }
}
