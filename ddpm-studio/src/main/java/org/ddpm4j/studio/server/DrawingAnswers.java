package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.studio.drawing.Drawing;
import org.ddpm4j.studio.drawing.DrawingListener;
import org.ddpm4j.studio.drawing.DrawingQueue;
import org.ddpm4j.studio.drawing.Png;
import org.ddpm4j.studio.drawing.QueueFullException;

/**
 * Draws for requests that wait for the answer: all images as JSON, as one PNG, or as a stream of
 * events, as the header Accept says. A client that goes ends its drawing.
 */
final class DrawingAnswers {

  private static final String EVENTS = "text/event-stream";
  private static final String PICTURE = "image/png";
  private static final String JSON = "application/json";

  /** Behind a kind of answer: how much a client likes it. */
  private static final Pattern WEIGHT = Pattern.compile("q=([01](?:\\.\\d{0,3})?)");

  private final DrawingQueue queue;

  DrawingAnswers(DrawingQueue queue) {
    this.queue = queue;
  }

  /** Takes a plan on, or refuses it: with 429, or 503 of a service that ends. */
  Drawing submit(DrawingPlan plan, DrawingListener listener) {
    try {
      return queue.submit(plan.lease(), plan.recipe(), plan.images(), plan.previews(), listener);
    } catch (QueueFullException e) {
      throw Refusal.of(e);
    }
  }

  void answer(Exchange exchange, DrawingPlan plan) {
    String form = wanted(exchange.request().headers().getAll("Accept"));
    if (form.equals(EVENTS)) {
      stream(exchange, plan);
    } else {
      whole(exchange, plan, form.equals(PICTURE));
    }
  }

  /**
   * The form of an answer that a client likes best (RFC 9110, section 12.5.1): of several that it
   * likes as much, events before a picture before JSON, which is also for whoever names none.
   *
   * @param accepted the headers Accept
   */
  static String wanted(List<String> accepted) {
    Map<String, Double> weights = new TreeMap<>();
    for (String range : String.join(",", accepted).toLowerCase(Locale.ROOT).split(",")) {
      String[] parts = range.strip().split("\\s*;\\s*");
      Matcher weight = WEIGHT.matcher(parts[parts.length - 1]);
      weights.put(parts[0], weight.matches() ? Double.parseDouble(weight.group(1)) : 1);
    }
    String best = JSON;
    double most = 0;
    for (String form : List.of(EVENTS, PICTURE, JSON)) {
      double weight = weights.getOrDefault(form, 0.0);
      if (weight > most) {
        best = form;
        most = weight;
      }
    }
    return best;
  }

  private void whole(Exchange exchange, DrawingPlan plan, boolean isPicture) {
    ObjectNode json = plan.toJson(exchange.id());
    Drawing drawing = submit(plan, DrawingListener.NONE);
    endWithClient(exchange, drawing);
    drawing
        .result()
        .whenComplete(
            (files, failure) -> {
              if (failure != null) {
                refuse(exchange, failure);
              } else if (isPicture) {
                exchange.guarded(() -> exchange.answer(200, PICTURE, picture(files)));
              } else {
                exchange.guarded(() -> exchange.answer(200, DrawingPlan.withFiles(json, files)));
              }
            });
  }

  static byte[] picture(List<byte[]> files) {
    try {
      return files.size() == 1 ? files.get(0) : Png.grid(files);
    } catch (IOException e) {
      throw new IllegalStateException("A picture could not be read back.", e);
    }
  }

  private void stream(Exchange exchange, DrawingPlan plan) {
    EventStream events = new EventStream(exchange);
    ObjectNode json = plan.toJson(exchange.id());
    Drawing drawing =
        submit(
            plan,
            new DrawingListener() {
              @Override
              public void previewed(Preview preview) {
                events.hint("preview", toJson(preview));
              }

              @Override
              public void drawn(int position, byte[] png) {
                ObjectNode image = JsonNodeFactory.instance.objectNode();
                image.put("position", position);
                image.put("png", Base64.getEncoder().encodeToString(png));
                events.send("image", image);
              }
            });
    endWithClient(exchange, drawing);
    events.begin(json);
    drawing
        .result()
        .whenComplete(
            (files, failure) -> {
              ObjectNode last = JsonNodeFactory.instance.objectNode();
              if (failure == null) {
                events.end("done", last.put("images", files.size()));
              } else {
                Refusal why = refusal(failure);
                events.end(
                    "error",
                    last.put("status", why.status())
                        .put("detail", why.getMessage())
                        .put("request_id", exchange.id()));
              }
            });
  }

  private static ObjectNode toJson(DrawingListener.Preview preview) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("step", preview.step());
    json.put("steps", preview.steps());
    json.put("first", preview.first());
    json.put("count", preview.count());
    json.put("png", Base64.getEncoder().encodeToString(preview.png()));
    return json;
  }

  private void endWithClient(Exchange exchange, Drawing drawing) {
    exchange.whenGone(() -> queue.cancelSoon(drawing));
  }

  private static void refuse(Exchange exchange, Throwable failure) {
    Refusal why = refusal(failure);
    if (why.status() == 500) {
      exchange.fail(failure);
    } else {
      exchange.refuse(why);
    }
  }

  /** What a client is told of a drawing that failed. */
  static Refusal refusal(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof Refusal refusal) {
      return refusal;
    }
    if (cause instanceof CancellationException) {
      return new Refusal(503, "The drawing was ended before it was done.");
    }
    if (cause instanceof TimeoutException) {
      return new Refusal(504, cause.getMessage());
    }
    if (cause instanceof OutOfMemoryError) {
      return new Refusal(
          503, "There was not enough memory for this; ask for fewer images at a time.");
    }
    if (cause instanceof IllegalArgumentException || cause instanceof NotFiniteException) {
      return new Refusal(422, cause.getMessage());
    }
    return new Refusal(500, "The drawing failed; the service's log says more.");
  }
}
