package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.ddpm4j.data.IdxBytes.gzip;
import static org.ddpm4j.data.IdxBytes.images;
import static org.ddpm4j.data.IdxBytes.labels;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The order of the sources, and what happens when one of them has a wrong file. */
class PublishedDataSetTest {

  private static final String IMAGES = "train-images-idx3-ubyte";
  private static final String LABELS = "train-labels-idx1-ubyte";
  private static final byte[] IMAGE_BYTES = images(3, 2, 2);
  private static final byte[] LABEL_BYTES = labels(1, 0, 1);

  @TempDir Path folder;
  private Path cache;
  private Path system;
  private Path data;
  private HttpServer server;
  private ExecutorService serverThreads;
  private final CountDownLatch testIsOver = new CountDownLatch(1);
  private final Map<String, HttpHandler> answers = new ConcurrentHashMap<>();

  @BeforeEach
  void places() throws IOException {
    cache = folder.resolve("cache");
    system = folder.resolve("system");
    data = folder.resolve("data");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    serverThreads = Executors.newCachedThreadPool();
    server.setExecutor(serverThreads);
    server.createContext(
        "/",
        exchange ->
            answers
                .getOrDefault(exchange.getRequestURI().getPath(), PublishedDataSetTest::notFound)
                .handle(exchange));
    server.start();
  }

  @AfterEach
  void stop() {
    testIsOver.countDown();
    server.stop(0);
    serverThreads.shutdownNow();
  }

  // ---- the order

  @Test
  void theSourcesAreAskedInTheirOrder() throws IOException {
    // From the last to the first: each new one goes before those that are there already.
    DataSources sources = sources();
    assertThat(load(sources).source())
        .startsWith("Tiny training images from the bundled subset of 7,000;")
        .contains("answered with status 404");

    serve(IMAGES, gzip(IMAGE_BYTES));
    serve(LABELS, gzip(LABEL_BYTES));
    assertThat(load(sources).source())
        .isEqualTo(
            "Tiny training images from a download from "
                + mirror()
                + "tiny/, kept in "
                + cache.resolve("tiny"));
    assertThat(load(sources).source())
        .isEqualTo("Tiny training images from the cache " + cache.resolve("tiny"));

    put(system.resolve("tiny"), IMAGES + ".gz", gzip(IMAGE_BYTES));
    put(system.resolve("tiny"), LABELS + ".gz", gzip(LABEL_BYTES));
    assertThat(load(sources).source()).contains("from the cache");
    Files.delete(cache.resolve("tiny").resolve(IMAGES + ".gz"));
    assertThat(load(sources).source())
        .isEqualTo(
            "Tiny training images from the system package tiny-data in " + system.resolve("tiny"));

    put(data, IMAGES, images(1, 3, 3));
    put(data, LABELS, labels(0));
    ImageDataSet own = load(sources.withDataFolder(data));
    assertThat(own.source()).isEqualTo("Tiny training images from the folder " + data);
    assertThat(own.shape()).isEqualTo(new ImageShape(1, 3, 3));
  }

  // ---- the data folder

  @Test
  void aDataFolderWithoutTheFilesIsAnError() throws IOException {
    put(system.resolve("tiny"), IMAGES, IMAGE_BYTES);
    put(system.resolve("tiny"), LABELS, LABEL_BYTES);
    DataSources sources = sources().withDataFolder(data);

    assertThatIOException()
        .isThrownBy(() -> load(sources))
        .withMessageContaining(data + " does not exist or is not a folder")
        .withMessageContaining(IMAGES)
        .withMessageContaining(LABELS);

    put(data, LABELS, LABEL_BYTES);
    assertThatIOException()
        .isThrownBy(() -> load(sources))
        .withMessage(
            String.format(
                "The data folder %s lacks %s.gz; expected %s.gz and %s.gz, with or without .gz.",
                data, IMAGES, IMAGES, LABELS));
  }

  @Test
  void aDataFolderMayHoldPlainPackedAndDottedNames() throws IOException {
    put(data, "train-images.idx3-ubyte", IMAGE_BYTES);
    put(data, LABELS + ".gz", gzip(LABEL_BYTES));

    ImageDataSet loaded = load(sources().withDataFolder(data));

    assertThat(loaded.size()).isEqualTo(3);
    assertThat(loaded.label(2)).isEqualTo(1);
    assertThat(loaded.pixels(1)).containsExactly(28, 35, 42, 49);
  }

  @Test
  void aWrongFileInADataFolderIsNamed() throws IOException {
    put(data, IMAGES, Arrays.copyOf(IMAGE_BYTES, 20));
    put(data, LABELS, LABEL_BYTES);

    assertThatIOException()
        .isThrownBy(() -> load(sources().withDataFolder(data)))
        .withMessageStartingWith(data.resolve(IMAGES) + " is cut off");
  }

  // ---- cache and system

  @Test
  void aDamagedFileInTheCacheIsAnErrorThatSaysToDeleteIt() throws IOException {
    Path tiny = cache.resolve("tiny");
    put(tiny, IMAGES + ".gz", Arrays.copyOf(gzip(IMAGE_BYTES), 25));
    put(tiny, LABELS + ".gz", gzip(LABEL_BYTES));

    assertThatIOException()
        .isThrownBy(() -> load(sources()))
        .withMessageStartingWith(tiny.resolve(IMAGES + ".gz") + " is cut off")
        .withMessageEndingWith("Delete it, and it is downloaded again when needed.");
  }

  @Test
  void aStrangeFileInTheCacheIsAnErrorThatSaysToDeleteIt() throws IOException {
    Path tiny = cache.resolve("tiny");
    put(tiny, IMAGES + ".gz", gzip(IMAGE_BYTES));
    put(tiny, LABELS + ".gz", gzip(labels(1, 0, 0)));

    assertThatIOException()
        .isThrownBy(() -> load(sources()))
        .withMessageStartingWith(
            tiny.resolve(LABELS + ".gz")
                + " is not train-labels-idx1-ubyte of Tiny: its content has the SHA-256")
        .withMessageContaining("Delete it");
  }

  @Test
  void aDamagedSystemPackageIsAnError() throws IOException {
    put(system.resolve("tiny"), IMAGES, images(4, 2, 2));
    put(system.resolve("tiny"), LABELS, LABEL_BYTES);

    assertThatIOException()
        .isThrownBy(() -> load(sources()))
        .withMessageContaining(system.toString())
        .withMessageContaining("Install the system package again.");
  }

  // ---- the network

  @Test
  void aDownloadLeavesTheTwoFilesInTheCacheAndNothingElse() throws IOException {
    serve(IMAGES, gzip(IMAGE_BYTES));
    serve(LABELS, gzip(LABEL_BYTES));

    ImageDataSet loaded = load(sources());

    assertThat(loaded.pixels(2)).containsExactly(56, 63, 70, 77);
    assertThat(cached()).containsExactly(IMAGES + ".gz", LABELS + ".gz");
    assertThat(cache.resolve("tiny").resolve(IMAGES + ".gz")).hasBinaryContent(gzip(IMAGE_BYTES));
  }

  @Test
  void onlyWhatIsMissingIsDownloaded() throws IOException {
    put(cache.resolve("tiny"), IMAGES + ".gz", gzip(IMAGE_BYTES));
    serve(LABELS, gzip(LABEL_BYTES));

    assertThat(load(sources()).source()).contains("a download");
  }

  @Test
  void aRedirectIsFollowed() throws IOException {
    serve(IMAGES, gzip(IMAGE_BYTES));
    answers.put(
        "/tiny/" + LABELS + ".gz",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/moved");
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    answers.put("/moved", exchange -> reply(exchange, gzip(LABEL_BYTES)));

    assertThat(load(sources()).source()).contains("a download");
  }

  @Test
  void aDownloadWithAWrongChecksumIsNotKept() throws IOException {
    serve(IMAGES, gzip(images(3, 2, 3)));
    serve(LABELS, gzip(LABEL_BYTES));

    assertThat(load(sources()).source())
        .contains("the bundled subset")
        .contains("the download failed: ")
        .contains("its content has the SHA-256")
        .contains("expected " + sha256(IMAGE_BYTES));
    assertThat(cached()).isEmpty();
  }

  @Test
  void aPageOfHtmlIsNotKept() throws IOException {
    serve(IMAGES, "<html>Please log in</html>".getBytes(StandardCharsets.UTF_8));

    assertThat(load(sources()).source()).contains("is not an IDX file of unsigned bytes");
    assertThat(cached()).isEmpty();
  }

  @Test
  void aConnectionThatStallsIsGivenUp() throws IOException {
    answers.put(
        "/tiny/" + IMAGES + ".gz",
        exchange -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write(new byte[10]);
          exchange.getResponseBody().flush();
          awaitTheEnd();
        });

    assertThat(load(impatient()).source()).contains("has sent nothing for 0.3 s");
    assertThat(cached()).isEmpty();
  }

  @Test
  void aServerThatNeverAnswersIsGivenUp() throws IOException {
    answers.put("/tiny/" + IMAGES + ".gz", exchange -> awaitTheEnd());

    assertThat(load(impatient()).source()).contains("has sent nothing for 0.3 s");
  }

  @Test
  void anAnswerCutOffIsNotKept() throws IOException {
    answers.put(
        "/tiny/" + IMAGES + ".gz",
        exchange -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write(new byte[10]);
          exchange.close();
        });

    assertThat(load(sources()).source()).contains("could not be read");
    assertThat(cached()).isEmpty();
  }

  @Test
  void anEndlessAnswerIsCutOff() throws IOException {
    answers.put(
        "/tiny/" + IMAGES + ".gz",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (OutputStream body = exchange.getResponseBody()) {
            byte[] chunk = new byte[1 << 20];
            while (true) {
              body.write(chunk);
            }
          }
        });

    assertThat(load(sources()).source()).contains("longer than 64 MiB");
  }

  @Test
  void withoutANetworkTheBundledSubsetIsUsed() throws IOException {
    int closedPort;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closedPort = socket.getLocalPort();
    }
    URI nobody = URI.create("http://127.0.0.1:" + closedPort);

    ImageDataSet loaded = load(sources().withMirror(nobody));

    assertThat(loaded.size()).isEqualTo(7000);
    assertThat(loaded.source()).contains("There is no connection to 127.0.0.1");
    assertThat(load(sources().withNetwork(Network.FORBIDDEN)).source())
        .contains("downloads are switched off");
  }

  @Test
  void aCacheThatCannotBeMadeDoesNotPreventTheBundledSubset() throws IOException {
    serve(IMAGES, gzip(IMAGE_BYTES));
    serve(LABELS, gzip(LABEL_BYTES));
    Files.write(cache, new byte[1]);

    assertThat(load(sources()).source()).contains("cannot be made");
  }

  @Test
  void anInterruptedDownloadEndsTheSearch() {
    serve(IMAGES, gzip(IMAGE_BYTES));
    Thread.currentThread().interrupt();

    assertThatExceptionOfType(InterruptedIOException.class).isThrownBy(() -> load(sources()));
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void withoutABundledSubsetTheErrorSaysWhereToGetTheFiles() {
    PublishedDataSet unbundled = tiny(Optional.empty());

    assertThatIOException()
        .isThrownBy(() -> unbundled.load(Split.TRAIN, sources()))
        .withMessageStartingWith("The training images of Tiny are not on this machine, and")
        .withMessageContaining("status 404")
        .withMessageContaining(
            "get " + IMAGES + ".gz and " + LABELS + ".gz from " + mirror() + "tiny/")
        .withMessageContaining(cache.resolve("tiny").toString());
  }

  // ---- helpers

  private ImageDataSet load(DataSources sources) throws IOException {
    return tiny(Optional.of("fashion-mnist/")).load(Split.TRAIN, sources);
  }

  private static PublishedDataSet tiny(Optional<String> bundled) {
    return new PublishedDataSet(
        "Tiny",
        "tiny",
        List.of("raw", "Tiny/raw"),
        IdxConventions.MNIST,
        URI.create("http://localhost/unused/"),
        Optional.of("tiny-data"),
        bundled,
        List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        Map.of(IMAGES, sha256(IMAGE_BYTES), LABELS, sha256(LABEL_BYTES)));
  }

  private DataSources sources() {
    return new DataSources(
        Optional.empty(),
        cache,
        system,
        Network.ALLOWED,
        Optional.of(mirror()),
        Duration.ofMinutes(1),
        Duration.ofMinutes(1));
  }

  private DataSources impatient() {
    DataSources sources = sources();
    return new DataSources(
        sources.dataFolder(),
        sources.cacheFolder(),
        sources.systemFolder(),
        sources.network(),
        sources.mirror(),
        sources.connectTimeout(),
        Duration.ofMillis(300));
  }

  private URI mirror() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }

  private void serve(String file, byte[] bytes) {
    answers.put("/tiny/" + file + ".gz", exchange -> reply(exchange, bytes));
  }

  private static void reply(HttpExchange exchange, byte[] bytes) throws IOException {
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static void notFound(HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(404, -1);
    exchange.close();
  }

  private void awaitTheEnd() {
    try {
      testIsOver.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private List<String> cached() throws IOException {
    if (!Files.exists(cache.resolve("tiny"))) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(cache.resolve("tiny"))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private static void put(Path directory, String name, byte[] bytes) throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve(name), bytes);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
