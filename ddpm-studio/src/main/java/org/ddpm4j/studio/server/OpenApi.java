package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleType;

/** The document that says what the service takes and answers. */
final class OpenApi {

  private static final List<String> SAMPLERS =
      Arrays.stream(SamplerType.values()).map(SamplerType::toString).toList();

  private static final List<String> SCHEDULES =
      Arrays.stream(ScheduleType.values()).map(OpenApi::spelling).toList();

  private static final byte[] DOCUMENT = complete();

  private OpenApi() {}

  static byte[] document() {
    return DOCUMENT.clone();
  }

  /** A name, as the program spells it. */
  static String spelling(Enum<?> type) {
    return type.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Names samplers and schedules, which the library has and the resource leaves open. */
  private static byte[] complete() {
    try {
      JsonNode document = Exchange.JSON.readTree(Page.read("openapi.json"));
      name(document, "/components/schemas/SampleRequest/properties/sampler", SAMPLERS);
      name(document, "/components/schemas/EditRequest/properties/sampler", SAMPLERS);
      name(document, "/components/schemas/RunRequest/properties/schedule", SCHEDULES);
      return document.toString().getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("The OpenAPI document of ddpm-studio is no JSON.", e);
    }
  }

  private static void name(JsonNode document, String place, List<String> names) {
    ArrayNode all = ((ObjectNode) document.at(place)).putArray("enum");
    names.forEach(all::add);
  }
}
