package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
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
  private static ImageDataSet lasting(ImageDataSet images, int steps) {
    AtomicInteger used = new AtomicInteger();
    PixelSource pixels =
        new PixelSource() {
          @Override
          public byte[] chunk(int image) {
            boolean isOfBatch = Thread.currentThread().getName().equals("ddpm4j-prefetch");
            if (isOfBatch && used.getAndIncrement() >= steps * BATCH) {
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

  private static String trainOutOfMemory(RunConfig config, ImageDataSet images, Path run) {
    ByteArrayOutputStream notes = new ByteArrayOutputStream();
    Console console =
        new Console(
            new ByteArrayOutputStream(),
            new PrintStream(notes, true, StandardCharsets.UTF_8),
            OptionalInt.empty());
    TrainingData data =
        new TrainingData(
            images,
            Optional.empty(),
            config.data(),
            new LoadedImages(images, List.of()),
            Optional.empty());
    try (TrainingSession session =
        new TrainingSession(
            console,
            config,
            data,
            new Beginnings(Optional.empty(), Optional.empty()),
            Execution.automatic())) {
      assertThatThrownBy(() -> session.begin(run, TrainingSession.NO_LIMIT))
          .isInstanceOf(OutOfMemoryError.class);
    }
    return notes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theStepsThatAreDoneAreSaved() throws IOException {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path whole = folder.resolve("whole");
    Object[] args = Cli.tinyTraining(data, whole, 6);
    // Without images that are held out.
    args[List.of(args).indexOf("--validation-images") + 1] = "0";
    Cli.run(args).isOk();
    RunConfig config = RunFolder.open(whole).readConfig();
    ImageDataSet images = FashionMnist.load(Split.TRAIN, DataSources.ofHost().withDataFolder(data));

    Path broken = folder.resolve("broken");
    String said = trainOutOfMemory(config, lasting(images, 3), broken);
    assertThat(said).contains("train: saved at step 3; go on by 'ddpm train --resume " + broken);
    Cli.run("train", "--resume", broken, "--data", data, "--offline").isOk();
    String last = "checkpoints/step-0000006.safetensors";
    assertThat(Files.mismatch(broken.resolve(last), whole.resolve(last))).isEqualTo(-1);

    Path nothing = folder.resolve("nothing");
    trainOutOfMemory(config, lasting(images, 0), nothing);
    assertThat(nothing).doesNotExist();
  }
}
