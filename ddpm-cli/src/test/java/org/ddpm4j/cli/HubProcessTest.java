package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The program as a process that downloads from the hub of the tests of {@code ddpm-io}, which runs
 * on this machine: where the hub is, the environment says.
 */
@Tag("slow")
class HubProcessTest {

  private static final String NAME = "ddpm4j/served";
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path folder;
  private Path model;
  private Process hub;
  private String address;

  @BeforeEach
  void serve() throws IOException {
    model = folder.resolve("model");
    TinyPipeline.write(model);
    hub =
        new ProcessBuilder(
                java(),
                "-cp",
                Path.of("..", "ddpm-io", "target", "test-classes").toString(),
                "org.ddpm4j.io.hub.HubServer",
                "0",
                NAME,
                model.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader said = hub.inputReader(StandardCharsets.UTF_8);
    address = said.readLine();
    assertThat(address).startsWith("http://localhost:");
  }

  @AfterEach
  void end() throws InterruptedException {
    hub.destroy();
    hub.waitFor();
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  private Path err() {
    return folder.resolve("err.txt");
  }

  private ProcessBuilder program(Object... args) {
    List<String> command =
        new ArrayList<>(List.of(java(), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    Arrays.stream(args).map(Object::toString).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err().toFile());
    builder.environment().put("OMP_NUM_THREADS", "1");
    builder.environment().put("HF_ENDPOINT", address);
    builder.environment().put("HF_HOME", folder.resolve("home").toString());
    builder.environment().put("HF_HUB_OFFLINE", "0");
    return builder;
  }

  private int run(Object... args) throws IOException, InterruptedException {
    return program(args).redirectOutput(folder.resolve("out.txt").toFile()).start().waitFor();
  }

  @Test
  void aTrainingBeginsWithWhatItDownloads() throws Exception {
    Path data = IdxFixture.write(folder.resolve("data"), 12, 8, 5);
    Path snapshot = folder.resolve("home/hub/models--ddpm4j--served/snapshots").resolve(COMMIT);
    for (String option : List.of("--from", "--distill")) {
      Path run = folder.resolve("run" + option);
      Object[] command = {
        "train",
        "--offline",
        "--data",
        data,
        "--run",
        run,
        option,
        NAME,
        "--steps",
        1,
        "--batch-size",
        4,
        "--validation-images",
        0,
        "--sample-steps",
        1
      };
      assertThat(run(command)).as(Files.readString(err())).isZero();
      assertThat(err()).content().contains(NAME + " is not here: the model of " + address);
      assertThat(snapshot.resolve("unet/diffusion_pytorch_model.safetensors"))
          .hasSameBinaryContentAs(model.resolve("unet/diffusion_pytorch_model.safetensors"));
      try (SafetensorsReader expected =
              SafetensorsReader.open(model.resolve("unet/diffusion_pytorch_model.safetensors"));
          SafetensorsReader began =
              SafetensorsReader.open(run.resolve("checkpoints/step-0000000.safetensors"))) {
        for (String name : expected.names()) {
          assertThat(began.tensor("model." + name)).as(name).isEqualTo(expected.tensor(name));
        }
      }
    }
  }

  @Test
  void twoProcessesDownloadAtOnce() throws Exception {
    Path[] written = {folder.resolve("first.txt"), folder.resolve("second.txt")};
    List<Process> both = new ArrayList<>();
    for (Path output : written) {
      both.add(program("info", NAME).redirectOutput(output.toFile()).start());
    }
    for (Process process : both) {
      assertThat(process.waitFor()).as(Files.readString(err())).isZero();
    }
    assertThat(written[0]).content().contains("DDIMScheduler", "UNet2DModel");
    assertThat(written[1]).hasSameTextualContentAs(written[0]);
    try (Stream<Path> files = Files.list(folder.resolve("home/hub/models--ddpm4j--served/blobs"))) {
      assertThat(files).isNotEmpty().noneMatch(file -> file.toString().endsWith(".incomplete"));
    }
  }

  /** The hub is asked for what could be a name, and says no. */
  @Test
  void aMistypedFolderIsSaid() throws Exception {
    assertThat(run("train", "--from", "runs/typo", "--run", folder.resolve("none"))).isEqualTo(2);
    List<String> lines = Files.readAllLines(err());
    assertThat(lines.get(lines.size() - 1))
        .isEqualTo(
            "ddpm: There is no file or folder "
                + Path.of("runs", "typo")
                + ", so a model of the hub was looked for: "
                + address
                + " has no model runs/typo that all may see; check the name, or set HF_TOKEN if it is"
                + " private.");
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void theServiceDrawsWithWhatItDownloads() throws Exception {
    Process service = program("serve", "--port", 0, "--model", NAME + "@main").start();
    try {
      String documentation = service.inputReader(StandardCharsets.UTF_8).readLine();
      assertThat(documentation).as(Files.readString(err())).startsWith("http://");
      URI models = URI.create(documentation).resolve("models");
      JsonNode listed = ask(HttpRequest.newBuilder(models).build()).get("models");
      assertThat(listed).hasSize(1);
      assertThat(listed.get(0).get("id").textValue()).isEqualTo(NAME);
      assertThat(listed.get(0).get("kind").textValue()).isEqualTo("hub");
      JsonNode drawn =
          ask(
              HttpRequest.newBuilder(models.resolve("samples"))
                  .header("Content-Type", "application/json")
                  .POST(BodyPublishers.ofString("{\"count\": 1, \"steps\": 2}"))
                  .build());
      assertThat(drawn.get("command").textValue())
          .startsWith("ddpm sample --model " + NAME + "@" + COMMIT + " ");
    } finally {
      service.destroy();
      assertThat(service.waitFor(1, TimeUnit.MINUTES)).isTrue();
    }
  }

  private static JsonNode ask(HttpRequest request) throws IOException, InterruptedException {
    return new ObjectMapper()
        .readTree(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
  }
}
