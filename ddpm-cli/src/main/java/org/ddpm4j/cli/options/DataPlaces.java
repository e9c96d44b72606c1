package org.ddpm4j.cli.options;

import java.nio.file.Path;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.Network;
import picocli.CommandLine.Option;

/** Where images may come from. */
@OptionGroup("The images")
public final class DataPlaces {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder with the data set's files (default: the user's cache or the system's folder and,"
              + " for fashion-mnist and mnist, a download or the bundled subset).")
  private Path folder;

  @Option(
      names = "--offline",
      description = "Download no images; for models of the hub, set HF_HUB_OFFLINE=1.")
  private boolean offline;

  /** Nothing chosen yet; picocli sets the fields. */
  public DataPlaces() {}

  /**
   * The places that the user chose.
   *
   * @return where images may come from
   */
  public DataSources sources() {
    DataSources sources = DataSources.ofHost();
    if (offline) {
      sources = sources.withNetwork(Network.FORBIDDEN);
    }
    if (folder != null) {
      sources = sources.withDataFolder(folder);
    }
    return sources;
  }
}
