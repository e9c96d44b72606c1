package org.ddpm4j.cli.serve;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.cli.options.Size;
import org.ddpm4j.cli.options.SizeConverter;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.lucidrains.LucidrainsCheckpoint;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.hub.HubCache;
import org.ddpm4j.io.hub.HubName;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.QueueLimits;
import org.ddpm4j.studio.server.ServerOptions;
import org.ddpm4j.studio.server.StudioOptions;
import org.ddpm4j.studio.server.StudioServer;
import org.ddpm4j.unet.model.Unet2D;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** Where a service listens, with which models, and what it takes on. */
@OptionGroup("The service")
final class ServingOptions {

  private static final SmallTextFile TOKEN =
      new SmallTextFile(4096, "token", "write one line of 16 characters or more into it");

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = ServerOptions.LOOPBACK,
      description =
          "Address to listen at; beyond this machine it takes a token (default: ${DEFAULT-VALUE}).")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "" + ServerOptions.DEFAULT_PORT,
      description = "Port to listen at, 0 for any that is free (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "File with the token that clients must send, 16 characters or more, as of 'openssl rand"
              + " -hex 16'.")
  private Path tokenFile;

  @Option(
      names = "--open",
      description = "Let anybody who reaches the address use the service without a token.")
  @HasEffect(without = "--token-file", because = "whose token is asked for")
  private boolean open;

  @Option(
      names = "--allow-host",
      paramLabel = "NAME",
      description = "A further name that the service may be asked by; may be repeated.")
  private List<String> hostNames = List.of();

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "Folder of a run or of a diffusers pipeline, OWNER/NAME[@REVISION] of the Hugging Face hub,"
              + " or a checkpoint of lucidrains' trainer (model-N.pt), for which --size is needed; the first of them draws unless another"
              + " is asked for; may be repeated (default: the model that ddpm4j brings).")
  private List<Path> folders = List.of();

  @HasEffect(with = "--model")
  @Option(
      names = "--size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description =
          "Height and width of the images of --model model-N.pt, as in 32x32, or one number; no"
              + " checkpoint says it.")
  private Size size;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "" + QueueLimits.DEFAULT_BATCH_IMAGES,
      description =
          "Images that are drawn together, of whichever clients (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--batches",
      paramLabel = "N",
      defaultValue = "" + QueueLimits.DEFAULT_WORKERS,
      description = "Batches that are drawn at one time (default: ${DEFAULT-VALUE}).")
  private int batches;

  @Option(
      names = "--queue",
      paramLabel = "N",
      defaultValue = "" + QueueLimits.DEFAULT_WAITING_IMAGES,
      description =
          "Images that may wait; what comes beyond them is refused (default: ${DEFAULT-VALUE}).")
  private int waitingImages;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "" + QueueLimits.DEFAULT_TIMEOUT_SECONDS,
      description = "Time for a request, from its arrival (default: ${DEFAULT-VALUE}).")
  private int timeout;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "" + ServerOptions.DEFAULT_CONNECTIONS,
      description = "Connections that may be open (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      defaultValue = "" + ServerOptions.DEFAULT_GRACE_SECONDS,
      description =
          "Time for what is being drawn when the service is asked to end (default:"
              + " ${DEFAULT-VALUE}).")
  private int grace;

  /** Serves until the user or the system ends the program. */
  int serve(Console console, String what, Optional<StudioOptions> studio) throws IOException {
    requireRanges();
    Optional<String> token = token();
    if (token.isEmpty()
        && !open
        && !BadInputException.check(() -> ServerOptions.isLoopback(host))) {
      throw new BadInputException(
          "At %s others can reach the service; give it a token by --token-file, or say by --open that anybody may use it.",
          host);
    }
    ServerOptions options =
        BadInputException.check(
            () ->
                new ServerOptions(
                    host,
                    port,
                    token,
                    open ? ServerOptions.BeyondLoopback.OPEN : ServerOptions.BeyondLoopback.TOKEN,
                    hostNames,
                    new QueueLimits(batches, batchSize, waitingImages, Duration.ofSeconds(timeout)),
                    connections,
                    Duration.ofSeconds(grace)));
    List<ModelSource> models = models(console);
    CountDownLatch ended = new CountDownLatch(1);
    try (Interruption interruption = new Interruption(ended::countDown)) {
      logRequests();
      try (StudioServer server = new StudioServer(options, models, studio)) {
        console.printLine(
            "http://%s:%d%s",
            host.contains(":") ? "[" + host + "]" : host,
            server.port(),
            studio.isPresent() ? "/" : "/v1/openapi.json");
        console.note(what + ": Ctrl-C ends it");
        ended.await();
        console.note(what + ": finishing what was taken on");
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return interruption.isRequested() ? Interruption.EXIT_CODE : 0;
    }
  }

  private void requireRanges() {
    BadInputException.requireRange("--port", port, 0, ServerOptions.LAST_PORT);
    BadInputException.requireRange("--connections", connections, 1, Integer.MAX_VALUE);
    BadInputException.requireRange("--batches", batches, 1, Integer.MAX_VALUE);
    BadInputException.requireRange("--batch-size", batchSize, 1, Integer.MAX_VALUE);
    if (waitingImages < batchSize) {
      throw new BadInputException(
          "The value of --queue is %d; it must be at least %d, the images of a batch (--batch-size).",
          waitingImages, batchSize);
    }
    BadInputException.requireRange("--timeout", timeout, 1, 86_400);
    BadInputException.requireRange("--grace", grace, 0, 86_400);
  }

  /** A line on standard error for each request. */
  private static void logRequests() {
    ((LoggerContext) LoggerFactory.getILoggerFactory())
        .getLogger("org.ddpm4j.studio")
        .setLevel(Level.INFO);
  }

  private Optional<String> token() throws IOException {
    if (tokenFile == null) {
      return Optional.empty();
    }
    return Optional.of(TOKEN.read(tokenFile).strip());
  }

  private List<ModelSource> models(Console console) throws IOException {
    if (folders.isEmpty()) {
      return List.of(ModelSource.bundled());
    }
    List<ModelSource> models = new ArrayList<>();
    for (Path named : folders) {
      Path place = new ModelPlace().folder(named, console);
      models.add(
          place.equals(named)
              ? model(freeId(models, name(named)), place)
              : ofHub(models, named, place));
    }
    if (size != null && models.stream().allMatch(model -> model.size().isEmpty())) {
      throw new BadInputException(
          "--size is of the images of checkpoints, and none of the models is one; leave it out.");
    }
    return models;
  }

  /** Called by its name there, and by its revision where one was asked for. */
  private static ModelSource ofHub(List<ModelSource> models, Path named, Path snapshot) {
    HubName name = HubName.parse(named.toString().replace(File.separatorChar, '/'));
    if (!PipelineFolder.isPipeline(snapshot)) {
      throw new BadInputException(
          "The model %s is a network without a scheduler, which does not say how to draw; name a diffusers pipeline.",
          name);
    }
    String commit = snapshot.getFileName().toString();
    return ModelSource.of(
            new HubCache.Cached(new HubName(name.owner(), name.name(), commit), snapshot))
        .withId(freeId(models, name.toString()));
  }

  private ModelSource model(String id, Path place) throws IOException {
    if (!LucidrainsCheckpoint.isFile(place)) {
      return ModelSource.of(id, place);
    }
    if (size == null) {
      throw new BadInputException(
          "%s is a checkpoint, which does not say how large the images are; give --size HxW.",
          place);
    }
    return ModelSource.ofCheckpoint(
        id,
        place,
        BadInputException.check(() -> new Unet2D.ImageSize(size.height(), size.width())));
  }

  /** What a folder is called; the root of a file system has no name. */
  static String name(Path folder) {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? "root" : name.toString();
  }

  /** The name itself, or with a number where another model has it. */
  private static String freeId(List<ModelSource> models, String name) {
    String id = name;
    for (int i = 2; isTaken(models, id); i++) {
      id = name + "-" + i;
    }
    return id;
  }

  private static boolean isTaken(List<ModelSource> models, String id) {
    return models.stream().anyMatch(model -> model.id().equals(id));
  }
}
