package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.terminal.Console;

/**
 * A trained model as the user names it for a training.
 *
 * @param name in the user's words
 * @param place of its files; for one of the hub in the cache
 * @param variant of its weights, where one is chosen
 */
record NamedModel(String name, Path place, Optional<String> variant) {

  /** What the model that comes along is called where a folder is named. */
  static final String BUNDLED = "bundled";

  NamedModel {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(variant, "variant");
  }

  /**
   * Finds a model. One of the hub is downloaded unless it is in the cache.
   *
   * @param named a folder, a file, a name of the hub, or {@value #BUNDLED}
   * @param place how the user has a model looked for
   * @param console hears of downloads
   */
  static NamedModel find(Path named, ModelPlace place, Console console) throws IOException {
    return new NamedModel(named.toString(), place.folder(named, console), place.variant());
  }

  /** Whether it is the one that comes along, which no folder of that name stands in front of. */
  boolean isBundled() {
    return name.equals(BUNDLED) && !Files.exists(place);
  }
}
