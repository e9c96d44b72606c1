package org.ddpm4j.io.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A hub on this machine with one model, and beside it the store that it leads to for large files.
 * Speaks the routes of the hub that huggingface_hub asks for, which can be run against it, too:
 *
 * <pre>java -cp … org.ddpm4j.io.hub.HubServer 8123 OWNER/NAME FOLDER</pre>
 */
final class HubServer implements AutoCloseable {

  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  private static final int LARGE = 2000;

  private final String model;
  private final HttpServer hub;
  private final HttpServer store;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  final Map<String, byte[]> files = new ConcurrentSkipListMap<>();

  /** "GET /path", of both servers. */
  final List<String> requests = new CopyOnWriteArrayList<>();

  /** The token of each request; "none" without one. */
  final List<String> tokensToHub = new CopyOnWriteArrayList<>();

  final List<String> tokensToStore = new CopyOnWriteArrayList<>();
  final List<String> ranges = new CopyOnWriteArrayList<>();

  /** How many downloads are to break off after half of what is left. */
  final AtomicInteger breaks = new AtomicInteger();

  /** Waited for before a download breaks off, told after how many bytes of the whole. */
  volatile LongConsumer beforeBreak = at -> {};

  /** How many downloads are to fall silent after half of what is left. */
  final AtomicInteger silences = new AtomicInteger();

  /** How many requests are to be answered by 503. */
  final AtomicInteger overloads = new AtomicInteger();

  /** The status and the code by which everything is refused, 0 for not at all. */
  volatile int refusal;

  volatile String refusalCode = "";
  volatile boolean knowsRanges = true;
  volatile boolean damages;

  /** A former name, whose requests are led to the name of today. */
  volatile String formerName = "";

  final Map<String, String> revisions = new ConcurrentHashMap<>(Map.of("main", COMMIT));

  HubServer(String model) throws IOException {
    this(model, 0);
  }

  private HubServer(String model, int port) throws IOException {
    this.model = model;
    InetAddress here = InetAddress.getLoopbackAddress();
    hub = HttpServer.create(new InetSocketAddress(here, port), 0);
    store = HttpServer.create(new InetSocketAddress(here, 0), 0);
    hub.createContext("/", exchange -> handle(exchange, this::answer));
    store.createContext("/", exchange -> handle(exchange, this::answerOfStore));
    for (HttpServer server : List.of(hub, store)) {
      server.setExecutor(threads);
      server.start();
    }
  }

  /** Writes its address, which is new where the port is 0. */
  @SuppressWarnings("resource") // Until it is killed.
  public static void main(String[] args) throws IOException {
    HubServer server = new HubServer(args[1], Integer.parseInt(args[0]));
    Path folder = Path.of(args[2]);
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        String name = folder.relativize(path).toString().replace('\\', '/');
        server.files.put(name, Files.readAllBytes(path));
      }
    }
    System.out.println(server.uri());
  }

  URI uri() {
    return URI.create("http://localhost:" + hub.getAddress().getPort());
  }

  @Override
  public void close() {
    hub.stop(0);
    store.stop(0);
    threads.shutdownNow();
  }

  @FunctionalInterface
  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private void handle(HttpExchange exchange, Answer answer) {
    try (exchange) {
      requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath());
      answer.to(exchange);
    } catch (IOException e) {
      // The client has gone.
    }
  }

  private static String token(HttpExchange exchange) {
    String header = exchange.getRequestHeaders().getFirst("Authorization");
    return header == null ? "none" : header;
  }

  private void answer(HttpExchange exchange) throws IOException {
    tokensToHub.add(token(exchange));
    String path = exchange.getRequestURI().getRawPath();
    if (overloads.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      exchange.sendResponseHeaders(503, -1);
    } else if (refusal != 0) {
      refuse(exchange, refusal, refusalCode);
    } else if (!formerName.isEmpty() && path.contains(formerName)) {
      redirect(exchange, path.replace(formerName, model));
    } else if (path.startsWith("/api/models/" + model)) {
      list(exchange, path);
    } else if (path.startsWith("/" + model + "/resolve/")) {
      resolve(exchange, path.substring(("/" + model + "/resolve/").length()));
    } else {
      refuse(exchange, 401, "RepoNotFound");
    }
  }

  private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
    exchange.getResponseHeaders().set("X-Error-Code", code);
    exchange.getResponseHeaders().set("X-Error-Message", "no");
    exchange.sendResponseHeaders(status, -1);
  }

  private static void redirect(HttpExchange exchange, String location) throws IOException {
    exchange.getResponseHeaders().set("Location", location);
    exchange.sendResponseHeaders(307, -1);
  }

  private void list(HttpExchange exchange, String path) throws IOException {
    String revision =
        URLDecoder.decode(path.replaceFirst(".*/revision/", ""), StandardCharsets.UTF_8);
    String commit = path.contains("/revision/") ? commit(revision) : COMMIT;
    if (commit == null) {
      refuse(exchange, 404, "RevisionNotFound");
      return;
    }
    String siblings =
        files.keySet().stream()
            .map("{\"rfilename\": \"%s\"}"::formatted)
            .collect(Collectors.joining(", "));
    byte[] json =
        "{\"id\": \"%s\", \"sha\": \"%s\", \"siblings\": [%s]}"
            .formatted(model, commit, siblings)
            .getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, json.length);
    exchange.getResponseBody().write(json);
  }

  private String commit(String revision) {
    return revision.equals(COMMIT) ? COMMIT : revisions.get(revision);
  }

  private void resolve(HttpExchange exchange, String rest) throws IOException {
    String revision = rest.substring(0, rest.indexOf('/'));
    String file = URLDecoder.decode(rest.substring(rest.indexOf('/') + 1), StandardCharsets.UTF_8);
    byte[] content = files.get(file);
    if (content == null) {
      refuse(exchange, 404, "EntryNotFound");
      return;
    }
    exchange.getResponseHeaders().set("X-Repo-Commit", commit(revision));
    if (content.length >= LARGE) {
      exchange.getResponseHeaders().set("ETag", "\"of the redirect\"");
      exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + etag(content) + "\"");
      exchange.getResponseHeaders().set("X-Linked-Size", "" + content.length);
      exchange
          .getResponseHeaders()
          .set("Location", "http://127.0.0.1:%d/%s".formatted(store.getAddress().getPort(), file));
      exchange.sendResponseHeaders(302, -1);
    } else {
      exchange.getResponseHeaders().set("ETag", "W/\"" + etag(content) + "\"");
      send(exchange, content);
    }
  }

  private void answerOfStore(HttpExchange exchange) throws IOException {
    tokensToStore.add(token(exchange));
    byte[] content = files.get(exchange.getRequestURI().getPath().substring(1)).clone();
    if (damages) {
      content[content.length / 2]++;
    }
    send(exchange, content);
  }

  private void send(HttpExchange exchange, byte[] content) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    int first = 0;
    int status = 200;
    if (range != null && knowsRanges) {
      ranges.add(range);
      first = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      status = 206;
      exchange
          .getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(first, content.length - 1, content.length));
    }
    byte[] rest = Arrays.copyOfRange(content, first, content.length);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", "" + rest.length);
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, rest.length);
    boolean isBroken = breaks.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    boolean isSilent = silences.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    OutputStream body = exchange.getResponseBody();
    body.write(rest, 0, isBroken || isSilent ? rest.length / 2 : rest.length);
    body.flush();
    if (isSilent) {
      sleep();
    }
    if (isBroken) {
      beforeBreak.accept(first + rest.length / 2);
      throw new IOException("broken on purpose");
    }
  }

  /** Until the server is closed. */
  private static void sleep() throws IOException {
    try {
      Thread.sleep(60_000);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Git's name of a small file, the SHA-256 of a large one. */
  static String etag(byte[] content) {
    try {
      boolean isLarge = content.length >= LARGE;
      MessageDigest digest = MessageDigest.getInstance(isLarge ? "SHA-256" : "SHA-1");
      if (!isLarge) {
        digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
      }
      return HexFormat.of().formatHex(digest.digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
