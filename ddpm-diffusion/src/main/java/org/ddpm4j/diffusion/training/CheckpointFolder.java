package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;

/**
 * The checkpoints of one run: {@code step-<number>.safetensors}, of which the newest few are kept.
 *
 * @param path the folder; made when the first checkpoint is written
 * @param keep how many to keep, at least 1
 */
public record CheckpointFolder(Path path, int keep) {

  private static final Pattern NAME = Pattern.compile("step-(\\d{1,18})\\.safetensors");

  /**
   * Checks the folder and the number.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public CheckpointFolder {
    Objects.requireNonNull(path, "path");
    Ranges.require(keep >= 1, "number of checkpoints to keep", keep, "it must be at least 1");
  }

  /**
   * Writes a checkpoint; of those before it, only the newest are kept. What a killed run left half
   * written is removed too, so only one run at a time may write here.
   *
   * @param checkpoint the state
   * @return the file
   * @throws IOException if it cannot be written; no checkpoint is removed then
   */
  public Path write(Checkpoint checkpoint) throws IOException {
    return write(checkpoint, other -> false);
  }

  private Path write(Checkpoint checkpoint, Predicate<Path> isInBetween) throws IOException {
    Objects.requireNonNull(checkpoint, "checkpoint");
    Folders.create(path);
    Path file = path.resolve(name(checkpoint.step()));
    checkpoint.write(file);
    List<Path> older = all().stream().filter(other -> step(other) < checkpoint.step()).toList();
    List<Path> kept = older.stream().filter(isInBetween.negate()).toList();
    kept = kept.subList(Math.max(0, kept.size() - (keep - 1)), kept.size());
    for (Path old : older) {
      if (!kept.contains(old)) {
        Files.deleteIfExists(old);
      }
    }
    // A run that is killed while it writes leaves a temporary file as large as a checkpoint.
    AtomicFile.removeUnfinished(path);
    return file;
  }

  /**
   * Writes a checkpoint of a run that makes one every so many steps. Those before it that are of
   * other steps, as interruptions leave them, are removed and do not count among the newest: the
   * folder ends as that of a run that never stopped.
   *
   * @param checkpoint the state
   * @param every steps between two checkpoints of the run, at least 1
   * @return the file
   * @throws IOException if it cannot be written; no checkpoint is removed then
   * @throws IllegalArgumentException if every is less than 1
   */
  public Path write(Checkpoint checkpoint, long every) throws IOException {
    Ranges.require(
        every >= 1, "number of steps between two checkpoints", every, "it must be at least 1");
    return write(checkpoint, other -> step(other) % every != 0);
  }

  /** In any locale with the digits 0 to 9, which {@link #NAME} looks for. */
  private static String name(long step) {
    return Text.format("step-%07d.safetensors", step);
  }

  /**
   * The newest checkpoint.
   *
   * @return the file of the highest step, empty if there is none
   * @throws IOException if the folder cannot be read
   */
  public Optional<Path> latest() throws IOException {
    List<Path> all = all();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
  }

  /**
   * All checkpoints.
   *
   * @return the files in the order of their steps
   * @throws IOException if the folder cannot be read
   */
  public List<Path> all() throws IOException {
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(path)) {
      return files
          .filter(file -> NAME.matcher(file.getFileName().toString()).matches())
          .sorted(Comparator.comparingLong(CheckpointFolder::step))
          .toList();
    }
  }

  private static long step(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }
}
