package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.data.PixelSource;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.unet.Execution;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is left of a training that runs out of memory. */
class TrainingSessionTest {

  private static final int BATCH = 4;

  @TempDir private Path folder;

  /** Images for so many steps, after which making a batch takes more memory than there is. */
  private static ImageDataSet lasting(ImageDataSet images, int steps, Runnable meanwhile) {
    AtomicInteger used = new AtomicInteger();
    PixelSource pixels =
        new PixelSource() {
          @Override
          public byte[] chunk(int image) {
            boolean isOfBatch = Thread.currentThread().getName().equals("ddpm4j-prefetch");
            if (isOfBatch && used.getAndIncrement() >= steps * BATCH) {
              meanwhile.run();
              throw new OutOfMemoryError("Physical memory usage is too high");
            }
            return images.pixels(image);
          }

          @Override
          public int offset(int image) {
            return 0;
          }
        };
    int[] labels = new int[images.size()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = images.label(i);
    }
    return ImageDataSet.of(images.shape(), pixels, labels, images.classNames(), "the same");
  }

  private static TrainingSession session(Console console, RunConfig config, ImageDataSet images)
      throws IOException {
    return new TrainingSession(
        console,
        config,
        new TrainingData(
            images,
            Optional.empty(),
            config.data(),
            new LoadedImages(images, List.of()),
            Optional.empty()),
        new Beginnings(Optional.empty(), Optional.empty()),
        Execution.automatic());
  }

  private static Console console(ByteArrayOutputStream notes) {
    return new Console(
        new ByteArrayOutputStream(),
        new PrintStream(notes, true, StandardCharsets.UTF_8),
        OptionalInt.empty());
  }

  private static String trainOutOfMemory(RunConfig config, ImageDataSet images, Path run)
      throws IOException {
    ByteArrayOutputStream notes = new ByteArrayOutputStream();
    try (TrainingSession session = session(console(notes), config, images)) {
      assertThatThrownBy(() -> session.begin(run, TrainingSession.NO_LIMIT))
          .isInstanceOf(OutOfMemoryError.class);
    }
    return notes.toString(StandardCharsets.UTF_8);
  }

  private Path trained(Path data, Path run) throws IOException {
    Object[] args = Cli.tinyTraining(data, run, 6);
    // Without images that are held out.
    args[List.of(args).indexOf("--validation-images") + 1] = "0";
    Cli.run(args).isOk();
    return run;
  }

  private static ImageDataSet images(Path data) throws IOException {
    return FashionMnist.load(Split.TRAIN, DataSources.ofHost().withDataFolder(data));
  }

  @Test
  void theStepsThatAreDoneAreSaved() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path whole = trained(data, folder.resolve("whole"));
    RunConfig config = RunFolder.open(whole).readConfig();
    ImageDataSet images = images(data);

    Path broken = folder.resolve("broken");
    String said = trainOutOfMemory(config, lasting(images, 3, () -> {}), broken);
    assertThat(said).contains("train: saved at step 3; go on by 'ddpm train --resume " + broken);
    Cli.run("train", "--resume", broken, "--data", data, "--offline").isOk();
    String last = "checkpoints/step-0000006.safetensors";
    assertThat(Files.mismatch(broken.resolve(last), whole.resolve(last))).isEqualTo(-1);

    Path nothing = folder.resolve("nothing");
    trainOutOfMemory(config, lasting(images, 0, () -> {}), nothing);
    assertThat(nothing).doesNotExist();
  }

  /** The first step of a large network may take minutes, in which its user writes what it is. */
  @Test
  void whatItsUserPutIntoTheFolderStays() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path whole = trained(data, folder.resolve("whole"));
    Path run = folder.resolve("run");
    Path notes = run.resolve("notes.txt");
    trainOutOfMemory(
        RunFolder.open(whole).readConfig(), lasting(images(data), 0, () -> write(notes)), run);
    assertThat(files(run)).containsExactly(run, notes);
  }

  private static void write(Path file) {
    try {
      Files.writeString(file, "with more dropout");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The folder was free when this training read its data, and another has trained there since. */
  @Test
  void whatAnotherTrainingHasLeftStays() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path run = trained(data, folder.resolve("run"));
    RunConfig config = RunFolder.open(run).readConfig();
    List<Path> before = files(run);
    ByteArrayOutputStream notes = new ByteArrayOutputStream();
    try (TrainingSession session = session(console(notes), config, images(data))) {
      assertThatThrownBy(() -> session.begin(run, TrainingSession.NO_LIMIT))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("The run folder " + run + " is not empty");
    }
    assertThat(before).isNotEmpty();
    assertThat(files(run)).isEqualTo(before);
  }

  private static List<Path> files(Path run) throws IOException {
    try (Stream<Path> found = Files.walk(run)) {
      return found.sorted().toList();
    }
  }
}
