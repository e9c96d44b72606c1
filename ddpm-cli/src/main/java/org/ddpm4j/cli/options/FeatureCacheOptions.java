package org.ddpm4j.cli.options;

import java.nio.file.Path;
import java.util.Objects;
import org.ddpm4j.data.DataSources;
import picocli.CommandLine.Option;

/** Where features of data sets are kept, which take a while to make. */
public final class FeatureCacheOptions {

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Where features of data sets are kept (default: the user's cache).")
  private Path folder;

  /** Nothing chosen yet; picocli sets the fields. */
  public FeatureCacheOptions() {}

  /**
   * The chosen folder, or else one in the user's cache.
   *
   * @return a folder, which need not exist
   */
  public Path folder() {
    return Objects.requireNonNullElseGet(
        folder, () -> DataSources.ofHost().cacheFolder().resolve("features"));
  }
}
