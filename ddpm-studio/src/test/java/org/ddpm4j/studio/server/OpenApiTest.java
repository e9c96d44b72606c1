package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.studio.drawing.ModelSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The OpenAPI document says what the service does. */
class OpenApiTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir static Path folder;

  private static StudioServer server;
  private static JsonNode document;

  @BeforeAll
  static void open() throws Exception {
    server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.of(new StudioOptions(folder, words -> words, Map.of("a", List.of()))));
    document = JSON.readTree(send("GET", "/v1/openapi.json", null).body());
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static HttpResponse<String> send(String method, String path, String body)
      throws Exception {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path))
            .header("Content-Type", "application/json")
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    return CLIENT.send(builder.build(), BodyHandlers.ofString());
  }

  @Test
  void itHasTheRoutesThatThereAreAndNoOthers() {
    Set<String> documented = new TreeSet<>();
    document
        .get("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .fieldNames()
                    .forEachRemaining(
                        method ->
                            documented.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
    Set<String> served =
        server.routes().all().stream()
            .map(route -> route.method() + " " + route.pattern())
            .filter(route -> route.contains(" /v1/"))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(documented).isEqualTo(served);
  }

  @Test
  void itNamesAllSamplersAndSchedules() {
    assertThat(words(schema("SampleRequest").at("/properties/sampler/enum")))
        .containsExactlyElementsOf(
            Arrays.stream(SamplerType.values()).map(SamplerType::toString).toList());
    assertThat(words(schema("RunRequest").at("/properties/schedule/enum")))
        .containsExactlyElementsOf(
            Arrays.stream(ScheduleType.values())
                .map(type -> type.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList());
    assertThat(schema("SampleRequest").at("/properties/count/maximum").intValue())
        .isEqualTo(DrawingRequests.MOST_IMAGES);
    assertThat(schema("LossRequest").at("/properties/timesteps/maximum").intValue())
        .isEqualTo(LossPerTimestep.MOST_TIMESTEPS);
    assertThat(schema("ImagesRequest").at("/properties/images/maxItems").intValue())
        .isEqualTo(Uploads.MOST_AT_ONCE);
    assertThat(schema("EditRequest").at("/properties/count/maximum").intValue())
        .isEqualTo(DrawingRequests.MOST_EDITED);
    assertThat(schema("SampleRequest").at("/properties/previews/maximum").intValue())
        .isEqualTo(DrawingRequests.MOST_PREVIEWS);
  }

  private static JsonNode schema(String name) {
    return document.at("/components/schemas/" + name);
  }

  private static List<String> words(JsonNode array) {
    List<String> words = new ArrayList<>();
    array.forEach(word -> words.add(word.textValue()));
    return words;
  }

  @Test
  void answersAreAsItSays() throws Exception {
    check("GET", "/v1/models", null, 200, "/v1/models");
    check("GET", "/v1/schedules?timesteps=50", null, 200, "/v1/schedules");
    check("GET", "/v1/schedules?timesteps=1", null, 400, "/v1/schedules");
    check("GET", "/v1/health/live", null, 200, "/v1/health/live");
    check("GET", "/v1/health/ready", null, 200, "/v1/health/ready");
    check("GET", "/v1/runs", null, 200, "/v1/runs");
    check("POST", "/v1/samples", "{\"count\": 1, \"steps\": 1}", 200, "/v1/samples");
    check("POST", "/v1/samples", "{\"count\": -1}", 400, "/v1/samples");
    check("POST", "/v1/jobs", "{\"count\": 1, \"steps\": 1}", 202, "/v1/jobs");
    check("GET", "/v1/jobs/nothing", null, 404, "/v1/jobs/{id}");
    check("GET", "/v1/runs/nothing", null, 404, "/v1/runs/{name}");
    check("POST", "/v1/runs/nothing/pause", "{}", 404, "/v1/runs/{name}/pause");
    check("POST", "/v1/datasets", "{\"name\": \"mine\"}", 201, "/v1/datasets");
    check("GET", "/v1/datasets", null, 200, "/v1/datasets");
    String one = "{\"images\": [{\"path\": \"a.png\", \"file\": \"aGVsbG8=\"}]}";
    check("POST", "/v1/datasets/mine/images", one, 200, "/v1/datasets/{name}/images");
    check("POST", "/v1/datasets/none/images", one, 404, "/v1/datasets/{name}/images");
    check("POST", "/v1/losses", "{}", 400, "/v1/losses");
    String picture =
        Base64.getEncoder()
            .encodeToString(Images.png(new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY)));
    String asked = "{\"timesteps\": 2, \"image\": \"" + picture + "\"}";
    check("POST", "/v1/losses", asked, 200, "/v1/losses");
  }

  private static void check(String method, String path, String body, int status, String pattern)
      throws Exception {
    HttpResponse<String> answer = send(method, path, body);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    JsonNode response =
        document
            .get("paths")
            .get(pattern)
            .get(method.toLowerCase(Locale.ROOT))
            .get("responses")
            .get(Integer.toString(status));
    assertThat(response).as("%s %s %d is documented", method, pattern, status).isNotNull();
    String type = answer.headers().firstValue("Content-Type").orElse("");
    JsonNode schema = response.get("content").get(type).get("schema");
    conforms(JSON.readTree(answer.body()), schema, path);
  }

  @Test
  void whatMaySayWhenToComeAgainIsDocumentedSo() {
    document
        .get("paths")
        .forEach(
            path ->
                path.forEach(
                    operation -> {
                      for (String status : List.of("429", "503")) {
                        JsonNode response = operation.at("/responses/" + status);
                        if (response.at("/content").has("application/problem+json")) {
                          assertThat(response.at("/headers/Retry-After").isMissingNode())
                              .as(operation.get("summary") + " " + status)
                              .isFalse();
                        }
                      }
                    }));
  }

  /** As much of JSON Schema as the document uses. */
  private static void conforms(JsonNode value, JsonNode schema, String where) {
    if (schema.has("$ref")) {
      String name = schema.get("$ref").textValue();
      conforms(value, schema(name.substring(name.lastIndexOf('/') + 1)), where);
      return;
    }
    assertThat(types(schema)).as(where + " is " + value).contains(typeOf(value));
    if (schema.has("enum")) {
      assertThat(words(schema.get("enum"))).as(where).contains(value.textValue());
    }
    if (value.isArray() && schema.has("items")) {
      for (JsonNode item : value) {
        conforms(item, schema.get("items"), where + "[]");
      }
    }
    if (value.isObject() && schema.has("properties")) {
      for (String required : words(schema.path("required"))) {
        assertThat(value.has(required)).as(where + " has " + required).isTrue();
      }
      for (Iterator<String> names = value.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        assertThat(schema.get("properties").has(name)).as(where + "/" + name).isTrue();
        conforms(value.get(name), schema.get("properties").get(name), where + "/" + name);
      }
    }
  }

  private static List<String> types(JsonNode schema) {
    List<String> types =
        schema.get("type").isArray()
            ? words(schema.get("type"))
            : List.of(schema.get("type").textValue());
    return types.contains("number")
        ? List.of(String.join(",", types), "number", "integer", types.get(types.size() - 1))
        : types;
  }

  private static String typeOf(JsonNode value) {
    return switch (value.getNodeType()) {
      case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
      case STRING -> "string";
      case BOOLEAN -> "boolean";
      case ARRAY -> "array";
      case OBJECT -> "object";
      default -> "null";
    };
  }
}
