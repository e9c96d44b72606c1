package org.ddpm4j.studio.runs;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.ddpm4j.io.FileFailure;

/**
 * The file progress.json, which a training writes every few seconds.
 *
 * @param step steps that are done
 * @param steps of the whole training
 * @param loss mean of the newest losses
 * @param imagesPerSecond since this process began to train
 * @param secondsLeft until the last step or the time limit
 * @param process that trains
 * @param started when that process began, in milliseconds since 1970; null where it did not say
 * @param ended whether that process has ended its training in good order
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunProgress(
    @JsonProperty("step") long step,
    @JsonProperty("steps") long steps,
    @JsonProperty("loss") Double loss,
    @JsonProperty("images_per_second") double imagesPerSecond,
    @JsonProperty("seconds_left") double secondsLeft,
    @JsonProperty("process") long process,
    @JsonProperty("started") Long started,
    @JsonProperty("ended") boolean ended) {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final long MOST_BYTES = 1 << 16;

  /**
   * Whether its process is there.
   *
   * @param writtenNow whether the file was written a moment ago
   * @return true if there is a process of that number that has not ended its training, and it wrote
   *     just now or began when the one that wrote did
   */
  boolean isAlive(boolean writtenNow) {
    return !ended
        && ProcessHandle.of(process)
            .filter(
                one -> writtenNow || one.info().startInstant().filter(this::isStart).isPresent())
            .isPresent();
  }

  /** Linux counts from a start of the machine that it knows to the second. */
  private boolean isStart(Instant when) {
    return started != null && Math.abs(when.toEpochMilli() - started) <= 2000;
  }

  /**
   * Reads what a training says.
   *
   * @param file progress.json, which need not exist
   * @return empty if there is none, or something that no training has written
   * @throws IOException if it cannot be read
   */
  public static Optional<RunProgress> read(Path file) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    try {
      return Optional.ofNullable(JSON.readValue(bytes, RunProgress.class));
    } catch (IOException e) {
      // Of bytes in memory, that they are no such JSON.
      return Optional.empty();
    }
  }
}
