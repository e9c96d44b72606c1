package org.ddpm4j.data;

import java.io.IOException;

/** A folder in which none of a data set's files are. */
public final class NoSuchDataException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * Names the folder and the files.
   *
   * @param message a sentence for the user
   */
  public NoSuchDataException(String message) {
    super(message);
  }
}
