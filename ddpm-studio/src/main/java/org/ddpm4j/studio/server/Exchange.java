package org.ddpm4j.studio.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.ddpm4j.io.StrictJson;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request and its answer. Answers may be given in any thread; they are written in that of the
 * connection, and never wait for a client that reads slowly.
 */
final class Exchange {

  static final ObjectMapper JSON = StrictJson.builder().build();

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);
  private static final long BODY_MILLIS = 15_000;

  private final HttpServerRequest request;
  private final Context context;
  private final String id;
  private final BodyBudget.Share budget;
  private Map<String, String> pathParameters = Map.of();

  /** What is to be done when the client hangs up; the connection's thread alone asks for them. */
  private final List<Runnable> whenGone = new ArrayList<>();

  private boolean gone;

  Exchange(HttpServerRequest request, Context context, String id, BodyBudget.Share budget) {
    this.request = request;
    this.context = context;
    this.id = id;
    this.budget = budget;
    response().closeHandler(closed -> hungUp());
  }

  private void hungUp() {
    if (!response().ended()) {
      gone = true;
      releaseBody();
      whenGone.forEach(Runnable::run);
    }
  }

  /** Names the request in logs and answers. */
  String id() {
    return id;
  }

  HttpServerRequest request() {
    return request;
  }

  HttpServerResponse response() {
    return request.response();
  }

  void setPathParameters(Map<String, String> found) {
    pathParameters = found;
  }

  String pathParameter(String name) {
    return pathParameters.get(name);
  }

  /** Does something in the connection's thread. */
  void later(Runnable work) {
    context.runOnContext(ignored -> work.run());
  }

  /** Does something in the connection's thread when the client has gone before its answer's end. */
  void whenGone(Runnable work) {
    later(
        () -> {
          if (gone) {
            work.run();
          } else {
            whenGone.add(work);
          }
        });
  }

  /** Reads the request's body as JSON and goes on with it, in the connection's thread. */
  void readJson(int mostBytes, Consumer<JsonNode> next) {
    String type = request.getHeader("Content-Type");
    if (type == null || !type.toLowerCase(Locale.ROOT).matches("application/json\\s*(;.*)?")) {
      throw new Refusal(415, "The body must be JSON, with the Content-Type application/json.");
    }
    Buffer body = Buffer.buffer();
    boolean[] tooLarge = new boolean[1];
    long timer =
        context
            .owner()
            .setTimer(
                BODY_MILLIS,
                late ->
                    refuse(
                        new Refusal(408, "The body did not come within 15 s; send it at once.")));
    request.exceptionHandler(
        hungUp -> {
          context.owner().cancelTimer(timer);
          releaseBody();
        });
    request.handler(
        piece -> {
          if (tooLarge[0] || body.length() + piece.length() > mostBytes) {
            tooLarge[0] = true;
          } else if (!response().ended()) {
            guarded(
                () -> {
                  budget.take(piece.length());
                  body.appendBuffer(piece);
                });
          }
        });
    request.endHandler(
        ended -> {
          context.owner().cancelTimer(timer);
          if (response().ended()) {
            return;
          }
          guarded(
              () -> {
                if (tooLarge[0]) {
                  throw new Refusal(
                      413, "The body has more than %d bytes, which is the most.", mostBytes);
                }
                next.accept(parse(body.getBytes()));
              });
        });
  }

  /** The body is no longer needed. */
  void releaseBody() {
    context.runOnContext(ignored -> budget.close());
  }

  /** A body, or the refusal of one that is no object. */
  static JsonNode parse(byte[] body) {
    try {
      JsonNode node = JSON.readTree(body);
      if (node == null || !node.isObject()) {
        throw new Refusal(400, "The body must be a JSON object, as in {\"count\": 4}.");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new Refusal(400, "The body is no JSON: %s.", StrictJson.problem(e));
    } catch (IOException e) {
      throw new Refusal(400, "The body is no JSON in UTF-8.");
    }
  }

  /** Does something that may refuse the request. */
  void guarded(Runnable work) {
    try {
      work.run();
    } catch (Refusal e) {
      refuse(e);
    } catch (OutOfMemoryError e) {
      LOG.atError().setCause(e).addKeyValue("request", id).log("There was no memory for a request");
      refuse(new Refusal(503, "There was not enough memory for this; ask for less at a time."));
    } catch (RuntimeException | Error e) {
      // A client is answered whatever it was: without, it would wait until its own patience ends.
      fail(e);
    }
  }

  /** Answers with a sentence and why. */
  void refuse(Refusal why) {
    ObjectNode problem = JsonNodeFactory.instance.objectNode();
    problem.put("title", HttpResponseStatus.valueOf(why.status()).reasonPhrase());
    problem.put("status", why.status());
    problem.put("detail", why.getMessage());
    problem.put("request_id", id);
    later(
        () -> {
          if (response().headWritten() || response().closed()) {
            return;
          }
          why.headers().forEach(response()::putHeader);
          // What is still to come of the body would be taken for the next request.
          boolean isUnread = !request.isEnded();
          if (isUnread) {
            response().putHeader("Connection", "close");
          }
          write(why.status(), "application/problem+json", Buffer.buffer(utf8(problem)));
          if (isUnread) {
            request.connection().close();
          }
        });
  }

  /** Answers for a bug of ours. */
  void fail(Throwable bug) {
    LOG.atError().setCause(bug).addKeyValue("request", id).log("A request failed");
    refuse(new Refusal(500, "The service failed; its log says more about the request %s.", id));
  }

  void answer(int status, JsonNode body) {
    // Made here: images in Base64 would keep the connection's thread.
    answer(status, "application/json", utf8(body));
  }

  void answer(int status, String type, byte[] body) {
    later(() -> write(status, type, Buffer.buffer(body)));
  }

  void answerNothing() {
    later(
        () -> {
          if (!response().headWritten() && !response().closed()) {
            response().setStatusCode(204).end();
          }
        });
  }

  private static byte[] utf8(JsonNode json) {
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  private void write(int status, String type, Buffer body) {
    if (response().headWritten() || response().closed()) {
      return;
    }
    response().setStatusCode(status).putHeader("Content-Type", type).end(body);
  }
}
