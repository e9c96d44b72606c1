package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.studio.runs.LossTable;
import org.ddpm4j.studio.runs.RunCatalogue;
import org.ddpm4j.studio.runs.RunProgress;
import org.ddpm4j.studio.runs.TrainingProcesses;

/** Trainings, over HTTP. Reads files: not for a connection's thread. */
final class Runs implements AutoCloseable {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);
  private static final int MOST_MINUTES = 7 * 24 * 60;
  private static final int DEFAULT_MINUTES = 5;
  private static final Set<String> FIELDS =
      Set.of(
          "name",
          "dataset",
          "minutes",
          "steps",
          "batch_size",
          "learning_rate",
          "schedule",
          "class_conditional",
          "seed");

  private final RunCatalogue catalogue;
  private final TrainingProcesses processes;
  private final StudioOptions options;

  Runs(RunCatalogue catalogue, StudioOptions options) {
    this.catalogue = catalogue;
    this.options = options;
    processes = new TrainingProcesses(catalogue.folder(), options.launcher());
  }

  ObjectNode list() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode names = json.putArray("datasets");
    options.dataSets().keySet().forEach(names::add);
    ArrayNode runs = json.putArray("runs");
    List<String> beginning = new ArrayList<>(processes.names());
    for (RunCatalogue.Run run : catalogue.all()) {
      beginning.remove(run.name());
      runs.add(describe(run));
    }
    // Those whose process has not made their folder yet, or refused to.
    for (String name : beginning) {
      ObjectNode begun = runs.insertObject(0);
      begun.put("name", name);
      begun.put("state", processes.isRunning(name) ? "beginning" : "failed");
      begun.put("ours", true);
      processes.failure(name).ifPresent(why -> begun.put("detail", why));
    }
    return json;
  }

  private ObjectNode describe(RunCatalogue.Run run) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    boolean ours = processes.isRunning(run.name());
    RunCatalogue.State state = ours ? RunCatalogue.State.RUNNING : run.state();
    json.put("name", run.name());
    json.put("state", state.toString());
    json.put("ours", ours);
    json.put("step", run.step());
    json.put("steps", run.steps());
    json.put("changed", run.changed().toString());
    json.put("data", run.config().data().name());
    json.put("images", run.config().data().trainingImages());
    json.put("image_shape", run.config().model().shape().toString());
    processes.failure(run.name()).ifPresent(why -> json.put("detail", why));
    if (state == RunCatalogue.State.RUNNING && run.progress().isPresent()) {
      RunProgress progress = run.progress().get();
      json.put("images_per_second", progress.imagesPerSecond());
      json.put("seconds_left", progress.secondsLeft());
      if (progress.loss() != null) {
        json.put("loss", progress.loss());
      }
    }
    return json;
  }

  ObjectNode one(String name) throws IOException {
    RunCatalogue.Run run = find(name);
    ObjectNode json = describe(run);
    ArrayNode grids = json.putArray("grids");
    catalogue.grids(run).forEach(grids::add);
    json.set("losses", toJson(run.losses()));
    json.set("config", config(run.config()));
    return json;
  }

  private static ObjectNode config(RunConfig config) throws IOException {
    return (ObjectNode) Exchange.JSON.readTree(config.toJson());
  }

  private static ObjectNode toJson(LossTable losses) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode step = json.putArray("step");
    ArrayNode loss = json.putArray("loss");
    ArrayNode validation = json.putArray("validation_loss");
    ArrayNode rate = json.putArray("learning_rate");
    for (LossTable.Row row : losses.rows()) {
      step.add(row.step());
      add(loss, row.loss());
      add(validation, row.validationLoss());
      add(rate, row.learningRate());
    }
    return json;
  }

  private static void add(ArrayNode array, double value) {
    if (Double.isFinite(value)) {
      array.add(value);
    } else {
      array.addNull();
    }
  }

  private RunCatalogue.Run find(String name) throws IOException {
    return catalogue
        .find(name)
        .orElseThrow(() -> new Refusal(404, "There is no run of this name; /v1/runs lists them."));
  }

  byte[] grid(String name, String step) throws IOException {
    Optional<byte[]> png =
        step.matches("\\d{1,18}\\.png")
            ? catalogue.grid(find(name), Long.parseLong(step.replace(".png", "")))
            : Optional.empty();
    return png.orElseThrow(() -> new Refusal(404, "There is no grid of samples of this step."));
  }

  /** Begins a training. */
  ObjectNode begin(JsonNode body) throws IOException {
    JsonFields fields = new JsonFields(body).requireKnown(FIELDS);
    String[] known = options.dataSets().keySet().toArray(String[]::new);
    String dataSet =
        fields
            .choice("dataset", known)
            .orElseThrow(
                () ->
                    new Refusal(
                        400,
                        String.format(
                            Locale.ROOT,
                            "The field dataset is missing; it is one of %s.",
                            String.join(", ", known))));
    String name =
        fields
            .text("name", 60)
            .orElseGet(
                () -> dataSet + "-" + LocalDateTime.now(ZoneId.systemDefault()).format(TIME));
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new Refusal(
          400,
          "The field name must be letters, digits, dots, dashes and underscores, and begin with a letter or digit.");
    }
    if (catalogue.find(name).isPresent()) {
      throw new Refusal(409, "There is a run of this name already; choose another.");
    }
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--run", catalogue.folder().resolve(name).toString()));
    arguments.addAll(options.dataSets().get(dataSet));
    String minutes =
        Double.toString(fields.number("minutes", 0, MOST_MINUTES).orElse(DEFAULT_MINUTES));
    OptionalLong steps = fields.wholeNumber("steps", 1, 100_000_000);
    // Without steps the program measures the machine and plans a training of so many minutes.
    arguments.addAll(
        steps.isPresent()
            ? List.of("--steps", Long.toString(steps.getAsLong()), "--time-limit", minutes)
            : List.of("--minutes", minutes));
    fields
        .wholeNumber("batch_size", 1, 4096)
        .ifPresent(size -> arguments.addAll(List.of("--batch-size", Long.toString(size))));
    fields
        .number("learning_rate", 1e-9, 1)
        .ifPresent(rate -> arguments.addAll(List.of("--learning-rate", Double.toString(rate))));
    fields
        .wholeNumber("seed", 0, Long.MAX_VALUE)
        .ifPresent(seed -> arguments.addAll(List.of("--seed", Long.toString(seed))));
    fields
        .choice("schedule", scheduleNames())
        .ifPresent(schedule -> arguments.addAll(List.of("--schedule", schedule)));
    if (fields.flag("class_conditional")) {
      arguments.add("--class-conditional");
    }
    start(name, arguments);
    return JsonNodeFactory.instance.objectNode().put("name", name);
  }

  private static String[] scheduleNames() {
    return Arrays.stream(ScheduleType.values()).map(OpenApi::spelling).toArray(String[]::new);
  }

  private void start(String name, List<String> arguments) throws IOException {
    try {
      processes.start(name, arguments);
    } catch (IllegalStateException e) {
      throw new Refusal(409, e.getMessage());
    }
  }

  /** Asks a training to save and end. */
  void stop(String name) throws IOException {
    if (!processes.stop(name)) {
      find(name);
      throw new Refusal(
          409,
          "This run is not trained from here; if it is trained elsewhere, stop it there by Ctrl-C.");
    }
  }

  /** Goes on with a training. */
  ObjectNode resume(String name, JsonNode body) throws IOException {
    JsonFields fields = new JsonFields(body).requireKnown(Set.of("minutes"));
    RunCatalogue.Run run = find(name);
    if (run.state() == RunCatalogue.State.RUNNING) {
      throw new Refusal(409, "This run is being trained already.");
    }
    start(
        name,
        List.of(
            "--resume",
            run.path().toString(),
            "--time-limit",
            Double.toString(fields.number("minutes", 0, MOST_MINUTES).orElse(DEFAULT_MINUTES))));
    return JsonNodeFactory.instance.objectNode().put("name", name);
  }

  @Override
  public void close() {
    processes.close();
  }
}
