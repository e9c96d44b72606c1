package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.studio.runs.CsvColumns;
import org.ddpm4j.studio.runs.ImageUploads;
import org.ddpm4j.studio.runs.LossTable;
import org.ddpm4j.studio.runs.RunCatalogue;
import org.ddpm4j.studio.runs.RunProgress;
import org.ddpm4j.studio.runs.TrainingProcesses;

/** Trainings, over HTTP. Reads files: not for a connection's thread. */
final class Runs implements AutoCloseable {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);
  private static final String NO_FOLDER =
      "The training was ended from outside, and there is no folder of it.";
  private static final String STOPPED_EARLY =
      "The training was stopped before it had saved anything; begin it anew.";

  private final RunCatalogue catalogue;
  private final TrainingProcesses processes;
  private final StudioOptions options;
  private final ImageUploads images;
  private final Uploads uploads;

  Runs(RunCatalogue catalogue, StudioOptions options) {
    this.catalogue = catalogue;
    this.options = options;
    processes = new TrainingProcesses(catalogue.folder(), options.launcher());
    images = new ImageUploads(options.uploads());
    uploads = new Uploads(images, options.dataSets().keySet());
  }

  Uploads uploads() {
    return uploads;
  }

  /** All data sets: known ones, folders that the studio was given, and uploaded ones. */
  ObjectNode dataSets() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode all = json.putArray("datasets");
    for (String name : options.dataSets().keySet()) {
      all.addObject().put("name", name).put("uploaded", false);
    }
    images.all().forEach(dataSet -> all.add(Uploads.toJson(dataSet)));
    return json;
  }

  /** Removes uploaded images, unless a training of ours uses them. */
  void removeDataSet(String name) throws IOException {
    uploads.require(name);
    for (String run : processes.names()) {
      if (processes.isRunning(run) && dataSetOf(run).equals(name)) {
        throw new Refusal(
            409, "The run %s is trained on them; remove them when it has ended.", run);
      }
    }
    images.remove(name);
  }

  /** What {@code ddpm train} is told to train on a data set. */
  private Optional<List<String>> dataOptions(String dataSet) throws IOException {
    List<String> known = options.dataSets().get(dataSet);
    return known != null
        ? Optional.of(known)
        : images
            .find(dataSet)
            .map(folder -> List.of("--dataset", "folder", "--data", folder.toString()));
  }

  private List<String> dataSetNames() throws IOException {
    List<String> names = new ArrayList<>(options.dataSets().keySet());
    images.all().forEach(dataSet -> names.add(dataSet.name()));
    return names;
  }

  ObjectNode list() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode names = json.putArray("datasets");
    dataSetNames().forEach(names::add);
    ArrayNode runs = json.putArray("runs");
    Set<String> others = new LinkedHashSet<>(processes.names());
    RunCatalogue.Listing listing = catalogue.list();
    for (RunCatalogue.Run run : listing.runs()) {
      others.remove(run.name());
      runs.add(describe(run));
    }
    for (RunCatalogue.Damaged run : listing.damaged()) {
      others.remove(run.name());
      runs.add(failed(run.name(), run.reason()));
    }
    // Those whose process has not made their folder yet, or refused to; folders may be removed,
    // too.
    for (String name : others) {
      if (processes.isRunning(name)) {
        runs.insertObject(0).put("name", name).put("state", "beginning").put("ours", true);
      } else {
        processes
            .failure(name)
            .or(
                () ->
                    processes.isEndedBySignal(name) ? Optional.of(whyGone(name)) : Optional.empty())
            .ifPresent(why -> runs.insert(0, failed(name, why)));
      }
    }
    return json;
  }

  private String whyGone(String name) {
    return processes.isAskedToEnd(name) ? STOPPED_EARLY : NO_FOLDER;
  }

  private ObjectNode failed(String name, String reason) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("name", name)
        .put("state", "failed")
        .put("ours", processes.names().contains(name))
        .put("detail", reason);
  }

  private ObjectNode describe(RunCatalogue.Run run) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    boolean ours = processes.isRunning(run.name());
    RunCatalogue.State state = ours ? RunCatalogue.State.RUNNING : run.state();
    boolean isPaused = state == RunCatalogue.State.STOPPED && processes.isPaused(run.name());
    json.put("name", run.name());
    json.put("state", isPaused ? "paused" : state.toString());
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
    run.distances().ifPresent(columns -> json.set("distances", toJson(columns)));
    run.bound().ifPresent(columns -> json.set("bound", toJson(columns)));
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

  private static ObjectNode toJson(CsvColumns columns) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    columns
        .values()
        .forEach(
            (title, values) -> {
              ArrayNode array = json.putArray(title);
              values.forEach(value -> add(array, value));
            });
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
    Optional<RunCatalogue.Run> run = catalogue.find(name);
    if (run.isEmpty()) {
      throw new Refusal(
          404,
          catalogue
              .damage(name)
              .map(RunCatalogue.Damaged::reason)
              .orElse("There is no run of this name; /v1/runs lists them."));
    }
    return run.get();
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
    JsonFields fields = new JsonFields(body).requireKnown(TrainingArguments.FIELDS);
    String dataSet = chosenDataSet(fields);
    String name = newName(fields, dataSet);
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--run", catalogue.folder().resolve(name).toString()));
    arguments.addAll(
        dataOptions(dataSet)
            .orElseThrow(() -> new Refusal(409, "The data set was removed meanwhile.")));
    arguments.addAll(TrainingArguments.of(fields));
    start(name, dataSet, arguments);
    return JsonNodeFactory.instance.objectNode().put("name", name);
  }

  private String chosenDataSet(JsonFields fields) throws IOException {
    String[] known = dataSetNames().toArray(String[]::new);
    return fields
        .choice("dataset", known)
        .orElseThrow(
            () ->
                new Refusal(
                    400,
                    "The field dataset is missing; it is one of %s.",
                    String.join(", ", known)));
  }

  /** What a run is to be called, which no other is; the data set and the time unless said. */
  private String newName(JsonFields fields, String dataSet) throws IOException {
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
    if (options.isReserved(name)) {
      throw new Refusal(
          400,
          "The field name must be none of the studio's own files: uploads, and what ends with .log or .dataset.");
    }
    if (catalogue.find(name).isPresent() || catalogue.damage(name).isPresent()) {
      throw new Refusal(409, "There is a run of this name already; choose another.");
    }
    return name;
  }

  private synchronized void start(String name, String dataSet, List<String> arguments)
      throws IOException {
    try {
      processes.requireNoneRunning();
      // First, since a training must not run of which the client was told that it could not begin.
      note(name, dataSet);
      processes.start(name, arguments);
    } catch (IllegalStateException e) {
      throw new Refusal(409, e.getMessage());
    }
  }

  private void note(String name, String dataSet) {
    try {
      Folders.create(catalogue.folder());
      AtomicFile.writeString(dataSetFile(name), dataSet + "\n");
    } catch (IOException e) {
      throw new Refusal(507, e.getMessage());
    }
  }

  /** Says on what a run of ours is trained, which a folder's own run does not say. */
  private Path dataSetFile(String name) {
    return catalogue.folder().resolve(name + ".dataset");
  }

  private String dataSetOf(String name) throws IOException {
    Path file = dataSetFile(name);
    return Files.isRegularFile(file) && Files.size(file) <= 1000
        ? Files.readString(file).strip()
        : "";
  }

  /** Asks a training to save and end. */
  void stop(String name) throws IOException {
    end(name, processes.stop(name));
  }

  /** Asks a training to save and end, to go on later to its planned end. */
  void pause(String name) throws IOException {
    end(name, processes.pause(name));
  }

  private void end(String name, boolean isEnding) throws IOException {
    if (!isEnding) {
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
    List<String> arguments = new ArrayList<>(List.of("--resume", run.path().toString()));
    fields
        .number("minutes", 0, TrainingArguments.MOST_MINUTES)
        .ifPresent(minutes -> arguments.addAll(List.of("--time-limit", Double.toString(minutes))));
    String dataSet = dataSetOf(name);
    List<String> data = dataOptions(dataSet).orElse(List.of());
    int place = data.indexOf("--data");
    if (place >= 0) {
      arguments.addAll(data.subList(place, place + 2));
    }
    start(name, dataSet, arguments);
    return JsonNodeFactory.instance.objectNode().put("name", name);
  }

  @Override
  public void close() {
    processes.close();
  }
}
