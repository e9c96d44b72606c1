package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.io.Text;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.server.ServerOptions;
import org.ddpm4j.studio.server.StudioServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** The service beside the program. */
class ServingTest {

  @TempDir private Path folder;

  /** The service's commands draw its images to the last bit. */
  @Test
  void theCommandDrawsTheSameBits() throws Exception {
    Path run = folder.resolve("a run");
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 0);
    Cli.run(Cli.tinyTraining(data, run, 2, "--class-conditional")).isOk();
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0), List.of(ModelSource.of("tiny", run)), Optional.empty())) {
      String settings = "\"sampler\": \"dpm++-sde\", \"steps\": 4, \"guidance\": 2.5";
      JsonNode one = draw(server, "{\"seeds\": [5, 12], \"class\": \"bag\", " + settings + "}");
      JsonNode many = draw(server, "{\"seed\": -3, \"count\": 3, " + settings + "}");

      assertDrawn(one.get("images").get(1).get("command"), List.of(one.get("images").get(1)));
      List<JsonNode> images = new ArrayList<>();
      many.get("images").forEach(images::add);
      assertDrawn(many.get("command"), images);
    }
  }

  /** In words of the service, not of the program or the library. */
  @Test
  void guidanceOfAModelWithoutClassesIsRefused() throws Exception {
    Path run = folder.resolve("plain");
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 0);
    Cli.run(Cli.tinyTraining(data, run, 1)).isOk();
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0), List.of(ModelSource.of("tiny", run)), Optional.empty())) {
      String refusal = answer(server, "{\"count\": 1, \"steps\": 2, \"guidance\": 3}");
      assertThat(refusal)
          .contains("\"status\":422", "not told classes", "leave the field guidance out")
          .doesNotContain("withNullClass");
      assertThat(answer(server, "{\"count\": 1, \"steps\": 2, \"guidance\": 1}"))
          .contains("\"images\"");
    }
  }

  private static String answer(StudioServer server, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + server.port() + "/v1/samples"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build();
    return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
  }

  private static JsonNode draw(StudioServer server, String body) throws Exception {
    String answer = answer(server, body);
    assertThat(answer).contains("\"images\"");
    return new ObjectMapper().readTree(answer);
  }

  private void assertDrawn(JsonNode command, List<JsonNode> images) throws IOException {
    List<Object> words = new ArrayList<>(words(command.textValue()));
    assertThat(words.remove(0)).isEqualTo("ddpm");
    Path pictures = Files.createTempDirectory(folder, "pictures");
    words.addAll(List.of("--format", "png", "--output", pictures));
    Cli.run(words.toArray()).isOk();
    for (int i = 0; i < images.size(); i++) {
      byte[] served = Base64.getDecoder().decode(images.get(i).get("png").textValue());
      assertThat(Files.readAllBytes(pictures.resolve("000" + i + ".png"))).isEqualTo(served);
    }
  }

  /** As a shell takes a line apart that has apostrophes around some words. */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean isQuoted = false;
    for (char c : line.toCharArray()) {
      if (c == '\'') {
        isQuoted = !isQuoted;
      } else if (c == ' ' && !isQuoted) {
        words.add(word.toString());
        word.setLength(0);
      } else {
        word.append(c);
      }
    }
    words.add(word.toString());
    return words;
  }

  private interface Asking {
    void ask(StudioServer server) throws Exception;
  }

  /** What a service has logged when it has answered a request and ended. */
  private static List<ILoggingEvent> logOf(ServerOptions options, Asking asking) throws Exception {
    Logger log = ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger(StudioServer.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    log.addAppender(lines);
    log.setLevel(Level.INFO);
    try (StudioServer server =
        new StudioServer(options, List.of(ModelSource.bundled()), Optional.empty())) {
      asking.ask(server);
    } finally {
      log.setLevel(null);
      log.detachAppender(lines);
    }
    return lines.list;
  }

  /** What the log says of a request names it as its client does. */
  @Test
  void theLogHasTheIdsOfRequestsAsFieldsOfTheirOwn() throws Exception {
    List<ILoggingEvent> lines =
        logOf(
            ServerOptions.loopback(0),
            server ->
                HttpClient.newHttpClient()
                    .send(
                        HttpRequest.newBuilder(
                                URI.create("http://localhost:" + server.port() + "/v1/models"))
                            .header("X-Request-Id", "mine-7")
                            .build(),
                        BodyHandlers.discarding()));
    assertThat(lines).hasSize(1);
    Map<String, Object> fields =
        lines.get(0).getKeyValuePairs().stream()
            .collect(Collectors.toMap(pair -> pair.key, pair -> pair.value));
    assertThat(fields)
        .containsEntry("request", "mine-7")
        .containsEntry("uri", "/v1/models")
        .containsEntry("status", 200)
        .containsKey("millis");
  }

  @Test
  void nobodyListensBeyondThisMachineWithoutAToken() {
    Cli.run("serve", "--host", "0.0.0.0", "--port", "0").isBadInput("--token-file", "--open");
    Cli.run("studio", "--host", "0.0.0.0", "--port", "0").isBadInput("--token-file", "--open");
  }

  /** Each beside a model that is missing, so that nothing is served where the place is taken. */
  @Test
  void placesOfTheStudioThatAreNoFoldersAreRefused() throws IOException {
    Path none = folder.resolve("none");
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    Cli.run("studio", "--port", "0", "--model", none, "--runs", file)
        .isBadInput(file.toString(), "there is a file in its place");
    Cli.run("studio", "--port", "0", "--model", none, "--images", none)
        .isBadInput(none + " is not a folder", "--images");
    Cli.run("studio", "--port", "0", "--model", none, "--images", file)
        .isBadInput(file + " is not a folder", "--images");
  }

  /** The option that is wrong, and none of those that are right. */
  @ParameterizedTest
  @CsvSource({
    "--port, 65536, 'it must be from 0 to 65535.'",
    "--port, -1, 'it must be from 0 to 65535.'",
    "--queue, 0, 'it must be at least 32, the images of a batch (--batch-size).'",
    "--batch-size, 0, 'it must be from 1 to'",
    "--batches, 0, 'it must be from 1 to'",
    "--connections, 0, 'it must be from 1 to'",
    "--timeout, 0, 'it must be from 1 to'",
    "--grace, -1, 'it must be from 0 to'",
  })
  void aLimitThatServesNothingIsNamed(String option, int value, String expected) {
    List<Object> call = new ArrayList<>(List.of("serve", option, value));
    if (!option.equals("--port")) {
      call.addAll(List.of("--port", 0));
    }
    Cli.run(call.toArray()).isBadInput("The value of " + option + " is " + value + "; " + expected);
  }

  /** One limit for the program, the library and the service. */
  @Test
  void guidanceIsLimitedAsInTheLibrary() throws Exception {
    JsonNode document =
        new ObjectMapper()
            .readTree(
                StudioServer.class.getResource("/org/ddpm4j/studio/server/page/openapi.json"));
    assertThat(document.findValue("guidance").get("maximum").intValue())
        .isEqualTo(Guidance.MAX_SCALE);
    try (StudioServer server =
        new StudioServer(
            ServerOptions.loopback(0), List.of(ModelSource.bundled()), Optional.empty())) {
      String body = "{\"count\": 1, \"steps\": 1, \"class\": 0, \"guidance\": %d}";
      assertThat(answer(server, Text.format(body, Guidance.MAX_SCALE))).contains("\"images\"");
      assertThat(answer(server, Text.format(body, Guidance.MAX_SCALE + 1)))
          .contains("\"status\":400", "guidance");
    }
  }

  /** Whoever reads the log finds that a client was not given what it had asked for. */
  @Test
  void whatIsCancelledWhenTheGraceIsOverIsLogged() throws Exception {
    List<String> jobs = new ArrayList<>();
    List<ILoggingEvent> lines =
        logOf(
            ServerOptions.loopback(0).withGrace(Duration.ZERO),
            server -> {
              HttpRequest request =
                  HttpRequest.newBuilder(
                          URI.create("http://localhost:" + server.port() + "/v1/jobs"))
                      .header("Content-Type", "application/json")
                      .POST(BodyPublishers.ofString("{\"count\": 16, \"steps\": 1000}"))
                      .build();
              jobs.add(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
            });
    String id = new ObjectMapper().readTree(jobs.get(0)).get("id").textValue();
    List<ILoggingEvent> warnings =
        lines.stream().filter(event -> event.getLevel().equals(Level.WARN)).toList();
    assertThat(warnings).hasSize(1);
    assertThat(warnings.get(0).getMessage()).isEqualTo("cancelled when the grace was over");
    assertThat(warnings.get(0).getKeyValuePairs())
        .extracting(pair -> pair.key, pair -> pair.value)
        .containsExactly(
            tuple("grace_seconds", 0L), tuple("drawings", 1), tuple("jobs", List.of(id)));
  }

  @Test
  void aTokenThatCouldBeGuessedIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("token"), "secret\n");
    Cli.run("serve", "--port", "0", "--token-file", file).isBadInput("16 characters");
  }

  @Test
  void aFolderThatIsNoModelIsRefused() {
    Cli.run("serve", "--port", "0", "--model", folder).isBadInput("is not the folder of a run");
  }
}
