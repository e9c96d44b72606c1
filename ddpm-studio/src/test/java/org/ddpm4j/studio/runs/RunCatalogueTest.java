package org.ddpm4j.studio.runs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCatalogueTest {

  @TempDir private Path folder;

  @Test
  void aRunOfAnotherProcessIsSeenWhileItWritesItsProgress() throws Exception {
    Path run = RunFixture.write(folder.resolve("one"), ProcessHandle.current().pid());
    Files.createDirectories(folder.resolve("no-run"));
    RunCatalogue catalogue = new RunCatalogue(folder);

    assertThat(catalogue.list().runs()).hasSize(1);
    assertThat(catalogue.list().damaged()).isEmpty();
    RunCatalogue.Run found = catalogue.find("one").orElseThrow();
    assertThat(found.state()).isEqualTo(RunCatalogue.State.RUNNING);
    assertThat(found.step()).isEqualTo(900);
    assertThat(found.progress().orElseThrow().imagesPerSecond()).isEqualTo(412.5);
    assertThat(found.losses().rows()).hasSize(90);
    assertThat(found.losses().rows().get(89).step()).isEqualTo(900);
    assertThat(catalogue.grids(found)).containsExactly(250L, 500L, 750L);
    assertThat(catalogue.grid(found, 500))
        .hasValueSatisfying(
            png ->
                assertThat(png)
                    .isEqualTo(read(run.resolve("samples").resolve("step-0000500.png"))));
    assertThat(catalogue.grid(found, 501)).isEmpty();

    Files.setLastModifiedTime(
        run.resolve("progress.json"), FileTime.from(Instant.now().minus(Duration.ofMinutes(5))));
    assertThat(catalogue.find("one").orElseThrow().state()).isEqualTo(RunCatalogue.State.DONE);
  }

  /** What a training has left is told of; a config.json alone may be that of any model. */
  @Test
  void aRunThatCannotBeReadIsDamaged() throws Exception {
    Path run = RunFixture.writeEarlier(folder.resolve("one"));
    Path model = Files.createDirectories(folder.resolve("model"));
    Files.writeString(model.resolve("config.json"), "{\"model_type\": \"other\"}");
    Path config = Files.writeString(run.resolve("config.json"), "{");
    RunCatalogue catalogue = new RunCatalogue(folder);

    assertThat(catalogue.list().runs()).isEmpty();
    assertThat(catalogue.find("one")).isEmpty();
    assertThat(catalogue.list().damaged()).containsExactly(catalogue.damage("one").orElseThrow());
    assertThat(catalogue.damage("one").orElseThrow().reason()).contains(config + " is not JSON");
    assertThat(catalogue.damage("model")).isEmpty();
    assertThat(catalogue.damage("../one")).isEmpty();
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void noNameLeadsOutOfTheFolder() throws Exception {
    Path outside = RunFixture.write(folder.resolve("outside"), 1);
    RunCatalogue catalogue = new RunCatalogue(Files.createDirectories(folder.resolve("runs")));

    assertThat(outside).exists();
    assertThat(catalogue.find("../outside")).isEmpty();
    assertThat(catalogue.find("")).isEmpty();
    assertThat(catalogue.find(".")).isEmpty();
    assertThat(new RunCatalogue(folder.resolve("nothing")).list().runs()).isEmpty();
  }

  @Test
  void longTablesAreThinnedAndKeepTheirEnd() throws Exception {
    StringBuilder table = new StringBuilder("step,loss,validation_loss,learning_rate,norm\n");
    for (int step = 1; step <= 5000; step++) {
      table.append(step).append(",0.5,NaN,0.001,1\n");
    }
    table.append("damaged\n");
    Path file = Files.writeString(folder.resolve("loss.csv"), table);

    List<LossTable.Row> rows = LossTable.read(file).rows();
    assertThat(rows).hasSizeBetween(300, 600);
    assertThat(rows.get(rows.size() - 1).step()).isEqualTo(5000);
    assertThat(rows.get(0).validationLoss()).isNaN();
  }

  /** A run that reports every step for months is looked at every few seconds. */
  @Test
  void ofTablesOfAnySizeSomePlacesAreRead() throws Exception {
    StringBuilder table = new StringBuilder("step,loss,validation_loss,learning_rate,norm\n");
    for (int step = 1; step <= 30_000; step++) {
      table.append(step).append(step % 1000 == 7 ? ",damaged\n" : ",0.5,NaN,0.001,1\n");
    }
    Path file = Files.writeString(folder.resolve("loss.csv"), table);

    List<Long> steps = LossTable.read(file).rows().stream().map(LossTable.Row::step).toList();
    assertThat(steps).hasSizeBetween(300, 600).doesNotHaveDuplicates().isSorted();
    assertThat(steps.get(0)).isLessThan(100);
    assertThat(steps.get(steps.size() - 1)).isEqualTo(30_000);

    // Larger than what is read of other tables, though mostly of nothing.
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(
          ByteBuffer.wrap("\n40000,0.25,0.5,0.001,1\n".getBytes(StandardCharsets.UTF_8)),
          100L << 20);
    }
    List<LossTable.Row> rows = LossTable.read(file).rows();
    assertThat(rows.get(rows.size() - 1)).isEqualTo(new LossTable.Row(40_000, 0.25, 0.5, 0.001));
  }

  /** Distances take minutes to measure, and steps of large networks, too. */
  @Test
  void aTrainingThatIsSilentForMinutesRunsAsLongAsItsProcessLives() throws Exception {
    Path run = RunFixture.write(folder.resolve("one"), ProcessHandle.current().pid());
    Path file = run.resolve("progress.json");
    long started = ProcessHandle.current().info().startInstant().orElseThrow().toEpochMilli();
    String said = Files.readString(file);
    RunCatalogue catalogue = new RunCatalogue(folder);

    for (long wrong : List.of(0L, -60_000L)) {
      Files.writeString(
          file, said.replace("\"ended\"", "\"started\": " + (started + wrong) + ", \"ended\""));
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofMinutes(5))));
      assertThat(catalogue.find("one").orElseThrow().state())
          .isEqualTo(wrong == 0 ? RunCatalogue.State.RUNNING : RunCatalogue.State.DONE);
    }
  }

  @Test
  void aTrainingIsStoppedAndItsFailureTold() throws Exception {
    try (TrainingProcesses processes =
        new TrainingProcesses(folder, words -> List.of("sh", "-c", words.get(0)))) {
      processes.start("sleeps", List.of("sleep 600"));
      assertThat(processes.isRunning("sleeps")).isTrue();
      assertThat(processes.stop("sleeps")).isTrue();
      awaitEnd(processes, "sleeps");
      assertThat(processes.failure("sleeps")).isEmpty();
      assertThat(processes.stop("sleeps")).isFalse();

      processes.start("fails", List.of("echo one; echo 'ddpm: There is no data.'; exit 2"));
      awaitEnd(processes, "fails");
      assertThat(processes.failure("fails")).hasValue("ddpm: There is no data.");
    }
  }

  private static void awaitEnd(TrainingProcesses processes, String name)
      throws InterruptedException {
    while (processes.isRunning(name)) {
      Thread.sleep(10);
    }
  }
}
