package org.ddpm4j.examples.serving;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingListener;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.pipeline.X0Preview;
import org.ddpm4j.io.ForeignText;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws images for whoever asks: one network, many requests.
 *
 * <pre>
 * GET /sample?count=16&amp;seed=7&amp;steps=10&amp;sampler=unipc   a PNG of all images
 * GET /events?…the same…    server-sent events: progress, preview (a PNG in Base64) and image
 * </pre>
 *
 * <p>{@code class=Bag}, with a model that was told classes, draws this one only, by name or number
 * as {@code ddpm sample --class} takes it. What is asked wrongly gets 400 and a sentence. Who comes
 * while as many as allowed are served gets 503 at once and may come again; what takes too long is
 * given up with 503, too. A client of {@code /events} that hangs up ends its drawing with the next
 * event; one of {@code /sample} is missed only when the picture is sent, because the JDK's server
 * does not tell earlier.
 *
 * <p>A client who dawdles, with half a request line or over an answer, holds a thread and nothing
 * else. There are threads for hundreds of them, and whose request is not whole within seconds is
 * hung up on. The JDK's server takes these limits of the system's properties {@code
 * sun.net.httpserver.maxReqTime} and {@code maxRspTime}, for all servers of the process; who sets
 * them before is not overruled.
 */
public final class SamplingServer implements AutoCloseable {

  private static final int PREVIEWS = 5;

  private static final int MAX_CONNECTIONS = 256;

  private static final int REQUEST_SECONDS = 10;

  /** To fetch an answer, besides the time to draw it. */
  private static final int ANSWER_SECONDS = 60;

  private static final int IDLE_THREAD_SECONDS = 10;

  private final DiffusionModel model;
  private final Limits limits;
  private final Semaphore places;
  private final ExecutorService threads;
  private final HttpServer server;
  private final AtomicInteger givenUp = new AtomicInteger();

  /**
   * What the service takes on.
   *
   * @param simultaneous requests that are drawn at once, at least 1; more do not make it faster
   *     than the network has threads
   * @param timeout of each
   */
  public record Limits(int simultaneous, Duration timeout) {

    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if no request could be served
     */
    public Limits {
      if (simultaneous < 1 || timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%d requests at once within %s cannot be served; there must be at least one, and some time for it.",
                simultaneous,
                timeout));
      }
    }
  }

  /**
   * Begins to serve on this machine's own address.
   *
   * @param model that draws, of all classes in turn if it has any; closed with the service
   * @param port where to listen, or 0 for any that is free
   * @param limits what to take on
   * @throws IOException if the port is taken
   */
  public SamplingServer(DiffusionModel model, int port, Limits limits) throws IOException {
    this.model = model;
    this.limits = limits;
    places = new Semaphore(limits.simultaneous());
    // The JDK's server reads requests in these threads, of slow clients too; what is scarce is
    // places.
    threads =
        new ThreadPoolExecutor(
            0, MAX_CONNECTIONS, IDLE_THREAD_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>());
    setUnlessSet("sun.net.httpserver.maxReqTime", REQUEST_SECONDS);
    setUnlessSet("sun.net.httpserver.maxRspTime", limits.timeout().toSeconds() + ANSWER_SECONDS);
    setUnlessSet("jdk.httpserver.maxConnections", MAX_CONNECTIONS);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    server.setExecutor(threads);
    Map<String, Service> services = Map.of("/sample", this::sample, "/events", this::events);
    // Contexts are prefixes, so that /sampler would be served as well.
    server.createContext("/", exchange -> serve(exchange, services));
    server.start();
  }

  private static void setUnlessSet(String property, long value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, Long.toString(value));
    }
  }

  /**
   * Serves until it is ended.
   *
   * @param args the folder of a run, or {@code bundled} for the model that ddpm4j brings, or a
   *     dash, and a port; {@code bundled} and 8080 if not given
   * @throws IOException if the run cannot be read or the port is taken
   */
  public static void main(String[] args) throws IOException {
    // Its cache is a file in the system's temporary folder, for pictures that fit into memory.
    ImageIO.setUseCache(false);
    DiffusionModel model =
        args.length > 0 && !args[0].equals("bundled") && !args[0].equals("-")
            ? DiffusionModel.ofRun(Path.of(args[0]))
            : DiffusionModel.bundled();
    int port = args.length > 1 ? Integer.parseInt(args[1]) : 8080;
    SamplingServer server = new SamplingServer(model, port, new Limits(4, Duration.ofSeconds(30)));
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    System.out.printf(
        Locale.ROOT,
        "http://localhost:%d/sample?count=16&seed=7&steps=10&sampler=unipc%n",
        server.port());
  }

  /** {@return where it listens} */
  public int port() {
    return server.getAddress().getPort();
  }

  /**
   * Drawings that were begun and not finished: too slow, or for a client that hung up.
   *
   * @return how many
   */
  public int givenUp() {
    return givenUp.get();
  }

  private record Answer(int status, String type, byte[] body) {

    static Answer sentence(int status, String sentence) {
      // It may quote the names of a model's classes, or the client.
      byte[] line = (ForeignText.line(sentence) + "\n").getBytes(StandardCharsets.UTF_8);
      return new Answer(status, "text/plain; charset=utf-8", line);
    }

    void send(HttpExchange exchange) throws IOException {
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** One kind of request. Returns what is still to be sent. */
  private interface Service {
    Optional<Answer> serve(HttpExchange exchange, SampleRequest request, DiffusionPipeline pipeline)
        throws IOException;
  }

  private void serve(HttpExchange exchange, Map<String, Service> services) throws IOException {
    try (exchange) {
      Service service = services.get(exchange.getRequestURI().getRawPath());
      Optional<Answer> answer =
          service == null
              ? Optional.of(Answer.sentence(404, "There are /sample and /events here."))
              : answer(exchange, service);
      if (answer.isPresent()) {
        answer.get().send(exchange);
      }
    }
  }

  private Optional<Answer> answer(HttpExchange exchange, Service service) throws IOException {
    if (!exchange.getRequestMethod().equals("GET")) {
      return Optional.of(Answer.sentence(405, "Only GET is served here."));
    }
    SampleRequest request;
    DiffusionPipeline pipeline;
    try {
      request = SampleRequest.parse(exchange.getRequestURI().getQuery());
      pipeline = request.pipeline(model);
    } catch (IllegalArgumentException e) {
      return Optional.of(Answer.sentence(400, e.getMessage()));
    }
    if (!places.tryAcquire()) {
      exchange.getResponseHeaders().set("Retry-After", "1");
      return Optional.of(
          Answer.sentence(503, "As many requests as possible are being served; come again soon."));
    }
    try {
      return service.serve(exchange, request, pipeline);
    } catch (UncheckedIOException e) {
      // The client hung up; nobody is left to be told.
      givenUp.incrementAndGet();
      return Optional.empty();
    } finally {
      // Before the answer is sent: who has it may ask again at once.
      places.release();
    }
  }

  private BufferedImage draw(
      SampleRequest request, DiffusionPipeline pipeline, SamplingListener listener) {
    long deadline = System.nanoTime() + limits.timeout().toNanos();
    SamplingOptions options =
        SamplingOptions.defaults()
            .withListener(listener)
            .withCancellation(() -> System.nanoTime() - deadline > 0);
    // Memory outside of the heap: the garbage collector sees small objects only, and may wait long.
    try (INDArray images = pipeline.sample(request.count(), request.seed(), options)) {
      return Images.grid(images, Images.squareColumns(request.count()), 1, model.normalization());
    }
  }

  private Optional<Answer> sample(
      HttpExchange exchange, SampleRequest request, DiffusionPipeline pipeline) {
    try {
      byte[] png = Images.png(draw(request, pipeline, SamplingListener.NONE));
      return Optional.of(new Answer(200, "image/png", png));
    } catch (CancellationException e) {
      givenUp.incrementAndGet();
      return Optional.of(Answer.sentence(503, tooSlow()));
    }
  }

  private Optional<Answer> events(
      HttpExchange exchange, SampleRequest request, DiffusionPipeline pipeline) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    SamplingListener progress =
        (now, x, x0) -> event(out, "progress", String.format(Locale.ROOT, "%.3f", now.fraction()));
    X0Preview preview =
        new X0Preview(
            Math.max(1, request.steps() / PREVIEWS),
            model.normalization(),
            (now, picture) -> event(out, "preview", base64(picture)));
    try {
      event(out, "image", base64(draw(request, pipeline, progress.and(preview))));
    } catch (CancellationException e) {
      givenUp.incrementAndGet();
      event(out, "error", tooSlow());
    }
    return Optional.empty();
  }

  private String tooSlow() {
    return String.format(
        Locale.ROOT,
        "The images were not done within %s s; ask for fewer, or for fewer steps.",
        limits.timeout().toMillis() / 1000.0);
  }

  /** An exception here ends the drawing: it is thrown by the listener. */
  private static void event(OutputStream out, String name, String data) {
    try {
      out.write(
          String.format(Locale.ROOT, "event: %s\ndata: %s\n\n", name, data)
              .getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String base64(BufferedImage picture) {
    return Base64.getEncoder().encodeToString(Images.png(picture));
  }

  /** Refuses new requests, ends those that are being drawn, and closes the network. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    try {
      threads.awaitTermination(limits.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    model.close();
  }
}
