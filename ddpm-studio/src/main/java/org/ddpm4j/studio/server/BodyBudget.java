package org.ddpm4j.studio.server;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.ddpm4j.io.Text;

/** Bounds what the bodies of all requests take together while they arrive. */
final class BodyBudget {

  private final long most;
  private final AtomicLong taken = new AtomicLong();

  BodyBudget(long most) {
    this.most = most;
  }

  /** The part of one request. */
  final class Share {

    private long bytes;

    private Share() {}

    /** Takes more, or refuses the request and takes nothing. */
    void take(int more) {
      if (taken.addAndGet(more) > most) {
        taken.addAndGet(-more);
        throw new Refusal(
            503,
            Text.format("Bodies of more than %d bytes arrive together; come again.", most),
            Map.of("Retry-After", "1"));
      }
      bytes += more;
    }

    /** Gives all back; a second time does nothing. */
    void close() {
      taken.addAndGet(-bytes);
      bytes = 0;
    }
  }

  Share open() {
    return new Share();
  }
}
