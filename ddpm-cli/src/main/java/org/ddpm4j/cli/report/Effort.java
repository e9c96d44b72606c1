package org.ddpm4j.cli.report;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ddpm4j.io.Text;

/**
 * What a training took, in words.
 *
 * @param time of all its sittings
 * @param speed of all of them, pictures and files included
 * @param machine or machines
 */
public record Effort(String time, String speed, String machine) {

  /** Of the sittings of a training; nothing if there was none. */
  static Optional<Effort> of(List<Sitting> sittings) {
    if (sittings.isEmpty()) {
      return Optional.empty();
    }
    Duration time = sittings.stream().map(Sitting::time).reduce(Duration.ZERO, Duration::plus);
    long images = sittings.stream().mapToLong(Sitting::images).sum();
    return Optional.of(
        new Effort(
            Text.format(
                "%d:%02d:%02d, pictures included",
                time.toHours(), time.toMinutesPart(), time.toSecondsPart()),
            Text.format("%.0f images a second", images / Math.max(1e-3, time.toMillis() / 1000.0)),
            sittings.stream().map(Sitting::machine).distinct().collect(Collectors.joining("; "))));
  }

  /**
   * Of a run.
   *
   * @param folder the run's
   * @return nothing if the folder does not say it
   * @throws IOException if its table of times cannot be read
   */
  public static Optional<Effort> ofRun(Path folder) throws IOException {
    Sitting afterAll = new Sitting(Long.MAX_VALUE, 0, 0, Duration.ZERO, "");
    return of(Sitting.all(folder.resolve(RunFiles.TIME_TABLE), afterAll));
  }
}
