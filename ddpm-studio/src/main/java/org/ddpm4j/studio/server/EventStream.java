package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;

/**
 * Server-sent events. Nobody waits for a slow client: previews that it has not read by the time of
 * the next are left out for it, all else is kept until it reads or its connection ends.
 */
final class EventStream {

  private final Exchange exchange;
  private final List<Runnable> early = new ArrayList<>();
  private boolean begun;

  EventStream(Exchange exchange) {
    this.exchange = exchange;
  }

  /** The first event. Those that come before it are sent after it. */
  void begin(JsonNode data) {
    exchange.later(
        () -> {
          begun = true;
          exchange.response().setChunked(true);
          exchange.response().putHeader("Content-Type", "text/event-stream; charset=utf-8");
          write("begin", data);
          early.forEach(Runnable::run);
          early.clear();
        });
  }

  private void afterBegin(Runnable work) {
    exchange.later(
        () -> {
          if (begun) {
            work.run();
          } else {
            early.add(work);
          }
        });
  }

  /** Something that may be left out. */
  void hint(String event, JsonNode data) {
    afterBegin(
        () -> {
          if (!exchange.response().writeQueueFull()) {
            write(event, data);
          }
        });
  }

  /** Something that must arrive. */
  void send(String event, JsonNode data) {
    afterBegin(() -> write(event, data));
  }

  /** The last event. */
  void end(String event, JsonNode data) {
    afterBegin(
        () -> {
          write(event, data);
          if (!exchange.response().closed()) {
            exchange.response().end();
          }
        });
  }

  private void write(String event, JsonNode data) {
    HttpServerResponse response = exchange.response();
    if (response.closed() || response.ended()) {
      return;
    }
    response.write("event: " + event + "\ndata: " + data + "\n\n");
  }
}
