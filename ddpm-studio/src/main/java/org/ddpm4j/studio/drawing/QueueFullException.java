package org.ddpm4j.studio.drawing;

import java.time.Duration;

/** More drawings wait than the queue takes, or it takes none any more. */
public final class QueueFullException extends Exception {

  private static final long serialVersionUID = 1;

  private final Duration retryAfter;
  private final boolean ending;

  QueueFullException(String sentence, Duration retryAfter) {
    this(sentence, retryAfter, false);
  }

  private QueueFullException(String sentence, Duration retryAfter, boolean ending) {
    super(sentence);
    this.retryAfter = retryAfter;
    this.ending = ending;
  }

  /**
   * Of a service that takes nothing on any more, however little waits.
   *
   * @return for whoever asks
   */
  public static QueueFullException ofEnding() {
    return new QueueFullException(
        "The service is about to end; ask again when it is back.", Duration.ofSeconds(5), true);
  }

  /**
   * Whether the queue takes nothing on any more.
   *
   * @return false if it is only full
   */
  public boolean isEnding() {
    return ending;
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
