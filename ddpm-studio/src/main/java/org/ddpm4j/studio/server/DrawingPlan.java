package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.studio.drawing.ImageKey;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.Recipe;
import org.ddpm4j.studio.drawing.SamplingRecipe;

/**
 * What a client asked for, ready to be drawn.
 *
 * @param source of the model
 * @param lease of the model
 * @param recipe how
 * @param images what
 * @param previews how many are to be shown on the way
 * @param command that draws all images at once, where there is one
 */
record DrawingPlan(
    ModelSource source,
    ModelShelf.Lease lease,
    Recipe recipe,
    List<ImageKey> images,
    int previews,
    Optional<List<String>> command) {

  DrawingPlan {
    images = List.copyOf(images);
  }

  /** What the client is told before anything is drawn. */
  ObjectNode toJson(String requestId) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("request_id", requestId);
    json.put("model", source.id());
    json.put("width", lease.model().shape().width());
    json.put("height", lease.model().shape().height());
    json.put("steps", recipe.steps(lease.model()));
    command.ifPresent(words -> json.put("command", CommandLine.quoted(words)));
    ArrayNode all = json.putArray("images");
    images.forEach(image -> all.add(toJson(image)));
    return json;
  }

  private ObjectNode toJson(ImageKey image) {
    DiffusionModel model = lease.model();
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("seed", image.seed());
    json.put("number", image.number());
    if (model.isClassConditional()) {
      json.put("class", image.label());
      if (image.label() < model.classNames().size()) {
        json.put("class_name", model.classNames().get(image.label()));
      }
    }
    if (recipe instanceof SamplingRecipe sampling && image.number() == 0) {
      json.put(
          "command",
          CommandLine.quoted(
              CommandLine.of(
                  source,
                  sampling,
                  image.seed(),
                  1,
                  CommandLine.classOptions(model, image.label()))));
    }
    return json;
  }

  /** The answer with all images. */
  static ObjectNode withFiles(ObjectNode plan, List<byte[]> files) {
    for (int i = 0; i < files.size(); i++) {
      ((ObjectNode) plan.get("images").get(i))
          .put("png", Base64.getEncoder().encodeToString(files.get(i)));
    }
    return plan;
  }
}
