package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The checkpoints of one run: {@code step-<number>.safetensors}, of which the newest few are kept.
 *
 * @param path the folder; made when the first checkpoint is written
 * @param keep how many to keep, at least 1
 */
public record CheckpointFolder(Path path, int keep) {

  private static final Pattern NAME = Pattern.compile("step-(\\d{1,18})\\.safetensors");

  /** Checks the number. */
  public CheckpointFolder {
    Ranges.require(keep >= 1, "number of checkpoints to keep", keep, "it must be at least 1");
  }

  /**
   * Writes a checkpoint and removes the oldest ones.
   *
   * @param checkpoint the state
   * @return the file
   * @throws IOException if it cannot be written; nothing is removed then
   */
  public Path write(Checkpoint checkpoint) throws IOException {
    Files.createDirectories(path);
    Path file = path.resolve("step-%07d.safetensors".formatted(checkpoint.step()));
    checkpoint.write(file);
    List<Path> all = all();
    for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
      Files.deleteIfExists(old);
    }
    return file;
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
