package org.ddpm4j.studio.server;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Hangs up on clients who keep a connection by a byte now and then, which no limit of silence
 * notices: the head of the first request must be there soon after the connection, and that of the
 * next soon after an answer, which must have been read by then.
 */
final class ClientDeadlines {

  static final Duration FIRST_REQUEST = Duration.ofSeconds(15);
  static final Duration NEXT_REQUEST = Duration.ofSeconds(60);

  private final Vertx vertx;
  private final Duration firstRequest;
  private final Duration nextRequest;
  private final Map<HttpConnection, Long> timers = new ConcurrentHashMap<>();

  ClientDeadlines(Vertx vertx, Duration firstRequest, Duration nextRequest) {
    this.vertx = vertx;
    this.firstRequest = firstRequest;
    this.nextRequest = nextRequest;
  }

  void connected(HttpConnection connection) {
    hangUpAfter(firstRequest, connection);
  }

  /** The head of a request is there. */
  void requested(HttpConnection connection) {
    cancel(timers.remove(connection));
  }

  /** The whole answer was handed to the connection, though the client need not have read it. */
  void answered(HttpConnection connection) {
    hangUpAfter(nextRequest, connection);
  }

  void gone(HttpConnection connection) {
    cancel(timers.remove(connection));
  }

  private void hangUpAfter(Duration patience, HttpConnection connection) {
    long timer =
        vertx.setTimer(
            patience.toMillis(),
            late -> {
              timers.remove(connection, late);
              connection.close();
            });
    cancel(timers.put(connection, timer));
  }

  private void cancel(Long timer) {
    if (timer != null) {
      vertx.cancelTimer(timer);
    }
  }
}
