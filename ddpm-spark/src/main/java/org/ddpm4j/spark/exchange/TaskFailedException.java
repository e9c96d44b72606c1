package org.ddpm4j.spark.exchange;

import java.io.IOException;

/** A task has failed, and not because a connection broke. */
public final class TaskFailedException extends IOException {

  private static final long serialVersionUID = 1L;

  /**
   * What a task said.
   *
   * @param message what it failed of
   */
  public TaskFailedException(String message) {
    super(message);
  }
}
