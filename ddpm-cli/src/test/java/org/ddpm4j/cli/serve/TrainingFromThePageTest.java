package org.ddpm4j.cli.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.ddpm4j.cli.Cli;
import org.ddpm4j.cli.IdxFixture;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.SafetensorsReader;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.server.ServerOptions;
import org.ddpm4j.studio.server.StudioOptions;
import org.ddpm4j.studio.server.StudioServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training is begun by the page and paused by it, and the command line goes on with it to the
 * bits of one that was never paused.
 */
class TrainingFromThePageTest {

  private static final int MORE_STEPS = 20;

  /** Whose usual values follow from a training's length. */
  private static final Object[] SETTINGS = {"--decay", "constant", "--ema-decay", 0.99};

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir private Path folder;

  @Test
  void isBegunWatchedPausedAndResumedWithTheSameBits() throws Exception {
    Path runs = folder.resolve("runs");
    Path run = runs.resolve("one");
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 0);
    List<String> options = new ArrayList<>(List.of("--data", data.toString()));
    options.addAll(Cli.tiny());
    Stream.of(SETTINGS).map(Object::toString).forEach(options::add);
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.bundled()),
            Optional.of(new StudioOptions(runs, new SameProgram(), Map.of("tiny", options))))) {
      assertThat(
              post(server, "/v1/runs", "{\"dataset\":\"tiny\",\"name\":\"one\",\"steps\":5000000}"))
          .isEqualTo(201);
      JsonNode running =
          await(server, one -> one.get("state").textValue().equals("running") && step(one) > 0);
      assertThat(running.get("ours").booleanValue()).isTrue();
      assertThat(running.get("images_per_second").doubleValue()).isPositive();
      assertThat(post(server, "/v1/runs", "{\"dataset\": \"tiny\"}")).isEqualTo(409);

      assertThat(post(server, "/v1/runs/one/pause", "{}")).isEqualTo(202);
      await(server, one -> one.get("state").textValue().equals("paused"));
      long paused = latest(run);
      assertThat(paused).isPositive();

      // What the page does to go on, but to an end that another training can have, too.
      long end = paused + MORE_STEPS;
      Cli.run("train", "--resume", run, "--data", data, "--offline", "--steps", end).isOk();
      assertThat(latest(run)).isEqualTo(end);
      JsonNode done = await(server, one -> one.get("state").textValue().equals("done"));
      assertThat(step(done)).isEqualTo(end);
      assertThat(done.get("ours").booleanValue()).isFalse();

      Path whole = folder.resolve("whole");
      Cli.run(Cli.tinyTraining(data, whole, (int) end, SETTINGS)).isOk();
      assertSameBits(run, whole);
    }
  }

  /** All that their last checkpoints hold: weights, averages, the optimiser's moments. */
  private static void assertSameBits(Path run, Path whole) throws IOException {
    try (SafetensorsReader one =
            SafetensorsReader.open(new RunFolder(run).checkpoints().latest().orElseThrow());
        SafetensorsReader other =
            SafetensorsReader.open(new RunFolder(whole).checkpoints().latest().orElseThrow())) {
      assertThat(one.names()).isEqualTo(other.names()).hasSizeGreaterThan(40);
      for (String name : one.names()) {
        assertThat(one.tensor(name)).as(name).isEqualTo(other.tensor(name));
      }
    }
  }

  private static long step(Path checkpoint) {
    return Long.parseLong(checkpoint.getFileName().toString().replaceAll("\\D", ""));
  }

  private static long step(JsonNode run) {
    return run.path("step").longValue();
  }

  private static long latest(Path run) throws IOException {
    return step(new RunFolder(run).checkpoints().latest().orElseThrow());
  }

  private static int post(StudioServer server, String path, String body) throws Exception {
    return CLIENT
        .send(
            request(server, path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build(),
            BodyHandlers.discarding())
        .statusCode();
  }

  private static HttpRequest.Builder request(StudioServer server, String path) {
    return HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + path));
  }

  private static JsonNode await(StudioServer server, Predicate<JsonNode> condition)
      throws Exception {
    for (; ; ) {
      HttpResponse<String> answer =
          CLIENT.send(request(server, "/v1/runs").build(), BodyHandlers.ofString());
      JsonNode run = new ObjectMapper().readTree(answer.body()).get("runs").get(0);
      assertThat(run.path("detail").asText()).isEmpty();
      if (condition.test(run)) {
        return run;
      }
      Thread.sleep(50);
    }
  }
}
