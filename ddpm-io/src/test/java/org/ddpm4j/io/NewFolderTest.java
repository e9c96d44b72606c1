package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What fails while a folder is filled leaves nothing of it. */
class NewFolderTest {

  @TempDir private Path temporary;

  private static void failingIn(Path folder) throws IOException {
    NewFolder.fill(
        folder,
        () -> {
          Folders.create(folder.resolve("a").resolve("b"));
          AtomicFile.writeString(folder.resolve("a").resolve("file"), "x");
          throw new IOException("The disk is full.");
        });
  }

  @Test
  void whatWasMadeIsRemovedAgain() {
    Path folder = temporary.resolve("one").resolve("two");
    assertThatThrownBy(() -> failingIn(folder)).hasMessage("The disk is full.");
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void whatIsWholeStays() throws IOException {
    Path file = temporary.resolve("new").resolve("file");
    NewFolder.fill(temporary.resolve("new"), () -> AtomicFile.writeString(file, "x"));
    assertThat(file).exists();
  }

  @Test
  void foldersOfOthersStay() throws IOException {
    Path mine = Files.createDirectory(temporary.resolve("mine"));
    assertThatThrownBy(() -> failingIn(mine)).hasMessage("The disk is full.");
    assertThat(mine).isEmptyDirectory();

    try (NewFolder made = NewFolder.make(temporary.resolve("above").resolve("new"))) {
      Path others = Files.writeString(temporary.resolve("above").resolve("others"), "x");
      made.undo();
      assertThat(others).exists();
      assertThat(temporary.resolve("above").resolve("new")).doesNotExist();
    }
  }

  /** A user's notes, what another process has written over ours, and what somebody has edited. */
  @Test
  void filesOfOthersStay() throws IOException {
    Path folder = temporary.resolve("new");
    try (NewFolder made = NewFolder.make(folder)) {
      for (String name : List.of("gone", "replaced", "edited")) {
        AtomicFile.writeString(folder.resolve(name), "ours");
      }
      Files.writeString(folder.resolve("notes"), "theirs");
      Files.createDirectories(folder.resolve("theirs"));
      Path another = Files.writeString(temporary.resolve("another"), "them");
      Files.setLastModifiedTime(another, Files.getLastModifiedTime(folder.resolve("replaced")));
      Files.move(another, folder.resolve("replaced"), StandardCopyOption.REPLACE_EXISTING);
      Files.writeString(folder.resolve("edited"), "ours and theirs");
      made.undo();
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("notes", "theirs", "replaced", "edited");
    }
  }

  @Test
  void oneInAnotherHasItsFilesForItself() throws IOException {
    Path inner = temporary.resolve("outer").resolve("inner");
    try (NewFolder outer = NewFolder.make(temporary.resolve("outer"));
        NewFolder ofAnother = NewFolder.make(inner)) {
      AtomicFile.writeString(inner.resolve("file"), "x");
      outer.undo();
      assertThat(inner.resolve("file")).exists();
      ofAnother.undo();
      assertThat(inner).doesNotExist();
    }
    assertThat(temporary).isEmptyDirectory();
  }

  /** Its file is in the folder when that is undone, and is gone when it is closed. */
  @Test
  void aLockIsNoneOfItsFiles() throws IOException {
    Path folder = temporary.resolve("new");
    try (NewFolder made = NewFolder.make(folder)) {
      FolderLock lock = FolderLock.tryLock(folder).orElseThrow();
      AtomicFile.writeString(folder.resolve("file"), "x");
      made.undo();
      assertThat(lock.isInPlace()).isTrue();
      lock.close();
    }
    assertThat(temporary).isEmptyDirectory();
  }

  /** Java makes it where the operating system, which asks for the folder by the way, has none. */
  @Test
  void aWayThroughNothingIsRefused() throws IOException {
    Path none = temporary.resolve("none").resolve("..").resolve("new");
    assertThatThrownBy(() -> failingIn(none))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The folder " + none + " cannot be made because");
    assertThat(temporary).isEmptyDirectory();

    Files.createDirectory(temporary.resolve("way"));
    Path folder = temporary.resolve("way").resolve("..").resolve("new");
    assertThatThrownBy(() -> failingIn(folder)).hasMessage("The disk is full.");
    assertThat(temporary.resolve("new")).doesNotExist();
    assertThat(temporary.resolve("way")).isEmptyDirectory();
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    Path kept = Files.createDirectory(temporary.resolve("kept"));
    Path inside = Files.writeString(kept.resolve("file"), "x");
    Path link =
        Files.createSymbolicLink(
            temporary.resolve("link"), Files.createDirectory(temporary.resolve("real")));
    try (NewFolder made = NewFolder.make(link)) {
      AtomicFile.writeString(link.resolve("ours"), "x");
      Files.createSymbolicLink(link.resolve("out"), kept);
      made.undo();
    }
    assertThat(inside).exists();
    assertThat(link).isSymbolicLink();
    assertThat(temporary.resolve("real").resolve("ours")).doesNotExist();
  }

  @Test
  void whatKilledProcessesLeaveIsNoUse() throws IOException {
    assertThat(NewFolder.isUnused(temporary.resolve("none"))).isTrue();
    assertThat(NewFolder.isUnused(temporary)).isTrue();
    Files.createFile(temporary.resolve(".ddpm4j-config.json-1.tmp"));
    Files.createFile(temporary.resolve(".ddpm4j-lock"));
    assertThat(NewFolder.isUnused(temporary)).isTrue();
    Files.createFile(temporary.resolve("config.json"));
    assertThat(NewFolder.isUnused(temporary)).isFalse();
  }
}
