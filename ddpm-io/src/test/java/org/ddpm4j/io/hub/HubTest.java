package org.ddpm4j.io.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against a server on this machine that speaks the hub's routes; nothing leaves the machine. */
class HubTest {

  private static final HubName CAT = HubName.parse("google/ddpm-cat");
  private static final String WEIGHTS = "unet/weights.safetensors";
  private static final byte[] LARGE = new byte[300_000];
  private static final byte[] SMALL = "{\"sample_size\": 32}".getBytes(StandardCharsets.UTF_8);

  static {
    new SplittableRandom(1).nextBytes(LARGE);
  }

  private static final HubSelection NEEDED = (names, snapshot) -> List.of("config.json", WEIGHTS);

  @TempDir private Path folder;
  private Path cache;
  private HubServer server;

  @BeforeEach
  void begin() throws IOException {
    cache = folder.resolve("hub");
    server = new HubServer(CAT.repository());
    server.files.put("config.json", SMALL);
    server.files.put(WEIGHTS, LARGE);
    server.files.put("README.md", SMALL);
  }

  @AfterEach
  void end() {
    server.close();
  }

  private Hub hub() {
    return hub(server.uri(), Optional.empty(), false);
  }

  private Hub hub(URI endpoint, Optional<String> token, boolean offline) {
    return new Hub(
        new HubSettings(endpoint, cache, token, offline), HubListener.NONE, Duration.ofSeconds(5));
  }

  private Path repository() {
    return cache.resolve("models--google--ddpm-cat");
  }

  private Path blob() {
    return repository().resolve("blobs").resolve(HubServer.etag(LARGE));
  }

  private static void assertWhole(Path snapshot) {
    assertThat(snapshot.resolve("config.json")).hasBinaryContent(SMALL);
    assertThat(snapshot.resolve(WEIGHTS)).hasBinaryContent(LARGE);
  }

  @Test
  void downloadsWhatIsNeededIntoPythonsLayout() throws IOException {
    Path snapshot = hub().snapshot(CAT, NEEDED);
    assertWhole(snapshot);
    try (Stream<Path> paths = Files.walk(cache)) {
      assertThat(
              paths
                  .filter(path -> !Files.isDirectory(path))
                  .map(path -> cache.relativize(path).toString()))
          .containsExactlyInAnyOrder(
              "CACHEDIR.TAG",
              "models--google--ddpm-cat/refs/main",
              "models--google--ddpm-cat/blobs/" + HubServer.etag(SMALL),
              "models--google--ddpm-cat/blobs/" + HubServer.etag(LARGE),
              "models--google--ddpm-cat/snapshots/" + HubServer.COMMIT + "/config.json",
              "models--google--ddpm-cat/snapshots/" + HubServer.COMMIT + "/" + WEIGHTS,
              ".locks/models--google--ddpm-cat/" + HubServer.etag(SMALL) + ".lock",
              ".locks/models--google--ddpm-cat/" + HubServer.etag(LARGE) + ".lock");
    }
    assertThat(repository().resolve("refs/main")).hasContent(HubServer.COMMIT);
    assertThat(Files.readSymbolicLink(snapshot.resolve("config.json")))
        .isEqualTo(Path.of("../../blobs/" + HubServer.etag(SMALL)));
    assertThat(Files.readSymbolicLink(snapshot.resolve(WEIGHTS)))
        .isEqualTo(Path.of("../../../blobs/" + HubServer.etag(LARGE)));
  }

  @Test
  void downloadsNothingTwice() throws IOException {
    hub().snapshot(CAT, NEEDED);
    server.requests.clear();
    assertWhole(hub().snapshot(CAT, NEEDED));
    assertThat(server.requests).containsExactly("GET /api/models/google/ddpm-cat/revision/main");
    server.requests.clear();
    // A commit never changes: nobody has to be asked.
    assertWhole(hub().snapshot(HubName.parse(CAT + "@" + HubServer.COMMIT), NEEDED));
    assertThat(server.requests).isEmpty();
  }

  @Test
  void takesAnotherFileOfTheSameContentFromTheCache() throws IOException {
    hub().snapshot(CAT, NEEDED);
    server.requests.clear();
    Path snapshot = hub().snapshot(CAT, (names, path) -> List.of("README.md"));
    assertThat(snapshot.resolve("README.md")).hasBinaryContent(SMALL);
    assertThat(server.requests).noneMatch(request -> request.startsWith("GET /google"));
  }

  private Path single(String place) throws IOException {
    return SingleFile.parse(place, "incept").orElseThrow().in(hub());
  }

  @Test
  void oneFileOfWeightsIsFoundAndNothingElseDownloaded() throws IOException {
    server.files.put("metrics/pt_inception.pth", SMALL);
    assertThat(single("google/ddpm-cat")).hasBinaryContent(SMALL).hasFileName("pt_inception.pth");
    assertThat(server.requests)
        .filteredOn(request -> request.startsWith("GET /google"))
        .allMatch(request -> request.endsWith("metrics/pt_inception.pth"));
    // Another by its name, and again without one: the cache has two by now.
    assertThat(single("google/ddpm-cat@main:" + WEIGHTS)).hasBinaryContent(LARGE);
    assertThat(single("google/ddpm-cat")).hasBinaryContent(SMALL);
    Hub offline = hub(server.uri(), Optional.empty(), true);
    assertThat(SingleFile.parse("google/ddpm-cat", "incept").orElseThrow().in(offline))
        .hasBinaryContent(SMALL);
  }

  @Test
  void aFileThatIsNotThereOrNotAloneIsNamed() {
    assertThatIOException()
        .isThrownBy(() -> single("google/ddpm-cat:other.pth"))
        .withMessage(
            "The model google/ddpm-cat has no file other.pth; its weights are: " + WEIGHTS + ".");
    server.files.put("a.bin", SMALL);
    assertThatIOException()
        .isThrownBy(() -> single("google/ddpm-cat"))
        .withMessageContaining("has 2 files that the weights may be in (a.bin, " + WEIGHTS + ")")
        .withMessageContaining("google/ddpm-cat:FILE");
    assertThat(SingleFile.parse("weights.pth", "")).isEmpty();
    assertThat(SingleFile.parse("a/b/weights.pth", "")).isEmpty();
    assertThat(SingleFile.parse("/a/b", "")).isEmpty();
  }

  @Test
  void aFileCanNameOthers() throws IOException {
    HubSelection later =
        (names, snapshot) ->
            Files.exists(snapshot.resolve("config.json"))
                ? List.of("config.json", WEIGHTS)
                : List.of("config.json");
    assertWhole(hub().snapshot(CAT, later));
  }

  @Test
  void offlineTheCacheMustDo() throws IOException {
    Hub offline = hub(server.uri(), Optional.empty(), true);
    assertThatIOException()
        .isThrownBy(() -> offline.snapshot(CAT, NEEDED))
        .withMessageContaining("google/ddpm-cat is not in " + cache)
        .withMessageContaining("HF_HUB_OFFLINE");
    hub().snapshot(CAT, NEEDED);
    server.requests.clear();
    assertWhole(offline.snapshot(CAT, NEEDED));
    assertThat(server.requests).isEmpty();
  }

  @Test
  void withoutANetworkTheCacheMustDo() throws IOException {
    URI nowhere;
    try (ServerSocket closed = new ServerSocket(0)) {
      nowhere = URI.create("http://localhost:" + closed.getLocalPort());
    }
    Hub alone = hub(nowhere, Optional.empty(), false);
    assertThatIOException()
        .isThrownBy(() -> alone.snapshot(CAT, NEEDED))
        .withMessageStartingWith(nowhere + " cannot be reached (no connection)")
        .withMessageEndingWith("check the network, or set HF_ENDPOINT to a mirror.");
    hub().snapshot(CAT, NEEDED);
    assertWhole(alone.snapshot(CAT, NEEDED));
  }

  @Test
  void readsTheCacheThatPythonWrote() throws IOException {
    Path snapshot = repository().resolve("snapshots").resolve(HubServer.COMMIT);
    Files.createDirectories(snapshot.resolve("unet"));
    Files.createDirectories(blob().getParent());
    Files.createDirectories(repository().resolve("refs/refs/pr"));
    Files.writeString(repository().resolve("refs/refs/pr/1"), HubServer.COMMIT);
    Files.write(blob(), LARGE);
    Files.createSymbolicLink(
        snapshot.resolve(WEIGHTS), Path.of("../../../blobs/" + HubServer.etag(LARGE)));
    Path read =
        hub(server.uri(), Optional.empty(), true)
            .snapshot(HubName.parse(CAT + "@refs/pr/1"), (names, path) -> List.copyOf(names));
    assertThat(read.resolve(WEIGHTS)).hasBinaryContent(LARGE);
  }

  @Test
  void goesOnWhereTheConnectionBroke() throws IOException {
    server.breaks.set(3);
    List<Long> done = new CopyOnWriteArrayList<>();
    // What has been sent and not yet read may be lost with the connection.
    server.beforeBreak =
        at -> {
          while (!done.contains(at) && !Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
          }
        };
    new Hub(
            new HubSettings(server.uri(), cache, Optional.empty(), false),
            (file, now, total) -> {
              if (total == LARGE.length) {
                done.add(now);
              }
            },
            Duration.ofSeconds(5))
        .snapshot(CAT, (names, path) -> List.of(WEIGHTS));
    assertThat(blob()).hasBinaryContent(LARGE);
    assertThat(server.ranges).containsExactly("bytes=150000-", "bytes=225000-", "bytes=262500-");
    assertThat(done).isSorted().endsWith((long) LARGE.length);
  }

  @Test
  void goesOnWhereTheServerFellSilent() throws IOException {
    server.silences.set(1);
    new Hub(
            new HubSettings(server.uri(), cache, Optional.empty(), false),
            HubListener.NONE,
            Duration.ofMillis(400))
        .snapshot(CAT, (names, path) -> List.of(WEIGHTS));
    assertThat(blob()).hasBinaryContent(LARGE);
    assertThat(server.ranges).containsExactly("bytes=150000-");
  }

  private void leavePart(byte[] part) throws IOException {
    Files.createDirectories(blob().getParent());
    Files.write(blob().resolveSibling(blob().getFileName() + ".ddpm4j.incomplete"), part);
  }

  @Test
  void goesOnWithWhatAnEarlierProcessLeft() throws IOException {
    leavePart(Arrays.copyOf(LARGE, 1234));
    assertWhole(hub().snapshot(CAT, NEEDED));
    assertThat(server.ranges).containsExactly("bytes=1234-");
  }

  @Test
  void beginsAnewWhereTheServerKnowsNoRanges() throws IOException {
    leavePart(new byte[1234]);
    server.knowsRanges = false;
    server.breaks.set(1);
    assertWhole(hub().snapshot(CAT, NEEDED));
  }

  @Test
  void damagedContentIsNeverKept() throws IOException {
    server.damages = true;
    assertThatIOException()
        .isThrownBy(() -> hub().snapshot(CAT, NEEDED))
        .withMessageContaining("'" + WEIGHTS + "' of google/ddpm-cat has come damaged")
        .withMessageContaining(HubServer.etag(LARGE));
    leavePart(new byte[1234]);
    server.damages = false;
    assertThatIOException().isThrownBy(() -> hub().snapshot(CAT, NEEDED));
    assertThat(blob()).doesNotExist();
    assertWhole(hub().snapshot(CAT, NEEDED));
  }

  @Test
  void givesUpWhereNothingComes() throws IOException {
    // Half of what is left, each time: of the last byte nothing comes.
    server.breaks.set(1000);
    Hub hub = hub();
    assertThatIOException()
        .isThrownBy(() -> hub.snapshot(CAT, NEEDED))
        .withMessageStartingWith(
            "The download of 'config.json' of google/ddpm-cat broke off after 18 of 19 bytes");
  }

  @ParameterizedTest
  @CsvSource({
    "401, GatedRepo, is gated; accept its conditions at",
    "403, GatedRepo, is gated; accept its conditions at",
    "403, '', is gated",
    "401, RepoNotFound, has no model google/ddpm-cat that all may see",
    "404, RepoNotFound, has no model google/ddpm-cat that all may see",
    "404, RevisionNotFound, has no revision 'main'",
    "418, '', refused a request for google/ddpm-cat with status 418 ('no')",
    "500, '', with status 500"
  })
  void saysWhyItIsRefused(int status, String code, String sentence) {
    server.refusal = status;
    server.refusalCode = code;
    assertThatIOException()
        .isThrownBy(() -> hub().snapshot(CAT, NEEDED))
        .withMessageContaining(sentence)
        .withMessageEndingWith(".");
    assertThat(cache).doesNotExist();
  }

  @Test
  void gatedAlsoForAToken() {
    server.refusal = 403;
    server.refusalCode = "GatedRepo";
    assertThatIOException()
        .isThrownBy(() -> hub(server.uri(), Optional.of("hf_x"), false).snapshot(CAT, NEEDED))
        .withMessageContaining("the user of this token has no access");
  }

  @Test
  void anotherRevisionAndAMissingOne() throws IOException {
    server.revisions.put("refs/pr/1", HubServer.COMMIT);
    assertWhole(hub().snapshot(HubName.parse(CAT + "@refs/pr/1"), NEEDED));
    assertThat(repository().resolve("refs/refs/pr/1")).hasContent(HubServer.COMMIT);
    assertThatIOException()
        .isThrownBy(() -> hub().snapshot(HubName.parse(CAT + "@v9"), NEEDED))
        .withMessage(
            "The model google/ddpm-cat has no revision 'v9'; name a branch, a tag or a commit that it has.");
  }

  @Test
  void theTokenIsForTheHubAlone() throws IOException {
    hub(server.uri(), Optional.of("hf_secret"), false).snapshot(CAT, NEEDED);
    assertThat(server.tokensToHub).isNotEmpty().containsOnly("Bearer hf_secret");
    assertThat(server.tokensToStore).isNotEmpty().containsOnly("none");
  }

  @Test
  void followsAModelToItsNameOfToday() throws IOException {
    server.formerName = "google/cat";
    Path snapshot = hub().snapshot(HubName.parse("google/cat"), NEEDED);
    assertWhole(snapshot);
    assertThat(snapshot).startsWith(cache.resolve("models--google--cat"));
  }

  @Test
  void asksAgainAServerThatIsOverloaded() throws IOException {
    server.overloads.set(2);
    assertWhole(hub().snapshot(CAT, NEEDED));
  }

  @Test
  void namesThatLeadOutOfTheFolderAreNoFiles() throws IOException {
    server.files.put("../../../evil", SMALL);
    server.files.put("/etc/evil", SMALL);
    server.files.put("a/./evil", SMALL);
    server.files.put("a\\\\evil", SMALL);
    List<String> seen = new ArrayList<>();
    hub()
        .snapshot(
            CAT,
            (names, snapshot) -> {
              seen.addAll(names);
              return List.of("config.json");
            });
    assertThat(seen).isNotEmpty().noneMatch(name -> name.contains("evil"));
  }

  @Test
  void oneOfManyDownloads() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<Path>> snapshots = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      snapshots.add(threads.submit(() -> hub().snapshot(CAT, NEEDED)));
    }
    for (Future<Path> snapshot : snapshots) {
      assertWhole(snapshot.get());
    }
    threads.shutdown();
    assertThat(server.requests.stream().filter(("GET /" + WEIGHTS)::equals)).hasSize(1);
  }
}
