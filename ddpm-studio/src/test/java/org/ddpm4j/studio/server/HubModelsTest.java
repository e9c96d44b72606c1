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
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.diffusers.DiffusersPipeline;
import org.ddpm4j.diffusion.diffusers.DiffusersSampler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.studio.drawing.ModelSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    try (DiffusionModel model = DiffusionModel.bundled();
        PipelineToClose pipeline =
            new PipelineToClose(
                model.toPipeline(new DiffusersSampler(DdimConfig.usual(), X0Clipping.UNIT)))) {
      PipelineFolder.write(snapshot("models--me--clothes"), pipeline.pipeline());
    }
    refer("models--me--clothes");
    // One of which only the index was downloaded.
    Files.createDirectories(snapshot("models--me--part"));
    Files.writeString(snapshot("models--me--part").resolve(PipelineFolder.INDEX), "{}");
    refer("models--me--part");
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.of(
                new StudioOptions(
                    folder.resolve("runs"),
                    words -> words,
                    Map.of(),
                    Optional.of(folder.resolve("hub")))))) {
      JsonNode models = send(server, "/v1/models", null).get("models");
      assertThat(models).hasSize(2);
      assertThat(models.get(1).get("id").textValue()).isEqualTo("me/clothes");
      assertThat(models.get(1).get("kind").textValue()).isEqualTo("hub");
      assertThat(models.get(1).get("width").intValue()).isEqualTo(28);

      JsonNode drawn =
          send(server, "/v1/samples", "{\"model\": \"me/clothes\", \"count\": 1, \"steps\": 2}");
      assertThat(drawn.get("command").textValue())
          .startsWith("ddpm sample --model me/clothes@" + COMMIT + " --count 1 ");
      assertThat(drawn.get("images").get(0).get("png").textValue()).isNotEmpty();
    }
  }

  /** The network of a pipeline is to be closed of its own. */
  private record PipelineToClose(DiffusersPipeline pipeline) implements AutoCloseable {
    @Override
    public void close() {
      pipeline.unet().close();
    }
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
