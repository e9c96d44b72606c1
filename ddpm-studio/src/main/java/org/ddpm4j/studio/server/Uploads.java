package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.ddpm4j.studio.runs.ImageUploads;

/** Images to train on that clients send, over HTTP. Writes files: not for a connection's thread. */
final class Uploads {

  /** Images of one request. */
  static final int MOST_AT_ONCE = 256;

  static final int LONGEST_PATH = 1000;

  private final ImageUploads uploads;
  private final Set<String> taken;

  /** A file as a client names it. */
  private record Image(String path, byte[] file) {}

  /**
   * Uploads.
   *
   * @param uploads where they go
   * @param taken names of data sets that are there without them
   */
  Uploads(ImageUploads uploads, Set<String> taken) {
    this.uploads = uploads;
    this.taken = taken;
  }

  static ObjectNode toJson(ImageUploads.DataSet dataSet) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("name", dataSet.name())
        .put("uploaded", true)
        .put("images", dataSet.images())
        .put("bytes", dataSet.bytes());
  }

  /** Makes a data set that images can be sent to. */
  ObjectNode begin(JsonNode body) {
    JsonFields fields = new JsonFields(body).requireKnown(Set.of("name"));
    String name =
        fields
            .text("name", 60)
            .orElseThrow(
                () -> new Refusal(400, "The field name is missing, of the data set to be made."));
    if (!ImageUploads.isName(name)) {
      throw new Refusal(
          400,
          "The field name must be letters, digits, dots, dashes and underscores, and begin with a letter or digit.");
    }
    if (taken.contains(name)) {
      throw new Refusal(409, "There is a data set of this name already; choose another.");
    }
    try {
      return toJson(uploads.create(name));
    } catch (IllegalStateException e) {
      throw new Refusal(409, e.getMessage());
    } catch (IOException e) {
      throw new Refusal(507, e.getMessage());
    }
  }

  /** Adds what of the images can be read, and says what cannot. */
  ObjectNode add(String name, JsonNode body) throws IOException {
    require(name);
    new JsonFields(body).requireKnown(Set.of("images"));
    JsonNode images = body.get("images");
    if (images == null || !images.isArray() || images.isEmpty() || images.size() > MOST_AT_ONCE) {
      throw new Refusal(
          400, "The field images must be a list of 1 to " + MOST_AT_ONCE + " images.");
    }
    // All before any is added: a request with a wrong field leaves nothing behind.
    List<Image> files = new ArrayList<>();
    for (JsonNode image : images) {
      files.add(read(image));
    }
    ArrayNode refused = JsonNodeFactory.instance.arrayNode();
    for (Image image : files) {
      try {
        uploads.add(name, image.path(), image.file());
      } catch (IllegalStateException e) {
        throw new Refusal(413, e.getMessage());
      } catch (IOException e) {
        refused.addObject().put("path", image.path()).put("detail", e.getMessage());
      }
    }
    ObjectNode json =
        uploads.all().stream()
            .filter(dataSet -> dataSet.name().equals(name))
            .findFirst()
            .map(Uploads::toJson)
            .orElseThrow(() -> new Refusal(404, "The data set was removed meanwhile."));
    json.set("refused", refused);
    return json;
  }

  private static Image read(JsonNode image) {
    if (!image.isObject()) {
      throw new Refusal(400, "Each of images must be an object with path and file.");
    }
    JsonFields fields = new JsonFields(image).requireKnown(Set.of("path", "file"));
    String path = fields.text("path", LONGEST_PATH).orElse("");
    JsonNode file = image.get("file");
    // An empty file is no wrong field, but among what is left out, as what else is no image.
    if (file != null && file.isTextual() && file.textValue().isEmpty()) {
      return new Image(path, new byte[0]);
    }
    String text =
        fields
            .text("file", Integer.MAX_VALUE)
            .orElseThrow(
                () ->
                    new Refusal(
                        400, "The field file is missing; it is the file of an image in Base64."));
    try {
      return new Image(path, Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, "A field file is not Base64; encode the file.");
    }
  }

  void require(String name) throws IOException {
    if (uploads.find(name).isEmpty()) {
      throw new Refusal(
          404, "There are no uploaded images of this name; POST /v1/datasets makes a place.");
    }
  }
}
