package org.ddpm4j.studio.drawing;

import java.time.Duration;

/** More drawings wait than the queue takes, or it takes none any more. */
public final class QueueFullException extends Exception {

  private static final long serialVersionUID = 1;

  private final Duration retryAfter;

  QueueFullException(String sentence, Duration retryAfter) {
    super(sentence);
    this.retryAfter = retryAfter;
  }

  /**
   * When to come again.
   *
   * @return at least a second
   */
  public Duration retryAfter() {
    return retryAfter;
  }
}
