package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {

  @TempDir private Path folder;

  @Test
  void oneAtATimeAndNothingIsLeft() throws Exception {
    FolderLock first = FolderLock.tryLock(folder).orElseThrow();
    assertThat(FolderLock.tryLock(folder)).isEmpty();
    first.close();
    assertThat(folder).isEmptyDirectory();
    FolderLock.tryLock(folder).orElseThrow().close();
  }

  private Process start(Class<?> program) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            program.getName(),
            folder.toString())
        .start();
  }

  /** POSIX gives all locks of a file back when any channel of it is closed. */
  @Test
  void isNotLostWhereThisProcessAsksAgain() throws Exception {
    try (FolderLock lock = FolderLock.tryLock(folder).orElseThrow()) {
      assertThat(FolderLock.tryLock(folder)).isEmpty();
      assertThat(start(Asker.class).inputReader().readLine()).isEqualTo("refused");
      assertThat(lock.isInPlace()).isTrue();
    }
    assertThat(start(Asker.class).inputReader().readLine()).isEqualTo("held");
  }

  /** As Ctrl-C has it, and as a process leaves it that is killed while it gives the lock back. */
  @Test
  void nothingIsLeftByAThreadThatIsInterruptedNorOfAMark() throws Exception {
    Files.writeString(folder.resolve(".ddpm4j-lock"), "-");
    FolderLock lock = FolderLock.tryLock(folder).orElseThrow();
    Thread.currentThread().interrupt();
    lock.close();
    try (FolderLock again = FolderLock.tryLock(folder).orElseThrow()) {
      assertThat(again.isInPlace()).isTrue();
    }
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void isKeptFromOtherProcessesAndEndsWithItsOwn() throws Exception {
    Process holder = start(Holder.class);
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertThat(FolderLock.tryLock(folder)).isEmpty();
    } finally {
      holder.destroyForcibly();
    }
    assertThat(holder.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(folder).isNotEmptyDirectory();
    FolderLock.tryLock(folder).orElseThrow().close();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void noticesThatTheFolderWasMovedDeletedOrReplaced() throws Exception {
    Path locked = Files.createDirectory(folder.resolve("locked"));
    Path moved = folder.resolve("moved");
    FolderLock lock = FolderLock.tryLock(locked).orElseThrow();
    assertThat(lock.isInPlace()).isTrue();
    Files.move(locked, moved);
    assertThat(lock.isInPlace()).isFalse();
    Files.createDirectory(locked);
    try (FolderLock others = FolderLock.tryLock(locked).orElseThrow()) {
      assertThat(lock.isInPlace()).isFalse();
      lock.close();
      assertThat(others.isInPlace()).as("the other's file is left alone").isTrue();
    }
    FolderLock.tryLock(moved).orElseThrow().close();
    assertThat(moved).isEmptyDirectory();
  }

  /** Asks once. */
  static final class Asker {

    private Asker() {}

    public static void main(String[] arguments) throws Exception {
      System.out.println(
          FolderLock.tryLock(Path.of(arguments[0])).isPresent() ? "held" : "refused");
    }
  }

  /** Holds the lock until it is killed. */
  static final class Holder {

    private Holder() {}

    public static void main(String[] arguments) throws Exception {
      FolderLock lock = FolderLock.tryLock(Path.of(arguments[0])).orElseThrow();
      System.out.println("held");
      Thread.sleep(TimeUnit.HOURS.toMillis(1));
      lock.close();
    }
  }
}
