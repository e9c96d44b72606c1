package org.ddpm4j.examples.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

class SamplingServerTest {

  private static final SamplingServer.Limits ONE_AT_A_TIME =
      new SamplingServer.Limits(1, Duration.ofHours(1));

  /** Cells of the grid: an image and the line on its left or above. */
  private static final int CELL = 29;

  private static SamplingServer server;
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @BeforeAll
  static void start() throws IOException {
    server = new SamplingServer(DiffusionModel.bundled(), 0, ONE_AT_A_TIME);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static URI address(SamplingServer of, String path) {
    return URI.create("http://127.0.0.1:%d%s".formatted(of.port(), path));
  }

  private static HttpResponse<byte[]> get(SamplingServer of, String path) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(address(of, path)).build();
    return CLIENT.send(request, BodyHandlers.ofByteArray());
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  private static BufferedImage picture(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static int[] firstImage(BufferedImage grid) {
    return grid.getRaster().getSamples(1, 1, CELL - 1, CELL - 1, 0, (int[]) null);
  }

  @Test
  void drawsWhatIsAskedFor() throws Exception {
    HttpResponse<byte[]> four = get(server, "/sample?count=4&seed=7&steps=2&sampler=dpm++");
    assertThat(four.statusCode()).isEqualTo(200);
    assertThat(four.headers().firstValue("Content-Type")).hasValue("image/png");
    BufferedImage grid = picture(four.body());
    assertThat(grid.getWidth()).isEqualTo(2 * CELL + 1);
    assertThat(grid.getHeight()).isEqualTo(2 * CELL + 1);

    HttpResponse<byte[]> one = get(server, "/sample?count=1&seed=7&steps=2&sampler=dpm%2B%2B");
    assertThat(firstImage(picture(one.body()))).isEqualTo(firstImage(grid));
    HttpResponse<byte[]> other = get(server, "/sample?count=1&seed=8&steps=2&sampler=dpm++");
    assertThat(firstImage(picture(other.body()))).isNotEqualTo(firstImage(grid));
  }

  /** As "sample --class" takes it: a name in any spelling comes before a number. */
  @Test
  void drawsTheClassThatIsAskedFor() throws Exception {
    Unet unet =
        Unet.create(TutorialUnet.of(1, 20).withDim(4).withClassEmbeddings(4), DataType.FLOAT, 1);
    DiffusionModel model =
        DiffusionModel.of(
                unet, NoiseSchedule.of(LinearSchedule.paper(), 20), new ImageShape(1, 8, 8))
            .withClassNames(List.of("10", "2", "T-shirt/top"))
            .withNullClass(3);
    String query = "/sample?count=1&seed=7&steps=2&sampler=ddim&class=";
    try (SamplingServer told = new SamplingServer(model, 0, ONE_AT_A_TIME)) {
      DiffusionPipeline pipeline = model.pipeline(SamplerType.DDIM, 2);
      String[] asked = {"10", "2", "t%20shirt%2Ftop", "1", "none"};
      int[] rows = {0, 1, 2, 1, 3};
      for (int i = 0; i < asked.length; i++) {
        HttpResponse<byte[]> answer = get(told, query + asked[i]);
        assertThat(answer.statusCode()).as(asked[i]).isEqualTo(200);
        BufferedImage expected =
            Images.grid(pipeline.sample(new int[] {rows[i]}, 7), 1, 1, model.normalization());
        assertThat(samples(picture(answer.body()))).as(asked[i]).isEqualTo(samples(expected));
      }
      HttpResponse<byte[]> unknown = get(told, query + "%1B%5B2Jboot");
      assertThat(unknown.statusCode()).isEqualTo(400);
      assertThat(text(unknown))
          .isEqualTo(
              "There is no class ?[2Jboot; choose a number from 0 to 2 or one of the names 10, 2,"
                  + " T-shirt/top.\n");
    }
    assertThat(get(server, query + "Bag").statusCode()).isEqualTo(200);
  }

  @Test
  void aModelWithoutClassesSaysSo() throws Exception {
    Unet unet = Unet.create(TutorialUnet.of(1, 20).withDim(4), DataType.FLOAT, 1);
    DiffusionModel model =
        DiffusionModel.of(
            unet, NoiseSchedule.of(LinearSchedule.paper(), 20), new ImageShape(1, 8, 8));
    try (SamplingServer untold = new SamplingServer(model, 0, ONE_AT_A_TIME)) {
      HttpResponse<byte[]> bag = get(untold, "/sample?count=1&seed=7&steps=2&class=Bag");
      assertThat(bag.statusCode()).isEqualTo(400);
      assertThat(text(bag)).contains("knows no classes");
    }
  }

  private static int[] samples(BufferedImage picture) {
    return picture
        .getRaster()
        .getSamples(0, 0, picture.getWidth(), picture.getHeight(), 0, (int[]) null);
  }

  @Test
  void tellsHowFarItIs() throws Exception {
    List<String> lines =
        text(get(server, "/events?count=2&seed=7&steps=3&sampler=ddpm")).lines().toList();
    assertThat(lines)
        .filteredOn(line -> line.startsWith("event: "))
        .containsExactly(
            "event: progress",
            "event: preview",
            "event: progress",
            "event: preview",
            "event: progress",
            "event: preview",
            "event: image");
    assertThat(lines).containsSubsequence("data: 0.333", "data: 0.667", "data: 1.000");
    String last = lines.get(lines.size() - 2);
    byte[] streamed = Base64.getDecoder().decode(last.substring("data: ".length()));
    assertThat(streamed)
        .isEqualTo(get(server, "/sample?count=2&seed=7&steps=3&sampler=ddpm").body());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "count=0",
        "count=65",
        "count=",
        "count",
        "count=1e1",
        "steps=0",
        "steps=1001",
        "steps=99999999999999999999",
        "seed=x",
        "seed=9223372036854775808",
        "sampler=best",
        "sampler=",
        "count=1&count=2",
        "size=64",
        "=",
        "%3Cscript%3E=1",
        "sampler=pndm&steps=1"
      })
  void whatIsAskedWronglyIsSaidInASentence(String query) throws Exception {
    for (String path : List.of("/sample?", "/events?")) {
      HttpResponse<byte[]> response = get(server, path + query);
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.headers().firstValue("Content-Type"))
          .hasValue("text/plain; charset=utf-8");
      assertThat(text(response)).hasLineCount(1).endsWith(".\n").doesNotContain("script");
    }
  }

  @Test
  void onlyGetIsServed() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(address(server, "/sample")).POST(BodyPublishers.noBody()).build();
    assertThat(CLIENT.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(405);
    assertThat(get(server, "/").statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/sampler?count=1", "/sample/", "/sample/more", "/Sample", "/events2", "/"})
  void onlyExactPathsAreServed(String path) throws Exception {
    HttpResponse<byte[]> response = get(server, path);
    assertThat(response.statusCode()).isEqualTo(404);
    assertThat(text(response)).hasLineCount(1).endsWith(".\n");
  }

  /**
   * Half a request line, and a whole one whose header never ends: many more than there are places.
   */
  @Test
  void slowClientsHoldUpNobody() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 60; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        slow.add(socket);
        String part = i % 2 == 0 ? "GET /sam" : "GET /sample?count=1 HTTP/1.1\r\nHost: loc";
        socket.getOutputStream().write(part.getBytes(StandardCharsets.US_ASCII));
      }
      HttpRequest request =
          HttpRequest.newBuilder(address(server, "/sample?count=1&steps=1"))
              .timeout(Duration.ofMinutes(1))
              .build();
      assertThat(CLIENT.send(request, BodyHandlers.ofByteArray()).statusCode()).isEqualTo(200);
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  /** The long drawing would take minutes; only its end makes room for another. */
  @Test
  void aClientThatHangsUpMakesRoom() throws Exception {
    int before = server.givenUp();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket
          .getOutputStream()
          .write(
              "GET /events?count=64&steps=1000&sampler=ddpm HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      BufferedReader events =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      String line = events.readLine();
      while (!line.startsWith("event: progress")) {
        line = events.readLine();
      }
      HttpResponse<byte[]> refused = get(server, "/sample?count=1&steps=1");
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
      assertThat(text(refused)).hasLineCount(1).endsWith(".\n");
    }
    HttpResponse<byte[]> response = get(server, "/sample?count=1&steps=1");
    while (response.statusCode() == 503) {
      Thread.sleep(20);
      response = get(server, "/sample?count=1&steps=1");
    }
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(server.givenUp()).isEqualTo(before + 1);
  }

  @Test
  void whatTakesTooLongIsGivenUp() throws Exception {
    try (SamplingServer hasty =
        new SamplingServer(
            DiffusionModel.bundled(), 0, new SamplingServer.Limits(1, Duration.ofMillis(1)))) {
      HttpResponse<byte[]> response = get(hasty, "/sample?count=16&steps=1000&sampler=ddpm");
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(text(response)).startsWith("The images were not done within 0.001 s");
      assertThat(text(get(hasty, "/events?count=16&steps=1000&sampler=ddpm")))
          .contains("event: error\ndata: The images were not done")
          .doesNotContain("event: image");
      assertThat(hasty.givenUp()).isEqualTo(2);
    }
  }
}
