package org.ddpm4j.diffusion.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

class RunFolderTest {

  @TempDir Path temporary;

  @Test
  void aNewFolderHoldsItsConfiguration() throws IOException {
    RunFolder run = RunFolder.create(temporary.resolve("runs/first"), RunConfigTest.CONFIG);
    assertThat(RunFolder.open(run.path()).readConfig()).isEqualTo(RunConfigTest.CONFIG);
    assertThat(run.path()).isDirectoryContaining(file -> file.equals(run.configFile()));
    try (var files = Files.list(run.path())) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void anEmptyFolderIsTaken() throws IOException {
    assertThat(RunFolder.create(temporary, RunConfigTest.CONFIG).configFile()).isRegularFile();
  }

  @Test
  void aFolderThatHoldsSomethingIsLeftAlone() throws IOException {
    Path mine = Files.writeString(temporary.resolve("mine.txt"), "mine");
    assertThatThrownBy(() -> RunFolder.create(temporary, RunConfigTest.CONFIG))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "The run folder %s is not empty, and a run never overwrites another; resume it or choose a new folder."
                .formatted(temporary));
    assertThatThrownBy(() -> RunFolder.create(mine, RunConfigTest.CONFIG))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be made");
    assertThat(mine).hasContent("mine");
  }

  @Test
  void whatIsNoRunIsNotOpened() {
    assertThatThrownBy(() -> RunFolder.open(temporary))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is not the folder of a run: it has no config.json");
    assertThatThrownBy(() -> RunFolder.open(temporary.resolve("nowhere")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nowhere is not the folder of a run: it does not exist");
  }

  @Test
  void whatIsTakenForARunIsNamed() throws IOException {
    Path file = Files.writeString(temporary.resolve("file"), "");
    assertThatThrownBy(() -> RunFolder.open(file)).hasMessageContaining("of a run: it is a file");
    Path pipeline = Files.createDirectory(temporary.resolve("pipeline"));
    Files.writeString(pipeline.resolve("model_index.json"), "{}");
    assertThatThrownBy(() -> RunFolder.open(pipeline))
        .hasMessageContaining("it is a pipeline of diffusers");
    for (String network :
        List.of("{\"_class_name\": \"UNet2DModel\"}", "{\"_model\": \"minimal\"}")) {
      Files.writeString(pipeline.resolve("config.json"), network);
      assertThatThrownBy(() -> RunFolder.open(pipeline).readConfig())
          .hasMessageContaining("is the configuration of a network and not of a run");
    }
  }

  @Test
  void aByteOrderMarkIsNoPartOfTheConfiguration() throws IOException {
    RunFolder run = RunFolder.create(temporary, RunConfigTest.CONFIG);
    Files.writeString(run.configFile(), "\ufeff" + Files.readString(run.configFile()));
    assertThat(run.readConfig()).isEqualTo(RunConfigTest.CONFIG);
  }

  @Test
  void aDamagedConfigurationIsNamed() throws IOException {
    RunFolder run = RunFolder.create(temporary, RunConfigTest.CONFIG);
    Files.write(run.configFile(), new byte[] {(byte) 0xC3, '{'});
    assertThatThrownBy(run::readConfig)
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("config.json is not a text file in UTF-8");
    Files.delete(run.configFile());
    assertThatThrownBy(run::readConfig)
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("config.json is missing; name the folder that train made.");
    try (RandomAccessFile huge = new RandomAccessFile(run.configFile().toFile(), "rw")) {
      huge.setLength(3L << 30);
    }
    assertThatThrownBy(run::readConfig)
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining("has 3221225472 bytes, too many");
  }

  @Test
  void theNewestCheckpointIsRead() throws IOException {
    RunFolder run = RunFolder.create(temporary, RunConfigTest.CONFIG);
    Parameters weights =
        Unet.create(RunConfigTest.CONFIG.model().network(), DataType.FLOAT, 1).parameters();
    assertThatThrownBy(() -> run.readLatestCheckpoint(weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("has no checkpoint yet");
    Files.createDirectory(run.unet());
    assertThatThrownBy(() -> run.readCheckpointToResume(weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(
            "has no checkpoint any more but only the moving average of its weights");
    Files.delete(run.unet());

    Path first = run.checkpoints().write(checkpoint(5, weights));
    assertThat(run.readLatestCheckpoint(weights).step()).isEqualTo(5);
    Path second = run.checkpoints().write(checkpoint(10, weights));
    assertThat(run.readLatestCheckpoint(weights).step()).isEqualTo(10);

    byte[] bytes = Files.readAllBytes(second);
    Files.write(second, Arrays.copyOf(bytes, bytes.length - 3));
    assertThatThrownBy(() -> run.readLatestCheckpoint(weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(second.toString())
        .hasMessageEndingWith("Move that file away to go on from %s.".formatted(first));

    Files.delete(second);
    assertThat(run.readLatestCheckpoint(weights).step()).isEqualTo(5);
    Files.write(first, new byte[100]);
    assertThatThrownBy(() -> run.readLatestCheckpoint(weights))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(first.toString())
        .hasMessageNotContaining("Move that file away");
  }

  private static Checkpoint checkpoint(long step, Parameters weights) {
    return new Checkpoint(
        Checkpoint.VERSION,
        step,
        weights,
        weights,
        weights,
        weights,
        List.of(),
        new Checkpoint.Window(0, 0, 0),
        Optional.empty());
  }
}
