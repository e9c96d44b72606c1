package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.QueueLimits;
import org.ddpm4j.studio.runs.RunFixture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The service over HTTP, with the model that comes along. */
class StudioServerTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final String TOKEN = "0123456789abcdef0123";

  @TempDir static Path folder;

  private static StudioServer server;

  @BeforeAll
  static void open() throws Exception {
    server =
        new StudioServer(
            ServerOptions.loopback(0)
                .withGrace(Duration.ZERO)
                .withQueue(new QueueLimits(1, 8, 64, Duration.ofMinutes(1))),
            List.of(ModelSource.bundled()),
            Optional.of(
                new StudioOptions(
                    folder.resolve("runs"),
                    words -> List.of("false"),
                    Map.of("clothes", List.of("--dataset", "fashion-mnist")))));
  }

  @AfterAll
  static void close() {
    server.close();
  }

  private static HttpRequest.Builder request(StudioServer to, String path) {
    return HttpRequest.newBuilder(URI.create("http://localhost:" + to.port() + path))
        .timeout(Duration.ofMinutes(1));
  }

  private static HttpRequest.Builder posting(StudioServer to, String path, String json) {
    return request(to, path)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(json));
  }

  private static HttpResponse<String> get(String path) throws Exception {
    return CLIENT.send(request(server, path).build(), BodyHandlers.ofString());
  }

  private static HttpResponse<String> post(String path, String body, String... headers)
      throws Exception {
    HttpRequest.Builder builder = posting(server, path, body);
    if (headers.length > 0) {
      builder.headers(headers);
    }
    return CLIENT.send(builder.build(), BodyHandlers.ofString());
  }

  private static byte[] png(JsonNode image) {
    return Base64.getDecoder().decode(image.get("png").textValue());
  }

  @Test
  void drawsWhatThePipelineDraws() throws Exception {
    HttpResponse<String> answer =
        post("/v1/samples", "{\"count\": 3, \"seed\": 7, \"steps\": 3, \"sampler\": \"unipc\"}");
    assertThat(answer.statusCode()).isEqualTo(200);
    JsonNode json = JSON.readTree(answer.body());

    assertThat(json.get("command").textValue())
        .isEqualTo("ddpm sample --count 3 --seed 7 --sampler unipc --steps 3");
    try (DiffusionModel model = DiffusionModel.bundled()) {
      List<BufferedImage> expected = model.pipeline(SamplerType.UNIPC, 3).pictures(3, 7);
      for (int i = 0; i < 3; i++) {
        assertThat(png(json.get("images").get(i))).isEqualTo(Images.png(expected.get(i)));
      }
    }
  }

  @Test
  void aRunIsListedWithTheSamplerThatDrawsUnlessAnotherIsAskedFor(@TempDir Path own)
      throws Exception {
    String sampler;
    try (DiffusionModel model = DiffusionModel.bundled()) {
      model.save(own.resolve("run"));
      sampler = model.defaultSampler().config().type().toString();
    }
    try (StudioServer ofRun =
        new StudioServer(
            ServerOptions.loopback(0),
            List.of(ModelSource.of("run", own.resolve("run"))),
            Optional.empty())) {
      String models =
          CLIENT.send(request(ofRun, "/v1/models").build(), BodyHandlers.ofString()).body();
      assertThat(JSON.readTree(models).at("/models/0/sampler").textValue()).isEqualTo(sampler);
    }
  }

  @Test
  void imagesOfSeedsOfTheirOwnAreTheFirstOfEach() throws Exception {
    JsonNode many = JSON.readTree(post("/v1/samples", "{\"seeds\": [9, 3], \"steps\": 2}").body());
    JsonNode one =
        JSON.readTree(post("/v1/samples", "{\"seed\": 9, \"count\": 1, \"steps\": 2}").body());

    assertThat(png(many.get("images").get(0))).isEqualTo(png(one.get("images").get(0)));
    assertThat(many.get("images").get(0).get("command").textValue()).contains("--count 1 --seed 9");
  }

  @Test
  void aPictureIsAnsweredWhereOneIsWanted() throws Exception {
    HttpRequest wanted =
        posting(server, "/v1/samples", "{\"count\": 4, \"steps\": 1}")
            .header("Accept", "image/png")
            .build();
    HttpResponse<byte[]> answer = CLIENT.send(wanted, BodyHandlers.ofByteArray());

    assertThat(answer.headers().firstValue("Content-Type")).hasValue("image/png");
    BufferedImage grid = ImageIO.read(new ByteArrayInputStream(answer.body()));
    assertThat(grid.getWidth()).isEqualTo(2 * 29 + 1);
  }

  @Test
  void aStreamBeginsShowsPreviewsAndEnds() throws Exception {
    HttpResponse<String> answer =
        post(
            "/v1/samples",
            "{\"count\": 2, \"steps\": 4, \"previews\": 2}",
            "Accept",
            "text/event-stream");
    List<String> events =
        answer
            .body()
            .lines()
            .filter(line -> line.startsWith("event: "))
            .map(line -> line.substring(7))
            .toList();

    assertThat(events).containsExactly("begin", "preview", "preview", "image", "image", "done");
  }

  @Test
  void aJobIsAskedForUntilItIsDone() throws Exception {
    HttpResponse<String> begun = post("/v1/jobs", "{\"count\": 2, \"steps\": 2, \"seed\": 5}");
    assertThat(begun.statusCode()).isEqualTo(202);
    String address = begun.headers().firstValue("Location").orElseThrow();
    JsonNode job = JSON.readTree(get(address).body());
    while (!job.get("state").textValue().equals("done")) {
      assertThat(job.get("state").textValue()).isIn("waiting", "running");
      Thread.sleep(20);
      job = JSON.readTree(get(address).body());
    }
    JsonNode same =
        JSON.readTree(post("/v1/samples", "{\"count\": 2, \"steps\": 2, \"seed\": 5}").body());
    assertThat(job.get("result").get("images").get(1).get("png"))
        .isEqualTo(same.get("images").get(1).get("png"));
  }

  @Test
  void aCancelledJobSaysSo() throws Exception {
    String address =
        post("/v1/jobs", "{\"count\": 64, \"steps\": 1000}")
            .headers()
            .firstValue("Location")
            .orElseThrow();
    HttpResponse<Void> ended =
        CLIENT.send(request(server, address).DELETE().build(), BodyHandlers.discarding());

    assertThat(ended.statusCode()).isEqualTo(204);
    assertThat(JSON.readTree(get(address).body()).get("state").textValue()).isEqualTo("cancelled");
  }

  @Test
  void aClientThatGoesEndsItsDrawing() throws Exception {
    double before = cancelled();
    try (Socket socket = new Socket("localhost", server.port())) {
      String body = "{\"count\": 64, \"steps\": 1000}";
      OutputStream out = socket.getOutputStream();
      out.write(
          ("POST /v1/samples HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  + "Content-Length: "
                  + body.length()
                  + "\r\n\r\n"
                  + body)
              .getBytes(StandardCharsets.US_ASCII));
      out.flush();
      while (metric("ddpm_queue_images ") == 0) {
        Thread.sleep(20);
      }
    }
    while (cancelled() == before) {
      Thread.sleep(20);
    }
    assertThat(cancelled()).isEqualTo(before + 1);
    assertThat(metric("ddpm_queue_images ")).isZero();
  }

  /** Who looks for why clients give up finds them in the figures, whatever they waited for. */
  @ParameterizedTest
  @CsvSource({"/v1/samples, 0", "/v1/edits, 5"})
  void aRequestWhoseClientHasGoneIsCounted(String path, int unsent) throws Exception {
    String counted =
        "http_server_requests_seconds_count{method=\"POST\",status=\"499\",uri=\"" + path + "\"} ";
    double before = metricOr(counted, 0);
    String body = "{\"count\": 16, \"steps\": 1000}";
    try (Socket socket = new Socket("localhost", server.port())) {
      socket
          .getOutputStream()
          .write(
              ("POST "
                      + path
                      + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      + "Content-Length: "
                      + (body.length() + unsent)
                      + "\r\n\r\n"
                      + body)
                  .getBytes(StandardCharsets.US_ASCII));
      // Something that is answered after the request was taken on.
      get("/v1/health/live");
    }
    while (metricOr(counted, 0) == before) {
      Thread.sleep(20);
    }
    assertThat(metricOr(counted, 0)).isEqualTo(before + 1);
  }

  /** Such as of a stack that overflows. */
  @Test
  void anErrorIsAnsweredToo() throws Exception {
    try (StudioServer broken =
        new StudioServer(
            ServerOptions.loopback(0), List.of(ModelSource.bundled()), Optional.empty())) {
      broken
          .routes()
          .addPublic(
              "/v1/error",
              exchange -> {
                throw new StackOverflowError();
              })
          .addPublic(
              "/v1/memory",
              exchange -> {
                throw new OutOfMemoryError("Java heap space");
              });
      assertThat(CLIENT.send(request(broken, "/v1/error").build(), BodyHandlers.ofString()).body())
          .contains("\"status\":500", "its log says more");
      assertThat(CLIENT.send(request(broken, "/v1/memory").build(), BodyHandlers.ofString()).body())
          .contains("\"status\":503", "ask for less at a time");
    }
  }

  private static double cancelled() throws Exception {
    return metric("ddpm_drawings_cancelled_total ");
  }

  private static double metric(String name) throws Exception {
    return findMetric(name).orElseThrow();
  }

  private static double metricOr(String name, double otherwise) throws Exception {
    return findMetric(name).orElse(otherwise);
  }

  private static OptionalDouble findMetric(String name) throws Exception {
    return get("/v1/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst();
  }

  @Test
  void editsKeepWhatTheMaskKeeps() throws Exception {
    byte[] image = picture((x, y) -> x * 9);
    byte[] mask = picture((x, y) -> y < 20 ? 255 : 0);
    JsonNode json =
        JSON.readTree(
            post(
                    "/v1/edits",
                    String.format(
                        "{\"kind\": \"inpaint\", \"image\": \"%s\", \"mask\": \"%s\","
                            + " \"count\": 1, \"steps\": 5, \"resamplings\": 1}",
                        Base64.getEncoder().encodeToString(image),
                        Base64.getEncoder().encodeToString(mask)))
                .body());
    BufferedImage drawn = ImageIO.read(new ByteArrayInputStream(png(json.get("images").get(0))));

    for (int y = 0; y < 20; y++) {
      for (int x = 0; x < 28; x++) {
        assertThat(drawn.getRaster().getSample(x, y, 0)).isEqualTo(x * 9);
      }
    }
  }

  @Test
  void blendsBeginAndEndNearTheirEnds() throws Exception {
    String from = Base64.getEncoder().encodeToString(picture((x, y) -> 20));
    String to = Base64.getEncoder().encodeToString(picture((x, y) -> 220));
    JsonNode json =
        JSON.readTree(
            post(
                    "/v1/edits",
                    String.format(
                        "{\"kind\": \"interpolate\", \"image\": \"%s\", \"to\": \"%s\","
                            + " \"count\": 3, \"steps\": 20}",
                        from, to))
                .body());
    List<Double> means = new ArrayList<>();
    for (JsonNode image : json.get("images")) {
      BufferedImage drawn = ImageIO.read(new ByteArrayInputStream(png(image)));
      long sum = 0;
      for (int i = 0; i < 28 * 28; i++) {
        sum += drawn.getRaster().getSample(i % 28, i / 28, 0);
      }
      means.add(sum / (28.0 * 28));
    }
    assertThat(means.get(0)).isLessThan(means.get(2) - 50);
  }

  private interface Level {
    int at(int x, int y);
  }

  private static byte[] picture(Level level) {
    BufferedImage picture = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < 28; y++) {
      for (int x = 0; x < 28; x++) {
        picture.getRaster().setSample(x, y, 0, level.at(x, y));
      }
    }
    return Images.png(picture);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"count": 0}                       | 400 | The field count is 0; it must be a whole number from 1 to 64.
          {"count": 1.5}                     | 400 | The field count is 1.5; it must be a whole number
          {"steps": 1001}                    | 400 | from 1 to 1000
          {"sampler": "magic"}               | 400 | one of ddpm, ddim
          {"colour": "red"}                  | 400 | There is no field colour; there are class, count,
          {"count": 1, "count": 2}           | 400 | The body is no JSON
          {"seeds": [1], "count": 2}         | 400 | does not go with
          {"seeds": []}                      | 400 | a list of 1 to 64 numbers
          [1]                                | 400 | must be a JSON object
          {                                  | 400 | The body is no JSON
          {"model": "other"}                 | 404 | There is no model of this name
          {"model": "../../etc"}             | 404 | There is no model of this name
          {"model": "runs/../../etc"}        | 404 | There is no model of this name
          {"seed": 99999999999999999999}     | 400 | The field seed is
          """)
  void whatIsAskedWronglyIsAnsweredWithASentence(String body, int status, String sentence)
      throws Exception {
    HttpResponse<String> answer = post("/v1/samples", body, "X-Request-Id", "mine-1");
    JsonNode problem = JSON.readTree(answer.body());

    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(problem.get("detail").textValue()).contains(sentence).endsWith(".");
    assertThat(problem.get("request_id").textValue()).isEqualTo("mine-1");
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
  }

  @Test
  void anInversionAnswersTheNoiseAndTheImageDrawnOfIt() throws Exception {
    byte[] image = picture((x, y) -> x > 8 && x < 20 && y > 8 && y < 20 ? 200 : 0);
    String body =
        String.format(
            "{\"kind\": \"invert\", \"image\": \"%s\", \"steps\": 40, \"iterations\": 2}",
            Base64.getEncoder().encodeToString(image));
    JsonNode json = JSON.readTree(post("/v1/edits", body).body());

    assertThat(json.get("steps").intValue()).isEqualTo(80);
    assertThat(json.get("images")).hasSize(2);
    assertThat(error(image, png(json.get("images").get(0)))).isGreaterThan(60);
    assertThat(error(image, png(json.get("images").get(1)))).isLessThan(12);
    assertThat(post("/v1/edits", body.replace("{", "{\"count\": 2, ")).statusCode()).isEqualTo(400);
  }

  /** The root of the mean squared error, in levels. */
  private static double error(byte[] one, byte[] other) throws Exception {
    int[] a = samples(one);
    int[] b = samples(other);
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
    }
    return Math.sqrt(sum / a.length);
  }

  private static int[] samples(byte[] png) throws Exception {
    return ImageIO.read(new ByteArrayInputStream(png))
        .getRaster()
        .getSamples(0, 0, 28, 28, 0, (int[]) null);
  }

  /** The error of the noise is small where there is much of it, and large where there is little. */
  @Test
  void theLossOfAnImageIsMeasuredByTimestep() throws Exception {
    String image = Base64.getEncoder().encodeToString(picture((x, y) -> x > 9 && x < 19 ? 180 : 0));
    JsonNode json =
        JSON.readTree(
            post("/v1/losses", "{\"timesteps\": 12, \"image\": \"" + image + "\"}").body());

    assertThat(json.get("t")).hasSize(12);
    assertThat(json.get("t").get(0).intValue()).isZero();
    assertThat(json.get("eps_mse").get(0).doubleValue())
        .isGreaterThan(10 * json.get("eps_mse").get(11).doubleValue());
    assertThat(json.get("x0_mse").get(11).doubleValue())
        .isGreaterThan(10 * json.get("x0_mse").get(0).doubleValue());
    assertThat(json.get("total_bits_per_dim").doubleValue()).isBetween(0.1, 30.0);
    assertThat(post("/v1/losses", "{}").statusCode()).isEqualTo(400);
  }

  @Test
  void uploadedImagesCanBeTrainedOnAndRemoved() throws Exception {
    String image = Base64.getEncoder().encodeToString(picture((x, y) -> x));
    assertThat(post("/v1/datasets", "{\"name\": \"mine\"}").statusCode()).isEqualTo(201);
    assertThat(post("/v1/datasets", "{\"name\": \"mine\"}").statusCode()).isEqualTo(409);
    assertThat(post("/v1/datasets", "{\"name\": \"clothes\"}").statusCode()).isEqualTo(409);
    assertThat(post("/v1/datasets", "{\"name\": \"../mine\"}").statusCode()).isEqualTo(400);
    JsonNode added =
        JSON.readTree(
            post(
                    "/v1/datasets/mine/images",
                    String.format(
                        "{\"images\": [{\"path\": \"bags/1.png\", \"file\": \"%1$s\"},"
                            + " {\"path\": \"bags/empty.png\", \"file\": \"\"},"
                            + " {\"path\": \"bags/2.png\", \"file\": \"aGVsbG8=\"},"
                            + " {\"path\": \"bags/3.png\", \"file\": \"%1$s\"}]}",
                        image))
                .body());

    assertThat(added.get("images").intValue()).isEqualTo(2);
    assertThat(added.get("refused")).hasSize(2);
    assertThat(added.get("refused").get(0).get("path").textValue()).isEqualTo("bags/empty.png");
    assertThat(added.get("refused").get(0).get("detail").textValue()).isEqualTo("It is empty.");
    assertThat(added.get("refused").get(1).get("path").textValue()).isEqualTo("bags/2.png");
    assertThat(folder.resolve("runs/uploads/mine/bags/000000.png")).exists();
    assertThat(get("/v1/runs").body()).contains("[\"clothes\",\"mine\"]");
    assertThat(post("/v1/datasets/nothing/images", "{\"images\": []}").statusCode()).isEqualTo(404);
    HttpRequest removal = request(server, "/v1/datasets/mine").DELETE().build();
    assertThat(CLIENT.send(removal, BodyHandlers.discarding()).statusCode()).isEqualTo(204);
    assertThat(CLIENT.send(removal, BodyHandlers.discarding()).statusCode()).isEqualTo(404);
    assertThat(folder.resolve("runs/uploads/mine")).doesNotExist();
  }

  @Test
  void aRequestWithAWrongFieldAddsNoImage() throws Exception {
    String image = Base64.getEncoder().encodeToString(picture((x, y) -> x));
    post("/v1/datasets", "{\"name\": \"none\"}");
    for (String wrong :
        List.of("{\"path\": \"2.png\"}", "{\"path\": \"2.png\", \"file\": \"-\"}", "3")) {
      String good = String.format("{\"path\": \"1.png\", \"file\": \"%s\"}", image);
      HttpResponse<String> answer =
          post("/v1/datasets/none/images", "{\"images\": [" + good + ", " + wrong + "]}");
      assertThat(answer.statusCode()).as(wrong).isEqualTo(400);
    }
    assertThat(folder.resolve("runs/uploads/none")).isEmptyDirectory();
    CLIENT.send(request(server, "/v1/datasets/none").DELETE().build(), BodyHandlers.discarding());
  }

  @Test
  void schedulesFollowTheirSettings() throws Exception {
    JsonNode usual = schedule("linear", "");
    JsonNode brief = schedule("linear", "timesteps=100");
    JsonNode steep = schedule("linear", "timesteps=100&beta_end=0.2");

    assertThat(usual.get("advice")).isEmpty();
    assertThat(brief.get("signal_left").doubleValue()).isGreaterThan(0.3);
    assertThat(steep.get("signal_left").doubleValue()).isLessThan(0.05);
    assertThat(steep.get("first_pure_noise").intValue()).isLessThan(100);
    assertThat(
            schedule("linear", "timesteps=100&zero_terminal_snr=true")
                .get("signal_left")
                .doubleValue())
        .isZero();
    assertThat(schedule("cosine", "beta_end=0.2")).isEqualTo(schedule("cosine", ""));
    for (String wrong : List.of("timesteps=1", "beta_end=2", "zero_terminal_snr=1", "x=1")) {
      assertThat(get("/v1/schedules?" + wrong).statusCode()).as(wrong).isEqualTo(400);
    }
  }

  @Test
  void refusesAQueryThatCannotBeDecoded() throws Exception {
    for (String query : List.of("%zz", "timesteps=%", "timesteps=5%2")) {
      assertThat(
              raw(
                  "GET /v1/schedules?"
                      + query
                      + " HTTP/1.1\r\nHost: localhost:"
                      + server.port()
                      + "\r\n"))
          .as(query)
          .contains(" 400 ")
          .contains("two hexadecimal digits; write %25 for it.");
    }
  }

  private static JsonNode schedule(String name, String query) throws Exception {
    for (JsonNode one : JSON.readTree(get("/v1/schedules?" + query).body()).get("schedules")) {
      if (one.get("name").textValue().equals(name)) {
        return one;
      }
    }
    throw new AssertionError("There is no schedule " + name);
  }

  @Test
  void uploadsOfTooManyOrTooLargeImagesAreRefused() throws Exception {
    post("/v1/datasets", "{\"name\": \"much\"}");
    String many =
        "{\"path\": \"1.png\", \"file\": \"AAAA\"},".repeat(Uploads.MOST_AT_ONCE)
            + "{\"path\": \"1.png\", \"file\": \"AAAA\"}";
    assertThat(post("/v1/datasets/much/images", "{\"images\": [" + many + "]}").statusCode())
        .isEqualTo(400);
    String large = "A".repeat((2 << 20) + 4);
    HttpResponse<String> edit =
        post("/v1/edits", "{\"kind\": \"invert\", \"image\": \"" + large + "\"}");
    assertThat(edit.statusCode()).isEqualTo(400);
    assertThat(edit.body()).contains("a text of 1 to 2097152 characters").hasSizeLessThan(1000);
    assertThat(folder.resolve("runs/uploads/much")).isEmptyDirectory();
    CLIENT.send(request(server, "/v1/datasets/much").DELETE().build(), BodyHandlers.discarding());
  }

  @Test
  void uploadsThatAreNoImagesAreRefused() throws Exception {
    String noImage = Base64.getEncoder().encodeToString("hello".getBytes(StandardCharsets.UTF_8));
    HttpResponse<String> answer =
        post("/v1/edits", "{\"kind\": \"image-to-image\", \"image\": \"" + noImage + "\"}");

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.body())
        .contains("holds no image that can be read: The file cannot be read: its content is no ")
        .doesNotContain("/tmp");
  }

  @Test
  void otherTypesAndTooLargeBodiesAreRefused() throws Exception {
    HttpRequest form =
        request(server, "/v1/samples")
            .header("Content-Type", "text/plain")
            .POST(BodyPublishers.ofString("{}"))
            .build();
    assertThat(CLIENT.send(form, BodyHandlers.discarding()).statusCode()).isEqualTo(415);
    for (String path : List.of("/v1/jobs", "/v1/samples", "/v1/runs", "/v1/datasets")) {
      assertThat(post(path, "{\"x\": \"" + "a".repeat(70_000) + "\"}").statusCode())
          .as(path)
          .isEqualTo(413);
    }
    String large = "{\"image\": \"" + "a".repeat(6 << 20) + "\"}";
    for (String path : List.of("/v1/edits", "/v1/losses", "/v1/datasets/none/images")) {
      assertThat(post(path, large).statusCode()).as(path).isEqualTo(413);
    }
  }

  @Test
  void otherAddressesAndMethodsAreRefused() throws Exception {
    assertThat(get("/etc/passwd").statusCode()).isEqualTo(404);
    assertThat(get("/../pom.xml").statusCode()).isEqualTo(404);
    assertThat(get("/openapi.json").statusCode()).isEqualTo(404);
    HttpResponse<String> wrong = get("/v1/samples");
    assertThat(wrong.statusCode()).isEqualTo(405);
    assertThat(wrong.headers().firstValue("Allow")).hasValue("POST");
  }

  @Test
  void otherPagesAndOtherNamesAreRefused() throws Exception {
    assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n")).contains(" 421 ");
    assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"))
        .contains(" 403 ");
    assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n"))
        .contains(" 403 ");
    String own = "localhost:" + server.port();
    assertThat(
            raw(
                "GET /v1/models HTTP/1.1\r\nHost: "
                    + own
                    + "\r\nOrigin: http://"
                    + own
                    + "\r\nSec-Fetch-Site: same-origin\r\n"))
        .contains(" 200 ");
    assertThat(raw("GET /v1/models HTTP/1.1\r\nHost: [::1]:80\r\n")).contains(" 200 ");
  }

  private static String raw(String head) throws Exception {
    try (Socket socket = new Socket("localhost", server.port())) {
      socket
          .getOutputStream()
          .write((head + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void everyAnswerHasTheSecurityHeaders() throws Exception {
    for (String path : List.of("/", "/studio.js", "/v1/models", "/nothing")) {
      HttpResponse<String> answer = get(path);
      assertThat(answer.headers().firstValue("Content-Security-Policy").orElse(""))
          .contains("default-src 'none'")
          .doesNotContain("unsafe");
      assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
      assertThat(answer.headers().firstValue("X-Request-Id")).isPresent();
    }
  }

  @Test
  void aTokenIsAskedForWhereThereIsOne() throws Exception {
    try (StudioServer closed =
        new StudioServer(
            ServerOptions.loopback(0).withToken(TOKEN),
            List.of(ModelSource.bundled()),
            Optional.empty())) {
      assertThat(status(closed, "/v1/health/live", "")).isEqualTo(200);
      assertThat(status(closed, "/v1/models", "")).isEqualTo(401);
      assertThat(status(closed, "/v1/models", "Bearer wrong")).isEqualTo(401);
      assertThat(status(closed, "/v1/metrics", "")).isEqualTo(401);
      assertThat(status(closed, "/v1/models", "Bearer " + TOKEN)).isEqualTo(200);
      // The service alone has no page and no runs.
      assertThat(status(closed, "/", "Bearer " + TOKEN)).isEqualTo(404);
      assertThat(status(closed, "/v1/runs", "Bearer " + TOKEN)).isEqualTo(404);
    }
  }

  private static int status(StudioServer to, String path, String authorization) throws Exception {
    HttpRequest.Builder builder = request(to, path);
    if (!authorization.isEmpty()) {
      builder.header("Authorization", authorization);
    }
    return CLIENT.send(builder.build(), BodyHandlers.discarding()).statusCode();
  }

  @Test
  void nobodyListensBeyondLoopbackWithoutAToken() {
    ServerOptions usual = ServerOptions.loopback(0);
    assertThatThrownBy(
            () ->
                new ServerOptions(
                    "0.0.0.0",
                    0,
                    Optional.empty(),
                    ServerOptions.BeyondLoopback.TOKEN,
                    List.of(),
                    usual.queue(),
                    1,
                    usual.grace()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("give it a token");
  }

  @Test
  void whatComesWhileTooMuchWaitsGets429() throws Exception {
    try (StudioServer small =
        new StudioServer(
            ServerOptions.loopback(0)
                .withGrace(Duration.ZERO)
                .withQueue(new QueueLimits(1, 1, 4, Duration.ofMinutes(1))),
            List.of(ModelSource.bundled()),
            Optional.empty())) {
      HttpRequest large = posting(small, "/v1/jobs", "{\"count\": 4, \"steps\": 1000}").build();
      HttpResponse<String> last = CLIENT.send(large, BodyHandlers.ofString());
      for (int i = 0; i < 3 && last.statusCode() == 202; i++) {
        last = CLIENT.send(large, BodyHandlers.ofString());
      }
      assertThat(last.statusCode()).isEqualTo(429);
      assertThat(Long.parseLong(last.headers().firstValue("Retry-After").orElseThrow()))
          .isBetween(1L, 60L);
    }
  }

  /**
   * A client that asks now and then for what it has begun gets it, though it was the last thing.
   */
  @Test
  void whatAJobHasDrawnIsFetchedBeforeTheServiceEnds() throws Exception {
    StudioServer ending =
        new StudioServer(
            ServerOptions.loopback(0).withGrace(Duration.ofMinutes(5)),
            List.of(ModelSource.bundled()),
            Optional.empty());
    HttpRequest drawing =
        posting(ending, "/v1/jobs", "{\"count\": 1, \"steps\": 50, \"sampler\": \"ddim\"}").build();
    String id =
        JSON.readTree(CLIENT.send(drawing, BodyHandlers.ofString()).body()).get("id").textValue();
    Thread closing = new Thread(ending::close);
    closing.start();
    while (status(ending, "/v1/health/ready", "") != 503) {
      Thread.sleep(5);
    }
    JsonNode job;
    do {
      Thread.sleep(100);
      HttpRequest asking = request(ending, "/v1/jobs/" + id).build();
      job = JSON.readTree(CLIENT.send(asking, BodyHandlers.ofString()).body());
    } while (List.of("waiting", "running").contains(job.get("state").textValue()));
    assertThat(job.get("state").textValue()).isEqualTo("done");
    assertThat(job.at("/result/images")).hasSize(1);
    closing.join();
  }

  /** While a client still reads its images come, the service asks nobody else in, and then ends. */
  @Test
  void whatWasTakenOnIsAnsweredBeforeTheServiceEnds() throws Exception {
    StudioServer ending =
        new StudioServer(
            ServerOptions.loopback(0).withGrace(Duration.ofMinutes(5)),
            List.of(ModelSource.bundled()),
            Optional.of(new StudioOptions(folder.resolve("ending"), words -> words, Map.of())));
    HttpRequest drawing =
        posting(ending, "/v1/samples", "{\"count\": 1, \"steps\": 150, \"sampler\": \"ddim\"}")
            .header("Accept", "text/event-stream")
            .build();
    HttpResponse<Stream<String>> answer = CLIENT.send(drawing, BodyHandlers.ofLines());
    Iterator<String> lines = answer.body().iterator();
    assertThat(lines.next()).isEqualTo("event: begin");
    Thread closing = new Thread(ending::close);
    closing.start();
    while (status(ending, "/v1/health/ready", "") != 503) {
      Thread.sleep(5);
    }
    HttpResponse<String> refused = CLIENT.send(drawing, BodyHandlers.ofString());
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.body()).contains("about to end");
    assertThat(refused.headers().firstValue("Retry-After")).contains("5");
    assertThat(status(ending, "/v1/health/live", "")).isEqualTo(200);
    // What takes time is not begun any more; what only looks is answered.
    for (String path :
        List.of("/v1/edits", "/v1/jobs", "/v1/losses", "/v1/runs", "/v1/runs/any/resume")) {
      HttpResponse<String> late =
          CLIENT.send(posting(ending, path, "{}").build(), BodyHandlers.ofString());
      assertThat(late.statusCode()).as(path).isEqualTo(503);
      assertThat(late.headers().firstValue("Retry-After")).as(path).contains("5");
    }
    for (String path : List.of("/v1/models", "/v1/metrics", "/v1/schedules", "/v1/runs")) {
      assertThat(status(ending, path, "")).as(path).isEqualTo(200);
    }

    List<String> events = new ArrayList<>();
    lines.forEachRemaining(events::add);
    assertThat(events).contains("event: image", "event: done").doesNotContain("event: error");
    closing.join();
    assertThatThrownBy(() -> status(ending, "/v1/health/live", "")).isInstanceOf(IOException.class);
  }

  @Test
  void whatTakesTooLongIsAnsweredWith504() throws Exception {
    try (StudioServer hasty =
        new StudioServer(
            ServerOptions.loopback(0)
                .withGrace(Duration.ZERO)
                .withQueue(new QueueLimits(1, 8, 64, Duration.ofMillis(50))),
            List.of(ModelSource.bundled()),
            Optional.empty())) {
      HttpRequest endless =
          posting(hasty, "/v1/samples", "{\"count\": 64, \"steps\": 1000}").build();
      HttpResponse<String> answer = CLIENT.send(endless, BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(504);
      assertThat(answer.body()).contains("ask for fewer");
    }
  }

  @Test
  void aTrainingThatFailsSaysWhy() throws Exception {
    HttpResponse<String> begun = post("/v1/runs", "{\"dataset\": \"clothes\", \"name\": \"bad\"}");
    assertThat(begun.statusCode()).isEqualTo(201);
    JsonNode run = run("bad");
    while (run.get("state").textValue().equals("beginning")) {
      Thread.sleep(20);
      run = run("bad");
    }
    assertThat(run.get("state").textValue()).isEqualTo("failed");
    // It said nothing itself.
    assertThat(run.get("detail").textValue()).isEqualTo("The training ended with 1.");
    assertThat(post("/v1/runs", "{\"dataset\": \"clothes\", \"name\": \"../bad\"}").statusCode())
        .isEqualTo(400);
    assertThat(post("/v1/runs", "{\"dataset\": \"/etc\"}").statusCode()).isEqualTo(400);
    assertThat(post("/v1/runs/nothing/stop", "{}").statusCode()).isEqualTo(404);
  }

  @Test
  void aDamagedRunSaysWhichFileIsWrong() throws Exception {
    Path config = RunFixture.writeEarlier(folder.resolve("runs/damaged")).resolve("config.json");
    assertThat(run("damaged").get("state").textValue()).isEqualTo("done");
    Files.writeString(config, Files.readString(config).substring(0, 40));

    JsonNode run = run("damaged");
    assertThat(run.get("state").textValue()).isEqualTo("failed");
    assertThat(run.get("ours").booleanValue()).isFalse();
    assertThat(run.get("detail").textValue()).contains(config + " is not JSON").endsWith(".");
    HttpResponse<String> one = get("/v1/runs/damaged");
    assertThat(one.statusCode()).isEqualTo(404);
    assertThat(JSON.readTree(one.body()).get("detail")).isEqualTo(run.get("detail"));
    String again = "{\"dataset\": \"clothes\", \"name\": \"damaged\"}";
    assertThat(post("/v1/runs", again).statusCode()).isEqualTo(409);

    Files.delete(config);
    assertThat(run("damaged").get("detail").textValue()).contains(config + " is missing");
  }

  /** One that ended well, and one that was ended, of which there are no folders. */
  @Test
  void aTrainingWhoseFolderIsGoneIsTold() throws Exception {
    Path runs = folder.resolve("removed");
    StudioOptions studio =
        new StudioOptions(
            runs,
            words ->
                words.toString().contains("slow")
                    ? List.of("sleep", "600")
                    : List.of("sh", "-c", words.toString().contains("well") ? "true" : "kill $$"),
            Map.of("clothes", List.of("--dataset", "fashion-mnist")));
    try (StudioServer other =
        new StudioServer(
            ServerOptions.loopback(0).withGrace(Duration.ZERO),
            List.of(ModelSource.bundled()),
            Optional.of(studio))) {
      assertThat(endOf("well", other)).isEmpty();
      assertThat(endOf("killed", other))
          .hasValue("The training was ended from outside, and there is no folder of it.");

      // While the machine is measured, say.
      begin("slow", other);
      HttpRequest stop = posting(other, "/v1/runs/slow/stop", "{}").build();
      assertThat(CLIENT.send(stop, BodyHandlers.discarding()).statusCode()).isEqualTo(202);
      assertThat(endOfBegun("slow", other))
          .hasValue("The training was stopped before it had saved anything; begin it anew.");
    }
  }

  /** Begins a training, waits until it has ended, and has what is then said of it. */
  private static Optional<String> endOf(String name, StudioServer at) throws Exception {
    begin(name, at);
    return endOfBegun(name, at);
  }

  private static void begin(String name, StudioServer at) throws Exception {
    HttpRequest begin =
        posting(at, "/v1/runs", "{\"dataset\": \"clothes\", \"name\": \"" + name + "\"}").build();
    assertThat(CLIENT.send(begin, BodyHandlers.discarding()).statusCode()).isEqualTo(201);
  }

  private static Optional<String> endOfBegun(String name, StudioServer at) throws Exception {
    while (true) {
      String all = CLIENT.send(request(at, "/v1/runs").build(), BodyHandlers.ofString()).body();
      Optional<JsonNode> run = run(name, all);
      if (run.isEmpty() || !run.get().get("state").textValue().equals("beginning")) {
        return run.map(ended -> ended.get("detail").textValue());
      }
      Thread.sleep(20);
    }
  }

  @Test
  void aTrainingThatCannotBeNotedDoesNotBegin() throws Exception {
    // As a full disk, a file cannot take the place of a folder with something in it.
    Path note = Files.createDirectories(folder.resolve("runs/full.dataset/folder")).getParent();

    HttpResponse<String> begun = post("/v1/runs", "{\"dataset\": \"clothes\", \"name\": \"full\"}");

    assertThat(begun.statusCode()).as(begun.body()).isEqualTo(507);
    assertThat(JSON.readTree(begun.body()).get("detail").textValue())
        .contains(note + " could not be written because");
    assertThat(get("/v1/runs").body()).doesNotContain("\"full\"");
  }

  @Test
  void aRunDoesNotTakeThePlaceOfTheStudiosFiles() throws Exception {
    for (String name : List.of("uploads", "bad.log", "bad.dataset")) {
      HttpResponse<String> begun =
          post("/v1/runs", "{\"dataset\": \"clothes\", \"name\": \"" + name + "\"}");
      assertThat(begun.statusCode()).as(name).isEqualTo(400);
      assertThat(begun.body()).as(name).contains("the studio's own files");
    }
  }

  private static JsonNode run(String name) throws Exception {
    return run(name, get("/v1/runs").body())
        .orElseThrow(() -> new AssertionError("There is no run " + name));
  }

  private static Optional<JsonNode> run(String name, String list) throws IOException {
    for (JsonNode run : JSON.readTree(list).get("runs")) {
      if (run.get("name").textValue().equals(name)) {
        return Optional.of(run);
      }
    }
    return Optional.empty();
  }
}
