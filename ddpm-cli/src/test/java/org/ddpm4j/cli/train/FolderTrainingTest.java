package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderTrainingTest {

  @TempDir private Path folder;

  /** For its saving there may be no memory left else. */
  @Test
  void whatStepsTakeIsGivenBackBeforeTheLastStateIsSaved() throws IOException {
    Path images = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Cli.Result printed =
        Cli.run(Cli.tinyTraining(images, folder.resolve("run"), 50, "--dry-run")).isOk();
    RunConfig config = RunConfig.fromJson(printed.out(), "the test");
    LoadedImages loaded =
        new LoadedImages(
            FashionMnist.load(Split.TRAIN, DataSources.ofHost().withDataFolder(images)),
            List.of(),
            Map.of());
    TrainingData data =
        new TrainingData(
            loaded.images(), Optional.empty(), config.data(), loaded, Optional.of(images));
    Console console =
        new Console(
            OutputStream.nullOutputStream(),
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8),
            OptionalInt.empty());
    Beginnings none = new Beginnings(Optional.empty(), Optional.empty());
    try (TrainingSession session =
        new TrainingSession(console, config, data, none, Execution.automatic())) {
      session.secondsPerStep(0.001);
      long held = Pointer.totalBytes();
      Checkpoint state = session.lastState();
      assertThat(Pointer.totalBytes()).isLessThan(held);
      Path file = folder.resolve("state.safetensors");
      state.write(file);
      assertThat(Checkpoint.read(file, state.weights()).step()).isPositive();
    }
  }

  @Test
  void whyAStepCouldNotBeSavedIsSaidInWordsOfTheUser() {
    assertThat(
            FolderTraining.words(
                new OutOfMemoryError(
                    "Cannot allocate new LongPointer(1): totalBytes = 189M, physicalBytes = 551M")))
        .isEqualTo("there is no memory left for it");
    assertThat(FolderTraining.words(new IOException("The disk is full.")))
        .isEqualTo("The disk is full.");
  }
}
