package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AtomicFileTest {

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeOldFile() throws IOException {
    file = Files.writeString(folder.resolve("config.json"), "old");
  }

  @Test
  void createsAFile() throws IOException {
    Path created = folder.resolve("new.bin");
    var bytes = new byte[200_000];
    new Random(1).nextBytes(bytes);

    AtomicFile.writeBytes(created, bytes);

    assertThat(created).hasBinaryContent(bytes);
    assertThat(files()).containsExactlyInAnyOrder(created, file);
  }

  @Test
  void replacesAFileWithTextInUtf8() throws IOException {
    AtomicFile.writeString(file, "β, ᾱ");

    assertThat(file).hasContent("β, ᾱ");
    assertThat(files()).containsExactly(file);
  }

  @Test
  void acceptsATargetWithoutAFolderInItsName() throws IOException {
    Path relative = Path.of("atomic-file-test-" + ProcessHandle.current().pid());
    try {
      AtomicFile.writeString(relative, "here");
      assertThat(relative).hasContent("here");
    } finally {
      Files.deleteIfExists(relative);
    }
  }

  @Test
  void keepsTheOldFileInViewUntilTheContentIsComplete() throws IOException {
    AtomicFile.write(
        file,
        out -> {
          out.write(new byte[1 << 20]);
          out.flush();
          assertThat(file).hasContent("old");
          assertThat(files()).hasSize(2);
          assertThat(files())
              .filteredOn(path -> !path.equals(file))
              .allSatisfy(
                  path ->
                      assertThat(path.getFileName().toString()).startsWith(".").endsWith(".tmp"));
        });
    assertThat(file).hasSize(1 << 20);
    assertThat(files()).containsExactly(file);
  }

  @Test
  void takesContentThatClosesTheStream() throws IOException {
    AtomicFile.write(
        file,
        out -> {
          try (var print = new PrintStream(out, false, StandardCharsets.UTF_8)) {
            print.print("closed");
          }
        });
    assertThat(file).hasContent("closed");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void givesTheFileTheSamePermissionsAsAnyOther() throws IOException {
    Path created = folder.resolve("new");
    AtomicFile.writeString(created, "x");
    assertThat(Files.getPosixFilePermissions(created))
        .isEqualTo(Files.getPosixFilePermissions(file));
  }

  @Test
  void writesInAnInterruptedThread() throws IOException {
    Thread.currentThread().interrupt();
    try {
      AtomicFile.writeString(file, "saved on the way out");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(file).hasContent("saved on the way out");
  }

  static Stream<Throwable> failuresOfTheContent() {
    return Stream.of(
        new IOException("The other file is broken."),
        new IllegalArgumentException("bad value"),
        new AssertionError("bug"),
        new OutOfMemoryError("none left"));
  }

  @ParameterizedTest
  @MethodSource("failuresOfTheContent")
  void passesTheContentsFailureOnAndKeepsTheOldFile(Throwable failure) {
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      out.write(new byte[1 << 20]);
                      AtomicFileTest.<RuntimeException>sneak(failure);
                    }))
        .isSameAs(failure);
    assertOldFileAlone();
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable failure) throws T {
    throw (T) failure;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "No space left on device",
        "Disk quota exceeded",
        "There is not enough space on the disk"
      })
  void saysThatTheDiskIsFullAndKeepsTheOldFile(String reason) {
    var full = new IOException(reason);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () ->
                AtomicFile.write(
                    file, out -> out.write(new byte[1 << 20]), disk -> limited(disk, 70_000, full)))
        .withMessage(
            "The file %s could not be written because the disk is full (%s); free some space and try again.",
            file, reason)
        .withCause(full);
    assertOldFileAlone();
  }

  @Test
  void noticesADiskThatIsFullAtTheLastByte() {
    var full = new IOException("No space left on device");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () -> AtomicFile.write(file, out -> out.write(1), disk -> limited(disk, 0, full)))
        .withMessageContaining(file.toString())
        .withCause(full);
    assertOldFileAlone();
  }

  @Test
  void noticesAFailureThatTheContentSwallows() {
    var broken = new IOException("Input/output error");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      var print = new PrintStream(out, false, StandardCharsets.UTF_8);
                      print.print("x".repeat(200_000));
                      assertThat(print.checkError()).isTrue();
                    },
                    disk -> limited(disk, 70_000, broken)))
        .withMessageContaining(file.toString())
        .withMessageContaining("Input/output error")
        .withCause(broken);
    assertOldFileAlone();
  }

  @Test
  void namesAMissingFolder() {
    Path target = folder.resolve("missing").resolve("config.json");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> AtomicFile.writeString(target, "x"))
        .withMessage(
            "The file %s could not be written because its folder %s does not exist; create the folder or choose another.",
            target, target.getParent())
        .withCauseInstanceOf(NoSuchFileException.class);
    assertOldFileAlone();
  }

  @Test
  void namesAParentThatIsAFile() {
    Path target = file.resolve("config.json");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> AtomicFile.writeString(target, "x"))
        .withMessage(
            "The file %s could not be written because %s is not a folder; choose another path.",
            target, file)
        .withCauseInstanceOf(IOException.class);
    assertOldFileAlone();
  }

  @Test
  void namesAFolderInTheWay() throws IOException {
    Path target = Files.createDirectory(folder.resolve("model"));
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> AtomicFile.writeString(target, "x"))
        .withMessageContaining(target.toString())
        .withMessageContaining("folder");
    assertThat(target).isEmptyDirectory();
  }

  /** Encoders close what they have opened, and try to write once more then. */
  @Test
  void saysThatTheDiskIsFullWhenAnEncoderFailsTwice() {
    var full = new IOException("No space left on device");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    out -> {
                      try (OutputStream encoder = new FilterOutputStream(out)) {
                        encoder.write(new byte[1 << 18]);
                      } catch (IOException e) {
                        throw new IOException("I/O error writing PNG file!", e);
                      }
                    },
                    disk -> limited(disk, 70_000, full)))
        .withMessageContaining("the disk is full")
        .withCause(full);
    assertOldFileAlone();
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void followsLinks() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path inner = Files.createSymbolicLink(elsewhere.resolve("inner"), Path.of("..", "config.json"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("elsewhere", "inner"));
    AtomicFile.requireWritable(link);
    AtomicFile.writeString(link, "new");
    assertThat(file).hasContent("new");
    assertThat(link).isSymbolicLink();
    assertThat(inner).isSymbolicLink();

    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("made"));
    AtomicFile.writeString(dangling, "made by a link");
    assertThat(folder.resolve("made")).hasContent("made by a link");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void refusesLinksInACircle() throws IOException {
    Path first = Files.createSymbolicLink(folder.resolve("first"), Path.of("second"));
    Files.createSymbolicLink(folder.resolve("second"), Path.of("first"));
    assertThatIOException()
        .isThrownBy(() -> AtomicFile.writeString(first, "x"))
        .withMessageContaining("leads in a circle");
  }

  /** A rename over the machine's device would be the end of it for every program. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void neverReplacesADeviceOrAPipe() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("/dev/null"));
    for (Path target : List.of(pipe, link, Path.of("/dev/null"))) {
      String sentence =
          "The file %s could not be written because it is a device or a pipe, which no file may replace; choose another path."
              .formatted(target);
      assertThatIOException()
          .isThrownBy(() -> AtomicFile.writeString(target, "x"))
          .withMessage(sentence);
      assertThatIOException()
          .isThrownBy(() -> AtomicFile.requireWritable(target))
          .withMessage(sentence);
    }
    assertThat(files()).containsExactlyInAnyOrder(file, pipe, link);
  }

  @Test
  void tellsAheadThatAPlaceIsBad() throws IOException {
    Path made = Files.createDirectory(folder.resolve("made"));
    AtomicFile.requireWritable(folder.resolve("new"));
    AtomicFile.requireWritable(file);
    assertThatIOException()
        .isThrownBy(() -> AtomicFile.requireWritable(folder.resolve("missing").resolve("new")))
        .withMessageContaining("does not exist; create the folder");
    assertThatIOException()
        .isThrownBy(() -> AtomicFile.requireWritable(file.resolve("new")))
        .withMessageContaining("is not a folder");
    assertThatIOException()
        .isThrownBy(() -> AtomicFile.requireWritable(made))
        .withMessageContaining("a folder of that name exists");
    assertThat(file).hasContent("old");
    assertThat(files()).containsExactlyInAnyOrder(file, made);
  }

  /** A day and an hour old, an hour old, and older ones that are the user's. */
  @Test
  void whatKilledProcessesHaveLeftIsRemoved() throws IOException {
    Path abandoned = Files.createFile(folder.resolve(".ddpm4j-1.tmp"));
    Path young = Files.createFile(folder.resolve(".ddpm4j-2.tmp"));
    Path[] others = {
      Files.createFile(folder.resolve(".ddpm4j-notes")),
      Files.createFile(folder.resolve("mine.tmp")),
      Files.createFile(folder.resolve("a.ddpm4j-3.tmp"))
    };
    Instant old = Instant.now().minus(Duration.ofHours(25));
    for (Path other : others) {
      Files.setLastModifiedTime(other, FileTime.from(old));
    }
    Files.setLastModifiedTime(abandoned, FileTime.from(old));
    Files.setLastModifiedTime(young, FileTime.from(Instant.now().minus(Duration.ofHours(1))));

    AtomicFile.requireWritable(folder.resolve("new"));
    assertThat(files()).containsExactlyInAnyOrder(file, young, others[0], others[1], others[2]);

    AtomicFile.removeUnfinished(folder);
    assertThat(files()).containsExactlyInAnyOrder(file, others[0], others[1], others[2]);
    AtomicFile.removeUnfinished(folder.resolve("missing"));
    assertThat(AtomicFile.isUnfinished(".ddpm4j-1.tmp")).isTrue();
    assertThat(AtomicFile.isUnfinished(".ddpm4j-notes")).isFalse();
    assertThat(AtomicFile.isUnfinished("mine.tmp")).isFalse();
  }

  @Test
  void tellsAheadThatAFolderCannotBeMade() throws IOException {
    Folders.requireWritable(folder);
    Folders.requireWritable(folder.resolve("many").resolve("more"));
    assertThatIOException()
        .isThrownBy(() -> Folders.requireWritable(file.resolve("more")))
        .withMessageContaining("cannot be made because there is a file in its place");
    assertThatIOException()
        .isThrownBy(() -> Folders.requireWritable(file))
        .withMessageContaining("cannot be made because there is a file in its place");
    assertOldFileAlone();
  }

  /** A disk that is full once, and has room again after that. */
  private static OutputStream limited(OutputStream disk, int capacity, IOException failure) {
    return new FilterOutputStream(disk) {
      private int left = capacity;

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        if (length > left) {
          out.write(bytes, offset, left);
          left = Integer.MAX_VALUE;
          throw failure;
        }
        out.write(bytes, offset, length);
        left -= length;
      }
    };
  }

  private void assertOldFileAlone() {
    assertThat(file).hasContent("old");
    try {
      assertThat(files()).containsExactly(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
