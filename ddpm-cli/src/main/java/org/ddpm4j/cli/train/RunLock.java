package org.ddpm4j.cli.train;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.io.FolderLock;
import org.ddpm4j.io.Text;

/**
 * A run's folder in which this process alone works: two would remove each other's checkpoints.
 *
 * @param folder of the run
 * @param lock of that folder
 */
record RunLock(Path folder, FolderLock lock) implements Closeable {

  /**
   * Takes a folder.
   *
   * @param folder of a run, which exists
   * @throws BadInputException if another process trains there
   * @throws IOException if the folder cannot be written to
   */
  static RunLock take(Path folder) throws IOException {
    return new RunLock(
        folder,
        FolderLock.tryLock(folder)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "The run %s is in use: another process trains it; wait until that has ended, or stop it.",
                        folder)));
  }

  /** Whether the folder is where it was. */
  boolean isInPlace() throws IOException {
    return lock.isInPlace();
  }

  /**
   * Whoever writes on where the folder has gone would begin another one, of which nobody could make
   * a run.
   *
   * @param step that would be written
   * @throws IOException if the folder is no longer where it was
   */
  void requireInPlace(long step) throws IOException {
    if (!isInPlace()) {
      throw new IOException(
          Text.format(
              "The run's folder %s was moved, deleted or replaced while it was trained, so that step %d cannot be saved there; go on from the last step that it holds by 'ddpm train --resume DIR' where it is now, or begin a new run.",
              folder, step));
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
