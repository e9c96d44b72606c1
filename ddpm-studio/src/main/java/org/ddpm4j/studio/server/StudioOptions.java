package org.ddpm4j.studio.server;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.ddpm4j.studio.runs.TrainingLauncher;

/**
 * What the page for the browser has besides the service.
 *
 * @param runs the folder of runs, which need not exist yet
 * @param launcher begins trainings
 * @param dataSets what can be trained on: names, and the options of {@code ddpm train} that they
 *     stand for
 */
public record StudioOptions(
    Path runs, TrainingLauncher launcher, Map<String, List<String>> dataSets) {

  /** Copies the names, in their order. */
  public StudioOptions {
    Objects.requireNonNull(runs, "runs");
    Objects.requireNonNull(launcher, "launcher");
    dataSets = Collections.unmodifiableMap(new TreeMap<>(dataSets));
  }
}
