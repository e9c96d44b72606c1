package org.ddpm4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SittingTest {

  @TempDir private Path folder;

  private static Sitting sitting(long begun, long steps, String machine) {
    return new Sitting(begun, steps, 4 * steps, Duration.ofMillis(1500), machine);
  }

  @Test
  void theMachineIsOneCell() throws IOException {
    Path file = folder.resolve("time.csv");
    Sitting plain = sitting(0, 100, "a processor, 2 threads, float32");
    Sitting quotes = sitting(100, 50, "the \"fast\" one, float32");
    String table = Sitting.toCsv(List.of(plain, quotes));
    assertThat(table.lines())
        .containsExactly(
            "begun_at_step,steps,images,seconds,machine",
            "0,100,400,1.500,\"a processor, 2 threads, float32\"",
            "100,50,200,1.500,\"the \"\"fast\"\" one, float32\"");
    Files.writeString(file, table);
    assertThat(Sitting.all(file, sitting(150, 0, "none"))).containsExactly(plain, quotes);
  }

  /** As earlier versions wrote it. */
  @Test
  void aMachineWithoutQuotesIsRead() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("time.csv"),
            "begun_at_step,steps,images,seconds,machine\n0,100,400,1.500,a processor, 2 threads\n");
    assertThat(Sitting.all(file, sitting(100, 0, "none")))
        .containsExactly(sitting(0, 100, "a processor, 2 threads"));
  }

  @Test
  void whatWasThrownAwayDoesNotCount() throws IOException {
    Path file = folder.resolve("time.csv");
    Sitting first = sitting(0, 100, "a processor, 2 threads, float32");
    Sitting killed = sitting(100, 70, "another");
    assertThat(Sitting.all(file, first)).containsExactly(first);
    Files.writeString(file, Sitting.toCsv(List.of(first, killed)) + "by hand\n");

    // Resumed from the checkpoint of step 150, of which only the first sitting is sure.
    Sitting now = sitting(150, 20, "a third");
    assertThat(Sitting.all(file, now)).containsExactly(first, now);
    // A finished run that only draws its pictures again.
    assertThat(Sitting.all(file, sitting(170, 0, "a third"))).containsExactly(first, killed);
  }
}
