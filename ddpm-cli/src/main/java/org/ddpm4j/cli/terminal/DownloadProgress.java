package org.ddpm4j.cli.terminal;

import org.ddpm4j.io.hub.HubListener;

/** How far the downloads of a model are, one file after the other. */
public final class DownloadProgress implements HubListener, AutoCloseable {

  private static final int BYTES_PER_UNIT = 1024;

  private final Console console;
  private String current = "";
  private Progress progress;

  /**
   * Downloads that begin.
   *
   * @param console where to show them
   */
  public DownloadProgress(Console console) {
    this.console = console;
  }

  @Override
  public void downloaded(String file, long done, long total) {
    if (!file.equals(current)) {
      close();
      current = file;
      progress = new Progress(console, file, "KiB", done / BYTES_PER_UNIT, total / BYTES_PER_UNIT);
    }
    progress.update(done / BYTES_PER_UNIT, "");
  }

  /** Leaves the last state on the screen if there was any. */
  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
