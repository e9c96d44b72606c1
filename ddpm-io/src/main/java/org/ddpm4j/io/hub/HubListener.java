package org.ddpm4j.io.hub;

/** Hears of downloads as they go on, in the thread that downloads. */
@FunctionalInterface
public interface HubListener {

  /** Does nothing. */
  HubListener NONE = (file, done, total) -> {};

  /**
   * More of a file has come.
   *
   * @param file its name in the model
   * @param done bytes so far, those of an earlier download that was interrupted included
   * @param total its bytes
   */
  void downloaded(String file, long done, long total);
}
