package org.ddpm4j.studio.server;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.ddpm4j.studio.runs.TrainingLauncher;

/**
 * What the page for the browser has besides the service.
 *
 * @param runs the folder of runs, which need not exist yet
 * @param launcher begins trainings
 * @param dataSets what can be trained on: names, and the options of {@code ddpm train} that they
 *     stand for
 * @param hubCache the folder of the Hugging Face hub's cache, whose models may be drawn with; empty
 *     for none of them
 */
public record StudioOptions(
    Path runs,
    TrainingLauncher launcher,
    Map<String, List<String>> dataSets,
    Optional<Path> hubCache) {

  /** Copies the names, in their order. */
  public StudioOptions {
    Objects.requireNonNull(runs, "runs");
    Objects.requireNonNull(launcher, "launcher");
    Objects.requireNonNull(hubCache, "hubCache");
    dataSets = Collections.unmodifiableMap(new TreeMap<>(dataSets));
  }

  /**
   * Without the hub's models.
   *
   * @param runs the folder of runs, which need not exist yet
   * @param launcher begins trainings
   * @param dataSets what can be trained on: names, and the options of {@code ddpm train} that they
   *     stand for
   */
  public StudioOptions(Path runs, TrainingLauncher launcher, Map<String, List<String>> dataSets) {
    this(runs, launcher, dataSets, Optional.empty());
  }

  /**
   * Where uploaded images go, a folder for each data set.
   *
   * @return a folder of the runs' own that is no run
   */
  Path uploads() {
    return runs.resolve("uploads");
  }

  /**
   * Whether a run of this name would be where the studio keeps files of its own.
   *
   * @param name of a run's folder
   * @return true for that of {@link #uploads}, and for names as the logs and notes of runs have
   *     them
   */
  boolean isReserved(String name) {
    return runs.resolve(name).equals(uploads())
        || name.endsWith(".log")
        || name.endsWith(".dataset");
  }
}
