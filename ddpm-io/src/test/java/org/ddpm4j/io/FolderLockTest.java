package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

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

  @Test
  void isKeptFromOtherProcessesAndEndsWithItsOwn() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                folder.toString())
            .start();
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
