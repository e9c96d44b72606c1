package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.hub.HubCache;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.runs.RunCatalogue;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;

/** The models that clients may draw with. */
final class Models {

  private static final String RUNS = "runs/";

  private final List<ModelSource> named;
  private final Optional<RunCatalogue> runs;
  private final Optional<Path> hubCache;
  private final ModelShelf shelf;

  /**
   * Some models.
   *
   * @param named those that the service was started with, the first of which is the usual one
   * @param runs whose models may be used, too, if any
   * @param hubCache the folder of the Hugging Face hub's cache, whose pipelines may be used, too
   * @param shelf that lends them
   */
  Models(
      List<ModelSource> named,
      Optional<RunCatalogue> runs,
      Optional<Path> hubCache,
      ModelShelf shelf) {
    this.named = List.copyOf(named);
    this.runs = runs;
    this.hubCache = hubCache;
    this.shelf = shelf;
  }

  /** Reads the usual model, so that nobody waits for it. */
  void warmUp() throws IOException {
    shelf.lease(named.get(0)).close();
  }

  /** A model by its id, the usual one if there is none. */
  ModelSource find(Optional<String> id) throws IOException {
    if (id.isEmpty()) {
      return named.get(0);
    }
    for (ModelSource source : named) {
      if (source.id().equals(id.get())) {
        return source;
      }
    }
    if (runs.isPresent() && id.get().startsWith(RUNS)) {
      Optional<RunCatalogue.Run> run = runs.get().find(id.get().substring(RUNS.length()));
      if (run.isPresent()) {
        return ModelSource.of(id.get(), run.get().path());
      }
    }
    for (ModelSource source : ofHub()) {
      if (source.id().equals(id.get())) {
        return source;
      }
    }
    throw new Refusal(404, "There is no model of this name; /v1/models lists them.");
  }

  /** Pipelines of the hub's cache that denoise pixels; nothing is downloaded. */
  private List<ModelSource> ofHub() throws IOException {
    return hubCache.isEmpty()
        ? List.of()
        : HubCache.models(hubCache.get()).stream()
            .filter(cached -> PipelineFolder.isPipeline(cached.snapshot()))
            .filter(cached -> PipelineFolder.autoencoder(cached.snapshot()).isEmpty())
            .map(ModelSource::of)
            .toList();
  }

  /** Lends a model; what is wrong with its files is told to the client. */
  ModelShelf.Lease lease(ModelSource source) {
    try {
      return shelf.lease(source);
    } catch (IOException e) {
      throw new Refusal(409, "The model %s cannot be read: %s", source.id(), e.getMessage());
    }
  }

  /** All models that can be drawn with now. */
  ObjectNode toJson() throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode models = json.putArray("models");
    for (ModelSource source : named) {
      models.add(describe(source));
    }
    if (runs.isPresent()) {
      for (RunCatalogue.Run run : runs.get().list().runs()) {
        RunFolder folder = new RunFolder(run.path());
        if (!folder.checkpoints().all().isEmpty() || folder.hasAverageOnly()) {
          models.add(ofRun(RUNS + run.name(), run.config().model()));
        }
      }
    }
    for (ModelSource source : ofHub()) {
      // One that the service was started with is there already.
      if (named.stream().noneMatch(one -> one.hubName().equals(source.hubName()))) {
        ofPipeline(source).ifPresent(models::add);
      }
    }
    return json;
  }

  /** Of a pipeline as its files describe it, without its weights, which may be large. */
  private static Optional<ObjectNode> ofPipeline(ModelSource source) {
    Path folder = source.folder().orElseThrow();
    try {
      DiffusersScheduler scheduler = PipelineFolder.readScheduler(folder);
      UnetConfig network =
          UnetFolder.readConfig(PipelineFolder.unet(folder).resolve(UnetFolder.CONFIG));
      if (!(network instanceof Unet2D config) || config.images().size() == null) {
        return Optional.empty();
      }
      Unet2D.ImageSize size = config.images().size();
      ObjectNode json =
          describe(
              source.id(),
              source.kind(),
              new ImageShape(network.inChannels(), size.height(), size.width()),
              classes(
                  PipelineFolder.readClassNames(folder),
                  network.classEmbeddings(),
                  OptionalInt.empty()),
              false,
              scheduler.timesteps());
      json.put("sampler", scheduler.sampler().type().toString());
      return Optional.of(json);
    } catch (IOException | RuntimeException e) {
      // One that is not whole, or that cannot be drawn with here.
      return Optional.empty();
    }
  }

  private ObjectNode describe(ModelSource source) throws IOException {
    if (source.kind() == ModelSource.Kind.RUN) {
      return ofRun(source.id(), new RunFolder(source.folder().orElseThrow()).readConfig().model());
    }
    try (ModelShelf.Lease lease = lease(source)) {
      DiffusionModel model = lease.model();
      ObjectNode json =
          describe(
              source.id(),
              source.kind(),
              model.shape(),
              classes(
                  model.classNames(), model.unet().config().classEmbeddings(), model.nullClass()),
              model.nullClass().isPresent() && model.isClassConditional(),
              model.schedule().timesteps());
      json.put("sampler", model.defaultSampler().config().type().toString());
      json.put("parameters", model.unet().parameters().count());
      return json;
    }
  }

  private static ObjectNode ofRun(String id, ModelDescription model) {
    int rows = model.network().classEmbeddings();
    ObjectNode json =
        describe(
            id,
            ModelSource.Kind.RUN,
            model.shape(),
            classes(model.classNames(), rows, model.nullClass()),
            model.nullClass().isPresent() && rows > 0,
            model.schedule().timesteps());
    json.put(
        "sampler", DefaultSampler.typeFor(model.parameterization(), model.network()).toString());
    return json;
  }

  private static ObjectNode describe(
      String id,
      ModelSource.Kind kind,
      ImageShape shape,
      List<String> classes,
      boolean guidable,
      int timesteps) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("id", id);
    json.put("kind", kind.toString());
    json.put("channels", shape.channels());
    json.put("height", shape.height());
    json.put("width", shape.width());
    ArrayNode names = json.putArray("classes");
    classes.forEach(names::add);
    json.put("guidable", guidable);
    json.put("timesteps", timesteps);
    return json;
  }

  /** The names of all classes but none; numbers where they have no names. */
  private static List<String> classes(List<String> names, int rows, OptionalInt none) {
    if (rows == 0) {
      return List.of();
    }
    if (!names.isEmpty()) {
      return names;
    }
    List<String> numbers = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      if (row != none.orElse(-1)) {
        numbers.add(Integer.toString(row));
      }
    }
    return numbers;
  }
}
