package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;

/**
 * Bodies of requests to the service, read and planned as the service does it, with nothing drawn.
 * In the service's package for what it keeps to itself.
 */
public final class ServiceRequests {

  private final DrawingRequests requests =
      new DrawingRequests(
          new Models(
              List.of(ModelSource.bundled()),
              Optional.empty(),
              Optional.empty(),
              new ModelShelf()));

  private interface Planner {
    DrawingPlan plan(JsonNode body) throws IOException;
  }

  /**
   * Plans a request as one for images and as one for an edit.
   *
   * @param body as it comes from the client
   * @throws IOException with the sentence that the client is told, if both are refused
   */
  public void plan(byte[] body) throws IOException {
    JsonNode json;
    try {
      json = Exchange.parse(body);
    } catch (Refusal e) {
      throw new IOException(e.getMessage(), e);
    }
    Optional<Refusal> noSample = refusal(requests::sample, json);
    Optional<Refusal> noEdit = refusal(requests::edit, json);
    if (noSample.isPresent() && noEdit.isPresent()) {
      Refusal shown = json.has("kind") ? noEdit.get() : noSample.get();
      throw new IOException(shown.getMessage(), shown);
    }
  }

  private static Optional<Refusal> refusal(Planner planner, JsonNode json) throws IOException {
    try {
      DrawingPlan plan = planner.plan(json);
      plan.toJson("fuzz");
      plan.lease().close();
      return Optional.empty();
    } catch (Refusal e) {
      return Optional.of(e);
    }
  }
}
