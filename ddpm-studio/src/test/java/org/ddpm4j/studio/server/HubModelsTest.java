package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.io.hub.HubCache;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.Unet2D;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Models of the hub that were downloaded before are drawn with, by their names. */
class HubModelsTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path folder;

  private Path snapshot(String name) {
    return folder.resolve("hub").resolve(name).resolve("snapshots").resolve(COMMIT);
  }

  private void refer(String name) throws Exception {
    Path refs = Files.createDirectories(folder.resolve("hub").resolve(name).resolve("refs"));
    Files.writeString(refs.resolve("main"), COMMIT);
  }

  @Test
  void aModelOfTheCacheIsListedAndDrawnWith() throws Exception {
    try (Unet unet = Unet.create(network(), DataType.FLOAT, 3)) {
      DiffusersScheduler scheduler =
          new DiffusersScheduler(
              LinearSchedule.paper(),
              100,
              Parameterization.EPSILON,
              SamplerConfig.of(SamplerType.DDIM),
              X0Clipping.UNIT);
      PipelineFolder.write(
          snapshot("models--me--clothes"), new DiffusersPipeline(unet, scheduler, List.of()));
    }
    refer("models--me--clothes");
    // One of which only the index was downloaded.
    Files.createDirectories(snapshot("models--me--part"));
    Files.writeString(snapshot("models--me--part").resolve(PipelineFolder.INDEX), "{}");
    refer("models--me--part");
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0), List.of(ModelSource.bundled()), Optional.of(options()))) {
      JsonNode models = send(server, "/v1/models", null).get("models");
      assertThat(models).hasSize(2);
      assertThat(models.get(1).get("id").textValue()).isEqualTo("me/clothes");
      assertThat(models.get(1).get("kind").textValue()).isEqualTo("hub");
      assertThat(models.get(1).get("width").intValue()).isEqualTo(12);

      JsonNode drawn =
          send(server, "/v1/samples", "{\"model\": \"me/clothes\", \"count\": 1, \"steps\": 2}");
      assertThat(drawn.get("command").textValue())
          .startsWith("ddpm sample --model me/clothes@" + COMMIT + " --count 1 ");
      assertThat(drawn.get("images").get(0).get("png").textValue()).isNotEmpty();
    }
    // One that the service was started with is listed once, under the name that it was given.
    HubName name = new HubName("me", "clothes", COMMIT);
    ModelSource given =
        ModelSource.of(new HubCache.Cached(name, snapshot("models--me--clothes")))
            .withId("me/clothes@main");
    try (StudioServer server =
        new StudioServer(ServerOptions.loopback(0), List.of(given), Optional.of(options()))) {
      JsonNode models = send(server, "/v1/models", null).get("models");
      assertThat(models).hasSize(1);
      assertThat(models.get(0).get("id").textValue()).isEqualTo("me/clothes@main");
    }
  }

  private StudioOptions options() {
    return new StudioOptions(
        folder.resolve("runs"), words -> words, Map.of(), Optional.of(folder.resolve("hub")));
  }

  private static Unet2D network() {
    Unet2D.Level level = new Unet2D.Level(8, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN);
    return Unet2D.of(1, List.of(level, level), 2).withSampleSize(new Unet2D.ImageSize(8, 12));
  }

  private static JsonNode send(StudioServer server, String path, String body) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path))
            .header("Content-Type", "application/json");
    if (body != null) {
      request.POST(BodyPublishers.ofString(body));
    }
    return new ObjectMapper()
        .readTree(HttpClient.newHttpClient().send(request.build(), BodyHandlers.ofString()).body());
  }
}
