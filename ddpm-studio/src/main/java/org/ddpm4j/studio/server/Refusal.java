package org.ddpm4j.studio.server;

import java.util.Map;
import org.ddpm4j.io.Text;
import org.ddpm4j.studio.drawing.QueueFullException;

/** A request that is not served, with what its client is told. */
final class Refusal extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final int status;
  private final transient Map<String, String> headers;

  Refusal(int status, String sentence) {
    this(status, sentence, Map.of());
  }

  Refusal(int status, String format, Object... values) {
    this(status, Text.format(format, values));
  }

  Refusal(int status, String sentence, Map<String, String> headers) {
    super(sentence);
    this.status = status;
    this.headers = headers;
  }

  /** Too much waits, which is the clients' affair; or nothing is taken on, which is not. */
  static Refusal of(QueueFullException e) {
    return new Refusal(
        e.isEnding() ? 503 : 429,
        e.getMessage(),
        Map.of("Retry-After", Long.toString(e.retryAfter().toSeconds())));
  }

  int status() {
    return status;
  }

  Map<String, String> headers() {
    return headers;
  }
}
