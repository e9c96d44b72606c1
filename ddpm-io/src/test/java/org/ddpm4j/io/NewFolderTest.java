package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders are filled whole or not at all. */
class NewFolderTest {

  private static final String LAST = "a.json";

  @TempDir private Path temporary;

  @FunctionalInterface
  private interface Meanwhile {
    void happen() throws IOException;
  }

  private static void fill(Path folder, Meanwhile meanwhile) throws IOException {
    NewFolder.fill(
        folder,
        LAST,
        unfinished -> {
          Folders.create(unfinished.resolve("b").resolve("c"));
          AtomicFile.writeString(unfinished.resolve("b").resolve("file"), "x");
          AtomicFile.writeString(unfinished.resolve(LAST), "{}");
          meanwhile.happen();
        });
  }

  private static void fail(Path folder) throws IOException {
    fill(
        folder,
        () -> {
          throw new IOException("The disk is full.");
        });
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatIsWholeIsInItsPlace() throws IOException {
    Path folder = temporary.resolve("one").resolve("two");
    fill(folder, () -> assertThat(folder.resolve("b")).doesNotExist());
    assertThat(names(folder)).containsExactly(LAST, "b");
    assertThat(names(folder.resolve("b"))).containsExactly("c", "file");
  }

  @Test
  void whatWasMadeIsRemovedAgain() {
    Path folder = temporary.resolve("one").resolve("two");
    assertThatThrownBy(() -> fail(folder)).hasMessage("The disk is full.");
    assertThat(temporary).isEmptyDirectory();
  }

  @Test
  void aFolderThatWasThereStays() throws IOException {
    Path mine = Files.createDirectory(temporary.resolve("mine"));
    assertThatThrownBy(() -> fail(mine)).hasMessage("The disk is full.");
    assertThat(mine).isEmptyDirectory();
    Path link = Files.createSymbolicLink(temporary.resolve("link"), mine);
    assertThatThrownBy(() -> fail(link)).hasMessage("The disk is full.");
    assertThat(link).isSymbolicLink();
    fill(link, () -> {});
    assertThat(names(mine)).containsExactly(LAST, "b");
  }

  @Test
  void whatOthersPutThereMeanwhileStays() throws IOException {
    Path folder = temporary.resolve("above").resolve("new");
    Path notes = folder.resolve("notes");
    assertThatThrownBy(
            () ->
                fill(
                    folder,
                    () -> {
                      Files.writeString(notes, "theirs");
                      throw new IOException("The disk is full.");
                    }))
        .hasMessage("The disk is full.");
    assertThat(names(folder)).containsExactly("notes");
    assertThat(notes).hasContent("theirs");
  }

  /** The file by which the folder is known to be whole comes last, and was not there yet. */
  @Test
  void aNameThatIsTakenByNowIsNotReplaced() throws IOException {
    Path folder = temporary.resolve("new");
    Path taken = folder.resolve(LAST);
    assertThatThrownBy(() -> fill(folder, () -> Files.writeString(taken, "theirs")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The file " + taken + " could not be written");
    assertThat(names(folder)).containsExactly(LAST);
    assertThat(taken).hasContent("theirs");
  }

  @Test
  void whatLinksLeadToIsLeftAlone() throws IOException {
    Path kept = Files.createDirectory(temporary.resolve("kept"));
    Path inside = Files.writeString(kept.resolve("file"), "x");
    assertThatThrownBy(
            () ->
                NewFolder.fill(
                    temporary.resolve("new"),
                    LAST,
                    unfinished -> {
                      Files.createSymbolicLink(unfinished.resolve("out"), kept);
                      throw new IOException("The disk is full.");
                    }))
        .hasMessage("The disk is full.");
    assertThat(inside).exists();
    assertThat(names(temporary)).containsExactly("kept");
  }

  @Test
  void foldersThatNothingIsInAreTakenBack() throws IOException {
    Path inner = temporary.resolve("a").resolve("b").resolve("c");
    List<Path> made = Folders.create(inner);
    assertThat(made).containsExactly(inner, inner.getParent(), inner.getParent().getParent());
    assertThat(Folders.create(inner)).isEmpty();
    Files.createFile(temporary.resolve("a").resolve("others"));
    Folders.removeEmpty(made);
    assertThat(names(temporary.resolve("a"))).containsExactly("others");
  }

  /** Java makes it where the operating system, which asks for the folder by the way, has none. */
  @Test
  void aWayThroughNothingIsRefused() {
    Path none = temporary.resolve("none").resolve("..").resolve("new");
    assertThatThrownBy(() -> Folders.create(none))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The folder " + none + " cannot be made because");
    assertThat(temporary).isEmptyDirectory();
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

  @Test
  void whatAKilledProcessHasLeftGoesWithTheNextFilling() throws IOException {
    Path folder = temporary.resolve("new");
    Path left = Files.createDirectories(folder.resolve(".ddpm4j-unfinished-1").resolve("unet"));
    Files.writeString(left.resolve("weights"), "half");
    Files.createFile(left.resolveSibling(".ddpm4j-lock"));
    Files.createDirectory(folder.resolve(".ddpm4j-unfinished-2"));
    Files.createFile(folder.resolve(".ddpm4j-unfinished-3"));
    fill(folder, () -> {});
    assertThat(names(folder)).containsExactly(".ddpm4j-unfinished-3", LAST, "b");
  }

  @Test
  void whatIsBeingFilledIsNotAbandoned() throws IOException {
    Path folder = temporary.resolve("new");
    fill(
        folder,
        () -> {
          NewFolder.removeAbandoned(folder);
          assertThat(names(folder)).hasSize(1);
        });
    assertThat(names(folder)).containsExactly(LAST, "b");
    NewFolder.removeAbandoned(temporary.resolve("none"));
  }

  @Test
  void anInterruptEndsTheFillingAndLeavesNothing() throws IOException {
    Path folder = temporary.resolve("new");
    assertThatThrownBy(() -> fill(folder, () -> Thread.currentThread().interrupt()))
        .isInstanceOf(InterruptedIOException.class)
        .hasMessage("Writing the folder " + folder + " was interrupted.");
    assertThat(temporary).isEmptyDirectory();
    // A thread that was interrupted before saves what it has.
    fill(folder, () -> {});
    assertThat(Thread.interrupted()).isTrue();
    assertThat(names(folder)).containsExactly(LAST, "b");
  }

  /** What is there while a folder is filled is there after a kill, and nobody sees it by ls. */
  @Test
  void whatAKilledFillingLeavesIsNoUse() throws IOException {
    Path folder = temporary.resolve("new");
    fill(
        folder,
        () -> {
          assertThat(names(folder)).hasSize(1);
          assertThat(NewFolder.isUnused(folder)).isTrue();
        });
    assertThat(NewFolder.isUnused(folder)).isFalse();
  }
}
