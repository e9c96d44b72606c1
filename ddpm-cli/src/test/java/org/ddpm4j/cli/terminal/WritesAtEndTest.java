package org.ddpm4j.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ddpm4j.io.AtomicFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A signal in the middle of a file. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class WritesAtEndTest {

  private static final int TERMINATED_EXIT_CODE = 128 + 15;

  @TempDir private Path folder;

  /** Writes one file after another, slowly, and says when the first has been begun. */
  static final class SlowWriter {

    private SlowWriter() {}

    /**
     * Writes until it is killed.
     *
     * @param args the folder
     */
    public static void main(String[] args) throws IOException {
      Interruption.finishWritesAtEnd();
      for (int i = 0; ; i++) {
        AtomicFile.write(
            Path.of(args[0], i + ".txt"),
            out -> {
              out.write("half".getBytes(StandardCharsets.US_ASCII));
              System.out.println("begun");
              try {
                Thread.sleep(100);
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
              out.write(" and half".getBytes(StandardCharsets.US_ASCII));
            });
      }
    }
  }

  @Test
  void aFileThatIsBeingWrittenIsFinishedAndNoOtherBegun() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                SlowWriter.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
      assertThat(out.readLine()).isEqualTo("begun");
      process.destroy();
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    }
    assertThat(process.exitValue()).isEqualTo(TERMINATED_EXIT_CODE);
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.toList();
    }
    assertThat(files)
        .isNotEmpty()
        .allSatisfy(
            file -> {
              assertThat(file.getFileName().toString()).matches("\\d+\\.txt");
              assertThat(file).hasContent("half and half");
            });
  }
}
