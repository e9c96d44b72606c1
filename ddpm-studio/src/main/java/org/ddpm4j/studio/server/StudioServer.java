package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.ddpm4j.io.Text;
import org.ddpm4j.studio.drawing.Drawing;
import org.ddpm4j.studio.drawing.DrawingListener;
import org.ddpm4j.studio.drawing.DrawingQueue;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.QueueFullException;
import org.ddpm4j.studio.runs.RunCatalogue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Draws, edits and trains for whoever may ask, under {@code /v1}; the document {@code
 * /v1/openapi.json} says what there is. With {@link StudioOptions} it is the studio: the page for
 * the browser and the runs.
 *
 * <p>Connections are served by two threads that never wait: neither for a drawing, nor for files,
 * nor for a client that reads slowly. What is read of files is read by four others, and drawn is in
 * a {@link DrawingQueue}.
 */
public final class StudioServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StudioServer.class);

  private static final int CONNECTION_THREADS = 2;
  private static final int FILE_THREADS = 4;
  private static final int MOST_OFFLOADED = 256;
  private static final int JSON_BYTES = 64 << 10;
  private static final int EDIT_BYTES = 6 << 20;
  private static final int MOST_BODY_BYTES = 96 << 20;

  /** In figures and log, of a request whose client did not wait for an answer; nginx's number. */
  private static final int CLIENT_GONE = 499;

  /** In which clients do so that ask now and then. */
  private static final Duration FETCHING = Duration.ofSeconds(10);

  private static final Duration MORE_THAN_A_DRAWING = Duration.ofSeconds(30);

  private final ServerOptions options;
  private final PrometheusMeterRegistry meters =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics collections = new JvmGcMetrics();
  private final ModelShelf shelf = new ModelShelf();
  private final Models models;
  private final DrawingQueue queue;
  private final DrawingRequests requests;
  private final DrawingAnswers answers;
  private final Jobs jobs = new Jobs(Runtime.getRuntime().maxMemory() / 8);
  private final Optional<Runs> runs;
  private final Routes routes = new Routes();
  private final Gate gate;
  private final ThreadPoolExecutor offloaded;
  private final Vertx vertx;
  private final HttpServer server;
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicBoolean closing = new AtomicBoolean();
  private final BodyBudget bodies;
  private final ClientDeadlines deadlines;
  private final LossPerTimestep losses;

  /**
   * Begins to serve.
   *
   * @param options where and to whom
   * @param sources the models, at least one, of which the first is the usual one
   * @param studio the page and the runs, if they are wanted
   * @throws IOException if the usual model cannot be read or the port is taken
   */
  public StudioServer(
      ServerOptions options, List<ModelSource> sources, Optional<StudioOptions> studio)
      throws IOException {
    this(
        options,
        sources,
        studio,
        ClientDeadlines.FIRST_REQUEST,
        ClientDeadlines.NEXT_REQUEST,
        mostBodyBytes(Runtime.getRuntime().maxMemory()));
  }

  /**
   * Of all bodies together: what is made of them, text and bytes of images, takes several times as
   * much of the heap. One may always come.
   */
  static int mostBodyBytes(long heapBytes) {
    return (int) Math.max(EDIT_BYTES, Math.min(MOST_BODY_BYTES, heapBytes / 8));
  }

  /** With deadlines of clients, and bytes of all bodies that arrive at one time, for tests. */
  StudioServer(
      ServerOptions options,
      List<ModelSource> sources,
      Optional<StudioOptions> studio,
      Duration firstRequest,
      Duration nextRequest,
      int mostBodyBytes)
      throws IOException {
    this.options = options;
    bodies = new BodyBudget(mostBodyBytes);
    Optional<RunCatalogue> catalogue = studio.map(page -> new RunCatalogue(page.runs()));
    models = new Models(sources, catalogue, studio.flatMap(StudioOptions::hubCache), shelf);
    models.warmUp();
    bindMeters();
    queue = new DrawingQueue(options.queue(), meters);
    offloaded =
        new ThreadPoolExecutor(
            FILE_THREADS,
            FILE_THREADS,
            1,
            TimeUnit.MINUTES,
            new ArrayBlockingQueue<>(MOST_OFFLOADED),
            work -> {
              Thread thread = new Thread(work, "requests");
              thread.setDaemon(true);
              return thread;
            });
    requests = new DrawingRequests(models);
    losses = new LossPerTimestep(models, options.queue().timeout());
    answers = new DrawingAnswers(queue);
    runs = studio.map(page -> new Runs(catalogue.orElseThrow(), page));
    gate = new Gate(names(options), options.token());
    addRoutes();
    runs.ifPresent(this::addRunRoutes);
    vertx =
        Vertx.vertx(
            new VertxOptions()
                .setEventLoopPoolSize(CONNECTION_THREADS)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setUseDaemonThread(true)
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setClassPathResolvingEnabled(false)
                        .setFileCachingEnabled(false)));
    deadlines = new ClientDeadlines(vertx, firstRequest, nextRequest);
    server = listen();
  }

  private static List<String> names(ServerOptions options) {
    List<String> names = new ArrayList<>(options.hostNames());
    names.add(options.host().contains(":") ? "[" + options.host() + "]" : options.host());
    return names;
  }

  private void bindMeters() {
    new JvmMemoryMetrics().bindTo(meters);
    new JvmThreadMetrics().bindTo(meters);
    new ProcessorMetrics().bindTo(meters);
    collections.bindTo(meters);
    Gauge.builder("ddpm.connections", connections, AtomicInteger::get)
        .description("Open connections")
        .register(meters);
  }

  private HttpServer listen() throws IOException {
    long idle = options.queue().timeout().plus(MORE_THAN_A_DRAWING).toSeconds();
    HttpServer listening =
        vertx.createHttpServer(
            new HttpServerOptions()
                .setHost(options.host())
                .setPort(options.port())
                .setReuseAddress(true)
                .setHttp2ClearTextEnabled(false)
                .setIdleTimeout((int) Math.min(Integer.MAX_VALUE, idle))
                .setHandle100ContinueAutomatically(true));
    listening.connectionHandler(
        connection -> {
          if (connections.incrementAndGet() > options.connections()) {
            connection.close();
          }
          deadlines.connected(connection);
          connection.closeHandler(
              gone -> {
                deadlines.gone(connection);
                connections.decrementAndGet();
              });
        });
    listening.requestHandler(this::handle);
    try {
      return listening.listen().toCompletionStage().toCompletableFuture().join();
    } catch (CompletionException e) {
      closeAll();
      throw new IOException(
          Text.format(
              "Nothing can listen at %s:%d (%s); choose another port, or 0 for any that is free.",
              options.host(), options.port(), e.getCause().getMessage()),
          e);
    }
  }

  /** {@return where it listens} */
  public int port() {
    return server.actualPort();
  }

  /** The addresses that there are; tests compare them with the OpenAPI document. */
  Routes routes() {
    return routes;
  }

  private void addRoutes() {
    routes
        .addPublic("/v1/health/live", exchange -> exchange.answer(200, state("alive")))
        .addPublic("/v1/health/ready", this::ready)
        .addPublic("/v1/openapi.json", StudioServer::openApi)
        .add("GET", "/v1/metrics", this::metrics)
        .add("GET", "/v1/models", reading(exchange -> models.toJson()))
        .add("POST", "/v1/samples", untilTheEnd(drawing(JSON_BYTES, requests::sample)))
        .add("POST", "/v1/edits", untilTheEnd(drawing(EDIT_BYTES, requests::edit)))
        .add("POST", "/v1/jobs", untilTheEnd(this::beginJob))
        .add("GET", "/v1/jobs/{id}", this::job)
        .add("DELETE", "/v1/jobs/{id}", this::cancelJob)
        .add("GET", "/v1/schedules", reading(StudioServer::schedules))
        .add("POST", "/v1/losses", untilTheEnd(changing(200, EDIT_BYTES, losses::measure)));
  }

  private void addRunRoutes(Runs runs) {
    routes
        .add("GET", "/v1/runs", reading(exchange -> runs.list()))
        .add("POST", "/v1/runs", untilTheEnd(changing(201, (exchange, body) -> runs.begin(body))))
        .add("GET", "/v1/runs/{name}", reading(exchange -> runs.one(name(exchange))))
        .add(
            "POST",
            "/v1/runs/{name}/stop",
            changing(
                202,
                (exchange, body) -> {
                  runs.stop(name(exchange));
                  return state("stopping");
                }))
        .add(
            "POST",
            "/v1/runs/{name}/resume",
            untilTheEnd(changing(202, (exchange, body) -> runs.resume(name(exchange), body))))
        .add(
            "POST",
            "/v1/runs/{name}/pause",
            changing(
                202,
                (exchange, body) -> {
                  runs.pause(name(exchange));
                  return state("pausing");
                }))
        .add(
            "GET",
            "/v1/runs/{name}/grids/{file}",
            exchange ->
                offload(
                    exchange,
                    () ->
                        exchange.answer(
                            200,
                            "image/png",
                            runs.grid(name(exchange), exchange.pathParameter("file")))))
        .add("GET", "/v1/datasets", reading(exchange -> runs.dataSets()))
        .add("POST", "/v1/datasets", changing(201, (exchange, body) -> runs.uploads().begin(body)))
        .add(
            "POST",
            "/v1/datasets/{name}/images",
            changing(200, EDIT_BYTES, (exchange, body) -> runs.uploads().add(name(exchange), body)))
        .add(
            "DELETE",
            "/v1/datasets/{name}",
            exchange ->
                offload(
                    exchange,
                    () -> {
                      runs.removeDataSet(name(exchange));
                      exchange.answerNothing();
                    }));
    Page.addTo(routes);
  }

  private static String name(Exchange exchange) {
    return exchange.pathParameter("name");
  }

  private static ObjectNode state(String state) {
    return JsonNodeFactory.instance.objectNode().put("state", state);
  }

  private void handle(HttpServerRequest request) {
    Exchange exchange = new Exchange(request, Vertx.currentContext(), id(request), bodies.open());
    long start = System.nanoTime();
    String[] route = {"none"};
    if (request.response().writeQueueFull()) {
      // It asks on without reading its answers, which would pile up here.
      request.connection().close();
      return;
    }
    deadlines.requested(request.connection());
    Gate.addHeaders(request.response(), exchange.id());
    request
        .response()
        .endHandler(
            ended -> {
              exchange.releaseBody();
              deadlines.answered(request.connection());
              note(exchange, route[0], start, "served");
            });
    exchange.whenGone(() -> note(exchange, route[0], start, "its client has gone"));
    exchange.guarded(
        () -> {
          Routes.Match match =
              routes.find(request.method().name(), Optional.ofNullable(request.path()).orElse(""));
          route[0] = match.route().pattern();
          gate.check(request, match.route().access());
          exchange.setPathParameters(match.parameters());
          match.route().handler().accept(exchange);
        });
  }

  /** A client's own name for its request, if it is harmless; otherwise a new one. */
  private static String id(HttpServerRequest request) {
    String said = request.getHeader("X-Request-Id");
    return said != null && said.matches("[A-Za-z0-9._-]{1,64}")
        ? said
        : UUID.randomUUID().toString();
  }

  private void note(Exchange exchange, String route, long start, String how) {
    int status =
        exchange.response().headWritten() ? exchange.response().getStatusCode() : CLIENT_GONE;
    long nanos = System.nanoTime() - start;
    Timer.builder("http.server.requests")
        .description("Requests by address and status")
        .tag("uri", route)
        .tag("method", known(exchange.request().method().name()))
        .tag("status", Integer.toString(status))
        .register(meters)
        .record(nanos, TimeUnit.NANOSECONDS);
    LOG.atInfo()
        .addKeyValue("request", exchange.id())
        .addKeyValue("method", exchange.request().method().name())
        .addKeyValue("uri", route)
        .addKeyValue("status", status)
        .addKeyValue("millis", TimeUnit.NANOSECONDS.toMillis(nanos))
        .log(how);
  }

  /** Words of clients must not become names of meters. */
  private static String known(String method) {
    return List.of("GET", "HEAD", "POST", "DELETE").contains(method) ? method : "other";
  }

  private void offload(Exchange exchange, Work work) {
    try {
      offloaded.execute(
          () ->
              exchange.guarded(
                  () -> {
                    try {
                      work.run();
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    } finally {
                      exchange.releaseBody();
                    }
                  }));
    } catch (RejectedExecutionException e) {
      throw new Refusal(
          503, "Too many requests wait to be read; come again.", Map.of("Retry-After", "1"));
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private interface Reading {
    JsonNode read(Exchange exchange) throws IOException;
  }

  private interface Changing {
    JsonNode change(Exchange exchange, JsonNode body) throws IOException;
  }

  private interface Planning {
    DrawingPlan plan(JsonNode body) throws IOException;
  }

  private Consumer<Exchange> reading(Reading reading) {
    return exchange -> offload(exchange, () -> exchange.answer(200, reading.read(exchange)));
  }

  private Consumer<Exchange> changing(int status, Changing changing) {
    return changing(status, JSON_BYTES, changing);
  }

  private Consumer<Exchange> changing(int status, int mostBytes, Changing changing) {
    return exchange ->
        exchange.readJson(
            mostBytes,
            body ->
                offload(exchange, () -> exchange.answer(status, changing.change(exchange, body))));
  }

  private Consumer<Exchange> drawing(int mostBytes, Planning planning) {
    return exchange ->
        exchange.readJson(
            mostBytes,
            body -> offload(exchange, () -> answers.answer(exchange, planning.plan(body))));
  }

  /** What takes time is not begun any more, when the service waits for the rest to be done. */
  private Consumer<Exchange> untilTheEnd(Consumer<Exchange> handler) {
    return exchange -> {
      if (closing.get()) {
        throw Refusal.of(QueueFullException.ofEnding());
      }
      handler.accept(exchange);
    };
  }

  private void ready(Exchange exchange) {
    if (closing.get()) {
      exchange.answer(503, state("ending"));
    } else {
      ObjectNode json = state("ready");
      json.put("waiting_images", queue.waitingImages());
      exchange.answer(200, json);
    }
  }

  private static void openApi(Exchange exchange) {
    exchange.answer(200, "application/json", OpenApi.document());
  }

  private void metrics(Exchange exchange) {
    exchange.answer(
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        meters.scrape().getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode schedules(Exchange exchange) {
    return Schedules.toJson(QueryFields.of(exchange.request()));
  }

  private void beginJob(Exchange exchange) {
    exchange.readJson(
        JSON_BYTES,
        body ->
            offload(
                exchange,
                () -> {
                  DrawingPlan plan = requests.sample(body);
                  ObjectNode described = plan.toJson(exchange.id());
                  Drawing drawing = answers.submit(plan, DrawingListener.NONE);
                  Jobs.Job job = jobs.add(described, drawing);
                  exchange.later(
                      () -> exchange.response().putHeader("Location", "/v1/jobs/" + job.id()));
                  exchange.answer(202, job.toJson());
                }));
  }

  private void job(Exchange exchange) {
    Jobs.Job job = jobs.find(exchange.pathParameter("id"));
    offload(
        exchange,
        () -> {
          ObjectNode answer = job.toJson();
          exchange.answer(200, answer);
          if (Jobs.Job.isLast(answer)) {
            // After the answer, which is written in the same thread.
            exchange.later(job.told()::countDown);
          }
        });
  }

  private void cancelJob(Exchange exchange) {
    Jobs.Job job = jobs.find(exchange.pathParameter("id"));
    offload(
        exchange,
        () -> {
          job.drawing().cancel();
          exchange.answerNothing();
          exchange.later(job.told()::countDown);
        });
  }

  /**
   * Refuses new drawings, losses and trainings, finishes the drawings and the loss that were taken
   * on as far as the grace allows, lets clients fetch what jobs have drawn meanwhile, asks
   * trainings that were begun here to save and end, and closes models and port.
   */
  @Override
  public void close() {
    if (closing.getAndSet(true)) {
      return;
    }
    long begun = System.nanoTime();
    List<Jobs.Job> awaited = jobs.unfinished();
    noteCancelled(queue.drain(options.grace()), awaited);
    losses.drain(options.grace().minusNanos(System.nanoTime() - begun));
    Duration left = options.grace().minusNanos(System.nanoTime() - begun);
    Jobs.awaitClients(awaited, left.compareTo(FETCHING) < 0 ? left : FETCHING);
    server.close().toCompletionStage().toCompletableFuture().join();
    closeAll();
  }

  /** Whoever reads the log should find what no client was given. */
  private void noteCancelled(List<Drawing> cancelled, List<Jobs.Job> awaited) {
    if (!cancelled.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("grace_seconds", options.grace().toSeconds())
          .addKeyValue("drawings", cancelled.size())
          .addKeyValue(
              "jobs",
              awaited.stream()
                  .filter(job -> cancelled.contains(job.drawing()))
                  .map(Jobs.Job::id)
                  .toList())
          .log("cancelled when the grace was over");
    }
  }

  private void closeAll() {
    runs.ifPresent(Runs::close);
    queue.close();
    offloaded.shutdownNow();
    if (vertx != null) {
      vertx.close().toCompletionStage().toCompletableFuture().join();
    }
    shelf.close();
    collections.close();
    meters.close();
  }
}
