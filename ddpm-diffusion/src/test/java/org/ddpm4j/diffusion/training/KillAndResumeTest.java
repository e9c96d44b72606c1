package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training in a process of its own is killed with SIGKILL again and again, and ends with the very
 * bytes of one that was left alone.
 */
@Tag("slow")
class KillAndResumeTest {

  private static final int STEPS = 40;
  private static final int NEVER = Integer.MAX_VALUE;

  @TempDir static Path shared;

  private static Path whole;

  @TempDir Path folder;

  /** Checkpoints say nothing of how many there are, so that one training serves both tests. */
  @BeforeAll
  static void trainWithoutKills() throws Exception {
    whole = shared.resolve("whole");
    assertThat(train(whole, 5, NEVER, 0)).startsWith("begin 0").endsWith("end");
  }

  @Test
  void resumedAfterKillsTheFileIsTheSame() throws Exception {
    Path killed = folder.resolve("killed");
    int every = 5;

    SplittableRandom random = new SplittableRandom(1);
    List<String> begins = new ArrayList<>();
    for (int kill = 0; kill < 3; kill++) {
      // A moment after a step that lies behind a checkpoint: in a later step or in a later file.
      List<String> lines = train(killed, every, every + 1 + random.nextInt(3), random.nextInt(150));
      assertThat(lines).doesNotContain("end");
      begins.add(lines.get(0));
    }
    assertThat(begins).startsWith("begin 0").doesNotHaveDuplicates();
    assertThat(train(killed, every, NEVER, 0)).doesNotContain("begin 0").endsWith("end");

    assertThat(last(killed)).hasSameBinaryContentAs(last(whole));
  }

  @Test
  void killedWhileItWritesTheFileIsTheSame() throws Exception {
    Path killed = folder.resolve("killed");
    int halfWritten = 0;
    for (int kill = 0; kill < 8 && halfWritten < 2; kill++) {
      halfWritten += trainUntilItWrites(killed) ? 1 : 0;
    }
    assertThat(halfWritten).as("kills in the middle of a file").isPositive();
    assertThat(train(killed, 1, NEVER, 0)).doesNotContain("begin 0").endsWith("end");

    assertThat(last(killed)).hasSameBinaryContentAs(last(whole));
    assertThat(files(killed)).as("nothing half-written is left").hasSize(2);
  }

  /** Kills the process while it writes its third checkpoint; tells whether that was in time. */
  private static boolean trainUntilItWrites(Path checkpoints) throws Exception {
    Process process = start(checkpoints, 1);
    try (BufferedReader out = process.inputReader()) {
      int steps = 0;
      while (steps < 3) {
        String line = out.readLine();
        assertThat(line).isNotNull();
        steps += line.startsWith("step ") ? 1 : 0;
      }
      Optional<Path> seen = unfinished(checkpoints);
      while (seen.isEmpty() && process.isAlive()) {
        seen = unfinished(checkpoints);
      }
      process.destroyForcibly().waitFor();
    } finally {
      process.destroyForcibly();
    }
    return unfinished(checkpoints).isPresent();
  }

  private static Optional<Path> unfinished(Path checkpoints) throws IOException {
    return files(checkpoints).stream().filter(file -> file.toString().endsWith(".tmp")).findAny();
  }

  private static List<Path> files(Path checkpoints) throws IOException {
    if (!Files.isDirectory(checkpoints)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(checkpoints)) {
      return files.toList();
    }
  }

  private static Path last(Path checkpoints) throws IOException {
    Path last = new CheckpointFolder(checkpoints, 2).latest().orElseThrow();
    assertThat(last).hasFileName("step-0000040.safetensors");
    return last;
  }

  /**
   * Runs the process, and kills it a moment after so many of its steps; gives what it printed. ND4J
   * prints lines of its own.
   */
  private static List<String> train(Path checkpoints, int every, int killAfterSteps, int millis)
      throws Exception {
    Process process = start(checkpoints, every);
    List<String> lines = new ArrayList<>();
    try (BufferedReader out = process.inputReader()) {
      long steps = 0;
      for (String line = out.readLine();
          line != null && steps < killAfterSteps;
          line = out.readLine()) {
        lines.add(line);
        steps += line.startsWith("step ") ? 1 : 0;
      }
      if (steps == killAfterSteps) {
        Thread.sleep(millis);
        process.destroyForcibly();
      }
      assertThat(process.waitFor() == 0).as("%s", lines).isEqualTo(steps < killAfterSteps);
    } finally {
      process.destroyForcibly();
    }
    return lines;
  }

  private static Process start(Path checkpoints, int every) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                TrainingProcess.class.getName(),
                checkpoints.toString(),
                Integer.toString(STEPS),
                Integer.toString(every))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    // As many threads as a user's program has, unlike the other tests, but they do not spin while
    // they wait, which takes ten times as long where other processes want the cores.
    builder.environment().remove("OMP_NUM_THREADS");
    builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
    return builder.start();
  }
}
