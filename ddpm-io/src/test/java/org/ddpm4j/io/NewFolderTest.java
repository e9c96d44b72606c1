package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What fails while a folder is filled leaves nothing of it. */
class NewFolderTest {

  @TempDir private Path temporary;

  private static void failingIn(Path folder) throws IOException {
    NewFolder.fill(
        folder,
        () -> {
          Files.createDirectories(folder.resolve("a").resolve("b"));
          Files.writeString(folder.resolve("a").resolve("file"), "x");
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
  void foldersOfOthersStay() throws IOException {
    Path mine = Files.createDirectory(temporary.resolve("mine"));
    assertThatThrownBy(() -> failingIn(mine)).hasMessage("The disk is full.");
    assertThat(mine).isEmptyDirectory();

    NewFolder made = NewFolder.make(temporary.resolve("above").resolve("new"));
    Path others = Files.writeString(temporary.resolve("above").resolve("others"), "x");
    made.undo();
    assertThat(others).exists();
    assertThat(temporary.resolve("above").resolve("new")).doesNotExist();
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    Path kept = Files.createDirectory(temporary.resolve("kept"));
    Path inside = Files.writeString(kept.resolve("file"), "x");
    Path link =
        Files.createSymbolicLink(
            temporary.resolve("link"), Files.createDirectory(temporary.resolve("real")));
    NewFolder made = NewFolder.make(link);
    Files.createSymbolicLink(link.resolve("out"), kept);
    made.undo();
    assertThat(inside).exists();
    assertThat(link).isSymbolicLink();
    assertThat(temporary.resolve("real")).isEmptyDirectory();
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
