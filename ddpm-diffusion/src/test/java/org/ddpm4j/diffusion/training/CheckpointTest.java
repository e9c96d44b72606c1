package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.io.SafetensorsWriter;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.ViewIterator;
import org.nd4j.linalg.factory.Nd4j;

class CheckpointTest {

  private static Trainer trained;

  @TempDir Path folder;

  @BeforeAll
  static void train() throws IOException {
    trained = TinyTraining.trainer(6);
    trained.withListener((t, report) -> stopAt(t, report, 5));
    trained.fit();
  }

  private static void stopAt(Trainer trainer, TrainingListener.StepReport report, long step) {
    if (report.step() == step) {
      trainer.requestStop();
    }
  }

  @Test
  void roundTripIsExact() throws IOException {
    Path file = write();
    Checkpoint written = trained.checkpoint();
    Checkpoint read = Checkpoint.read(file, TinyTraining.unet().parameters());

    assertThat(read.step()).isEqualTo(5);
    assertSame(read, written);
    assertThat(read.history()).hasSize(1);
    assertThat(read.window().steps()).isEqualTo(1);
    assertThat(read.window().loss()).isPositive();

    Path again = folder.resolve("again.safetensors");
    read.write(again);
    assertThat(again).hasSameBinaryContentAs(file);
  }

  @Test
  void roundTripOfTheBeginningAndOfExtremeNumbers() throws IOException {
    Parameters weights = TinyTraining.unet().parameters();
    weights.flat().putScalar(0, Float.MIN_VALUE);
    weights.flat().putScalar(1, -0.0f);
    weights.flat().putScalar(2, Float.MAX_VALUE);
    Checkpoint checkpoint =
        new Checkpoint(
            Checkpoint.VERSION,
            (1L << 53) + 1,
            weights,
            weights,
            weights,
            weights,
            List.of(),
            new Checkpoint.Window(Math.PI, Double.MIN_VALUE, Long.MAX_VALUE),
            Optional.empty());
    Path file = folder.resolve("c.safetensors");
    checkpoint.write(file);
    Checkpoint read = Checkpoint.read(file, weights);
    assertSame(read, checkpoint);
    assertThat(Float.floatToRawIntBits(read.weights().flat().getFloat(1)))
        .isEqualTo(Float.floatToRawIntBits(-0.0f));
  }

  /** Readable elsewhere: PyTorch's names and layouts, and a header that says what it is. */
  @Test
  void theFileIsAPlainSafetensorsFile() throws IOException {
    try (SafetensorsReader reader = SafetensorsReader.open(write())) {
      assertThat(reader.metadata())
          .containsEntry("format", "ddpm4j-checkpoint")
          .containsEntry("version", "2")
          .containsOnlyKeys("format", "version", "crc32c");
      assertThat(reader.names())
          .contains("model.init_conv.weight", "ema.init_conv.weight")
          .contains("exp_avg.init_conv.weight", "exp_avg_sq.init_conv.weight")
          .contains("step", "window.loss", "window.gradient_norm", "window.steps")
          .contains("history.step", "history.loss", "history.validation_loss")
          .contains("history.learning_rate", "history.gradient_norm");
      assertThat(reader.tensor("step").getLong(0)).isEqualTo(5);
      // PyTorch's layout: [out,in,height,width].
      assertThat(reader.tensor("model.init_conv.weight"))
          .isEqualTo(trained.unet().parameters().toPyTorch().get("init_conv.weight").dup('c'));
    }
  }

  /** Any damaged bit of the data is found, wherever it lies. */
  @Test
  void aFlippedBitIsFoundByTheChecksum() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    int dataStart = 8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    for (int i = 0; i < 24; i++) {
      int place = (int) (dataStart + (long) i * (bytes.length - 1 - dataStart) / 23);
      byte[] damaged = bytes.clone();
      damaged[place] ^= (byte) (1 << i % 8);
      Files.write(file, damaged);
      assertRefused(file, "is damaged: its data have the CRC-32C");
    }
  }

  /** A damaged header is refused, or says the same as before. */
  @Test
  void aFlippedBitInTheHeaderNeverChangesTheState() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    int dataStart = 8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    Parameters like = TinyTraining.unet().parameters();
    for (int place = 0; place < dataStart; place += 101) {
      byte[] damaged = bytes.clone();
      damaged[place] ^= (byte) (1 << place % 8);
      Files.write(file, damaged);
      Checkpoint read;
      try {
        read = Checkpoint.read(file, like);
      } catch (IOException e) {
        assertThat(e.getMessage()).contains(file.toString()).endsWith(".");
        continue;
      }
      assertSame(read, trained.checkpoint());
    }
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {0, 7, 8, 100, bytes.length / 2, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertRefused(file, "");
    }
  }

  @Test
  void aMissingFileIsRefused() {
    assertRefused(folder.resolve("none.safetensors"), "");
  }

  @Test
  void anotherNetworksCheckpointIsRefused() throws IOException {
    Path file = write();
    Unet wider =
        Unet.create(
            AnnotatedUnet.resnet(16, 1, List.of(1, 2), 4).withAttention(2, 4), DataType.FLOAT, 1);
    assertThatThrownBy(() -> Checkpoint.read(file, wider.parameters()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("does not fit this run's network: The tensor");
    Unet inDouble = Unet.create(TinyTraining.CONFIG, DataType.DOUBLE, 1);
    assertThatThrownBy(() -> Checkpoint.read(file, inDouble.parameters()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is of type FLOAT where the network has DOUBLE");
  }

  @Test
  void otherFilesAndVersionsAreRefused() throws IOException {
    Path model = folder.resolve("model.safetensors");
    SafetensorsWriter.write(model, trained.unet().parameters().toPyTorch(), Map.of("format", "pt"));
    assertRefused(
        model,
        "is not a checkpoint of version 1 or 2: its format is pt and its version missing; name");

    Path newer = folder.resolve("newer.safetensors");
    SafetensorsWriter.writeWithChecksum(
        newer, Map.of(), Map.of("format", "ddpm4j-checkpoint", "version", "3"));
    assertRefused(
        newer,
        "is not a checkpoint of version 1 or 2: its format is ddpm4j-checkpoint and its version 3");
  }

  /**
   * Whose weights can be sampled with; going on would draw other numbers than the run began with.
   */
  @Test
  void anEarlierVersionIsReadButNotResumed() throws IOException {
    Checkpoint now = TinyTraining.trainer(3).checkpoint();
    Checkpoint old =
        new Checkpoint(
            1,
            2,
            now.weights(),
            now.ema(),
            now.firstMoment(),
            now.secondMoment(),
            List.of(),
            now.window(),
            Optional.empty());
    Path file = folder.resolve("old.safetensors");
    old.write(file);
    Checkpoint read = Checkpoint.read(file, now.weights());
    assertThat(read.version()).isEqualTo(1);
    assertThat(read.weights().flat()).isEqualTo(now.weights().flat());

    Trainer trainer = TinyTraining.trainer(3);
    assertThatThrownBy(() -> trainer.resume(read))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The checkpoint has version 1, whose run drew its random numbers otherwise than version 2 does, so that going on would be neither run; finish it with the ddpm4j that began it, or begin a new run.");
    assertThat(trainer.step()).isZero();
  }

  @Test
  void aFileWithoutItsChecksumIsRefused() throws IOException {
    Path file = folder.resolve("c.safetensors");
    SafetensorsWriter.write(file, Map.of(), Map.of("format", "ddpm4j-checkpoint", "version", "1"));
    assertRefused(file, "is a checkpoint without its checksum");
  }

  /** Files with a right checksum that {@link Checkpoint#write} never wrote. */
  @Test
  void nonsenseWithAChecksumIsRefused() throws IOException {
    assertRefused(with(t -> t.remove("step")), "has no tensor 'step'");
    assertRefused(
        with(t -> t.put("step", Nd4j.createFromArray(-1L))),
        "cannot be resumed from: The step of the checkpoint is -1; it must be at least 0.");
    assertRefused(with(t -> t.put("step", Nd4j.createFromArray(1.0))), "its tensor step is DOUBLE");
    assertRefused(
        with(t -> t.put("step", Nd4j.createFromArray(1L, 2L))),
        "its tensor step is LONG[2] where a checkpoint has LONG[1]");
    assertRefused(
        with(t -> t.put("window.steps", Nd4j.createFromArray(-5L))),
        "The number of steps in the window is -5");
    assertRefused(
        with(t -> t.put("history.loss", Nd4j.createFromArray(1.0, 2.0))),
        "its tensor history.loss is DOUBLE[2] where a checkpoint has DOUBLE[1]");
    assertRefused(
        with(t -> t.put("history.step", Nd4j.scalar(1.0))), "its tensor history.step is DOUBLE[]");
    assertRefused(with(t -> t.remove("history.step")), "has no tensor 'history.step'");
    assertRefused(with(t -> t.remove("ema.init_conv.bias")), "The tensor init_conv.bias");
    assertRefused(
        with(t -> t.put("exp_avg.other", Nd4j.createFromArray(1f))), "none of the network's");
  }

  private Path with(Consumer<Map<String, INDArray>> change) throws IOException {
    Map<String, INDArray> tensors = new LinkedHashMap<>();
    Map<String, String> metadata;
    try (SafetensorsReader reader = SafetensorsReader.open(write())) {
      for (String name : reader.names()) {
        tensors.put(name, reader.tensor(name));
      }
      metadata = reader.metadata();
    }
    change.accept(tensors);
    Path file = folder.resolve("changed.safetensors");
    SafetensorsWriter.writeWithChecksum(file, tensors, metadata);
    return file;
  }

  private static void assertRefused(Path file, String part) {
    assertThatThrownBy(() -> Checkpoint.read(file, TinyTraining.unet().parameters()))
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(part)
        .hasMessageEndingWith(".");
  }

  private Path write() throws IOException {
    Path file = folder.resolve("checkpoint.safetensors");
    trained.checkpoint().write(file);
    return file;
  }

  @Test
  void theFolderKeepsTheNewest() throws IOException {
    CheckpointFolder checkpoints = new CheckpointFolder(folder.resolve("new"), 2);
    assertThat(checkpoints.latest()).isEmpty();
    assertThat(checkpoints.all()).isEmpty();
    for (long step : new long[] {1, 9, 10, 99, 12_345_678}) {
      assertThat(checkpoints.write(at(step))).exists();
    }
    assertThat(checkpoints.all())
        .extracting(file -> file.getFileName().toString())
        .containsExactly("step-0000099.safetensors", "step-12345678.safetensors");
    assertThat(checkpoints.latest()).contains(checkpoints.all().get(1));
  }

  /** One every four steps to the ninth, stopped at 5 and at 6, against one that went through. */
  @Test
  void theFolderOfAnInterruptedRunEndsAsThatOfOneThatWentThrough() throws IOException {
    CheckpointFolder whole = new CheckpointFolder(folder.resolve("whole"), 2);
    for (long step : new long[] {4, 8, 9}) {
      whole.write(at(step), 4);
    }
    CheckpointFolder stopped = new CheckpointFolder(folder.resolve("stopped"), 2);
    for (long step : new long[] {4, 5, 6}) {
      stopped.write(at(step), 4);
    }
    assertThat(names(stopped))
        .containsExactly("step-0000004.safetensors", "step-0000006.safetensors");
    for (long step : new long[] {8, 9}) {
      stopped.write(at(step), 4);
    }
    assertThat(names(whole))
        .containsExactly("step-0000008.safetensors", "step-0000009.safetensors");
    assertThat(names(stopped)).isEqualTo(names(whole));
  }

  private static List<String> names(CheckpointFolder checkpoints) throws IOException {
    return checkpoints.all().stream().map(file -> file.getFileName().toString()).toList();
  }

  @Test
  void theFolderNeverRemovesWhatItHasJustWritten() throws IOException {
    CheckpointFolder checkpoints = new CheckpointFolder(folder, 1);
    checkpoints.write(at(500));
    Path earlier = checkpoints.write(at(3));
    assertThat(earlier).exists();
  }

  @Test
  void theFolderRemovesWhatAKilledRunLeftAndNothingElse() throws IOException {
    Files.writeString(folder.resolve(".ddpm4j-1234.tmp"), "half");
    Files.writeString(folder.resolve("notes.txt"), "mine");
    Files.writeString(folder.resolve("step-x.safetensors"), "mine");
    CheckpointFolder checkpoints = new CheckpointFolder(folder, 1);
    Path file = checkpoints.write(at(3));
    assertThat(folder)
        .isDirectoryContaining(file::equals)
        .isDirectoryContaining("glob:**notes.txt")
        .isDirectoryContaining("glob:**step-x.safetensors")
        .isDirectoryNotContaining("glob:**.tmp");
    assertThat(checkpoints.all()).containsExactly(file);
  }

  /** The digits of a file name are looked for as 0 to 9. */
  @Test
  void theFolderFindsItsFilesInEveryLocale() throws IOException {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertThat("%d".formatted(1)).as("this locale has digits of its own").isNotEqualTo("1");
      CheckpointFolder checkpoints = new CheckpointFolder(folder, 2);
      Path file = checkpoints.write(at(123));
      assertThat(checkpoints.latest()).contains(file);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> new CheckpointFolder(file, 2).write(at(1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(
            "The folder " + file + " cannot be made because there is a file in its place");
    assertThatThrownBy(() -> new CheckpointFolder(folder, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The number of checkpoints to keep is 0; it must be at least 1.");
    assertThatThrownBy(() -> new CheckpointListener(new CheckpointFolder(folder, 1), 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Checkpoint at(long step) {
    Checkpoint now = trained.checkpoint();
    return new Checkpoint(
        Checkpoint.VERSION,
        step,
        now.weights(),
        now.ema(),
        now.firstMoment(),
        now.secondMoment(),
        now.history(),
        now.window(),
        now.timesteps());
  }

  /** Nine steps, reports every 4, checkpoints wherever: every interruption gives the same bits. */
  @Test
  @Tag("slow")
  void resumedAtAnyStepTheRunEndsTheSame() throws IOException {
    int steps = 9;
    Trainer whole = TinyTraining.trainer(steps);
    CheckpointFolder all = new CheckpointFolder(folder, steps);
    whole.withListener(new CheckpointListener(all, 1)).fit();
    assertThat(all.all()).hasSize(steps);
    for (Path file : all.all()) {
      Trainer resumed = TinyTraining.trainer(steps);
      resumed.resume(Checkpoint.read(file, resumed.unet().parameters()));
      resumed.fit();
      assertSame(resumed.checkpoint(), whole.checkpoint());
    }
    assertThat(whole.history().entries()).hasSize(2);
  }

  @Test
  void resumedFromAnIteratorTheRunEndsTheSame() throws IOException {
    int steps = 8;
    Trainer whole = fromIterator(steps);
    CheckpointFolder all = new CheckpointFolder(folder, steps);
    whole.withListener(new CheckpointListener(all, 3)).fit();
    assertThat(all.all()).hasSize(3);
    for (Path file : all.all()) {
      Trainer resumed = fromIterator(steps);
      resumed.resume(Checkpoint.read(file, resumed.unet().parameters()));
      resumed.fit();
      assertSame(resumed.checkpoint(), whole.checkpoint());
    }
  }

  private static Trainer fromIterator(int steps) {
    // 20 images in batches of 8: an epoch of 3 batches, the last of which is smaller.
    DataSet images = TinyTraining.images(0, 20);
    return new Trainer(
        TinyTraining.unet(),
        TinyTraining.SCHEDULE,
        TinyTraining.config(steps),
        BatchSource.of(new ViewIterator(images, 8)));
  }

  private static void assertSame(Checkpoint actual, Checkpoint expected) {
    assertThat(actual.step()).isEqualTo(expected.step());
    assertThat(bits(actual.weights())).isEqualTo(bits(expected.weights()));
    assertThat(bits(actual.ema())).isEqualTo(bits(expected.ema()));
    assertThat(bits(actual.firstMoment())).isEqualTo(bits(expected.firstMoment()));
    assertThat(bits(actual.secondMoment())).isEqualTo(bits(expected.secondMoment()));
    assertThat(actual.history()).isEqualTo(expected.history());
    assertThat(actual.window()).isEqualTo(expected.window());
  }

  private static float[] bits(Parameters values) {
    return values.flat().toFloatVector();
  }
}
