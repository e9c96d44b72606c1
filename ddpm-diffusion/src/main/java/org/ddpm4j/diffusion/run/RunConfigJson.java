package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.io.DiffusersFields;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * The JSON of a {@link RunConfig}. In a run that was trained here, what the network predicts and
 * whether it has a null class follow from the objective; in any other, {@code parameterization} and
 * {@code null_class} say it.
 */
final class RunConfigJson {

  private static final String MODEL = "model";

  /** What configurations of our own networks have. */
  private static final String KIND_OF_NETWORK = "_model";

  private static final String PARAMETERIZATION = "parameterization";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private RunConfigJson() {}

  /** A run that was trained here, all but the network, whose JSON is that of a model folder. */
  private record Trained(
      int format,
      @JsonProperty("ddpm4j_version") String version,
      long initialWeightsSeed,
      @JsonInclude(JsonInclude.Include.NON_NULL) InitialWeights initialWeights,
      ScheduleConfig schedule,
      TrainingConfig training,
      TrainingDescription.BatchConfig batches,
      Images data,
      long checkpointEvery,
      long sampleEvery,
      // Runs of before it was kept do not say it.
      @JsonInclude(JsonInclude.Include.NON_NULL) Integer sampleSteps,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Long> earlierSteps) {

    RunConfig with(UnetConfig network) {
      // In the order in which people read the file.
      Objects.requireNonNull(schedule, "schedule");
      TrainingDescription description =
          new TrainingDescription(
              initialWeightsSeed,
              Optional.ofNullable(initialWeights),
              training,
              batches,
              checkpointEvery,
              sampleEvery,
              sampleSteps == null ? OptionalInt.empty() : OptionalInt.of(sampleSteps),
              Objects.requireNonNullElse(earlierSteps, List.of()));
      Objects.requireNonNull(data, "data");
      ModelDescription model =
          ModelDescription.of(
              network,
              training.objective(),
              schedule,
              data.shape(),
              data.normalization(),
              data.classNames());
      return new RunConfig(format, version, model, data.description(), Optional.of(description));
    }
  }

  /** A run of a model that came from elsewhere, all but the network. */
  private record Untrained(
      int format,
      @JsonProperty("ddpm4j_version") String version,
      ScheduleConfig schedule,
      Parameterization parameterization,
      @JsonInclude(JsonInclude.Include.NON_NULL) Integer nullClass,
      Images data) {

    RunConfig with(UnetConfig network) {
      Objects.requireNonNull(schedule, "schedule");
      Objects.requireNonNull(data, "data");
      ModelDescription model =
          new ModelDescription(
              network,
              parameterization,
              schedule,
              data.shape(),
              data.normalization(),
              data.classNames(),
              nullClass == null ? OptionalInt.empty() : OptionalInt.of(nullClass));
      return new RunConfig(format, version, model, data.description(), Optional.empty());
    }
  }

  /** What the model learned, and what the images are like that it draws therefore. */
  private record Images(
      @JsonProperty(value = "name", required = true) String name,
      @JsonProperty("source") String source,
      @JsonProperty(value = "fingerprint", required = true) String fingerprint,
      @JsonProperty("training_images") int trainingImages,
      @JsonProperty("validation_images") int validationImages,
      @JsonProperty(value = "shape", required = true) ImageShape shape,
      @JsonProperty("normalization") Normalization normalization,
      @JsonProperty("selection") DataDescription.Selection selection,
      @JsonProperty("class_names") List<String> classNames) {

    Images {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(fingerprint, "fingerprint");
      Objects.requireNonNull(shape, "shape");
      // Runs that were begun before there was a choice do not say them.
      normalization = Objects.requireNonNullElse(normalization, Normalization.SYMMETRIC);
      selection = Objects.requireNonNullElse(selection, DataDescription.Selection.ALL);
      classNames = List.copyOf(Objects.requireNonNullElse(classNames, List.of()));
      normalization.requireChannels(shape.channels());
    }

    static Images of(RunConfig config) {
      DataDescription data = config.data();
      return new Images(
          data.name(),
          data.source(),
          data.fingerprint(),
          data.trainingImages(),
          data.validationImages(),
          config.model().shape(),
          config.model().normalization(),
          data.selection(),
          config.model().classNames());
    }

    DataDescription description() {
      return new DataDescription(
          name, source, fingerprint, trainingImages, validationImages, selection);
    }
  }

  static String write(RunConfig config) {
    try {
      ObjectNode json = JSON.valueToTree(stored(config));
      json.set(MODEL, JSON.readTree(UnetFolder.configToJson(config.model().network())));
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A run's configuration could not become JSON.", e);
    }
  }

  private static Record stored(RunConfig config) {
    ModelDescription model = config.model();
    if (config.training().isEmpty()) {
      return new Untrained(
          config.format(),
          config.version(),
          model.schedule(),
          model.parameterization(),
          model.nullClass().isPresent() ? (Integer) model.nullClass().getAsInt() : null,
          Images.of(config));
    }
    TrainingDescription training = config.training().get();
    return new Trained(
        config.format(),
        config.version(),
        training.initialWeightsSeed(),
        training.initialWeights().orElse(null),
        model.schedule(),
        training.config(),
        training.batches(),
        Images.of(config),
        training.checkpointEvery(),
        training.sampleEvery(),
        training.sampleSteps().isPresent() ? (Integer) training.sampleSteps().getAsInt() : null,
        training.earlierSteps());
  }

  static RunConfig read(String text, String source) throws IOException {
    try {
      JsonNode json = JSON.readTree(text);
      if (json.has(DiffusersFields.CLASS_NAME) || json.has(KIND_OF_NETWORK)) {
        throw new IOException(
            Text.format(
                "%s is the configuration of a network and not of a run; name the folder that train made or, with its weights in this one, give it as a model.",
                source));
      }
      if (!(json instanceof ObjectNode object) || !object.path(MODEL).isObject()) {
        throw new IOException(
            Text.format(
                "%s is not the configuration of a run: it has no model; name the folder that train made, or restore the file that the run began with.",
                source));
      }
      UnetConfig network =
          UnetFolder.configFromJson(object.remove(MODEL).toString(), source + ", model");
      upgrade(object);
      return object.has(PARAMETERIZATION)
          ? JSON.treeToValue(object, Untrained.class).with(network)
          : JSON.treeToValue(object, Trained.class).with(network);
    } catch (UnrecognizedPropertyException e) {
      throw new IOException(
          Text.format(
              "%s has the field %s, which is unknown here; the fields beside it are %s.",
              source, path(e), e.getKnownPropertyIds()),
          e);
    } catch (ValueInstantiationException e) {
      throw invalid(source, path(e), e.getCause());
    } catch (JsonMappingException e) {
      throw new IOException(
          Text.format(
              "%s is not the configuration of a run: its field %s is missing or cannot be read (%s); restore the file that the run began with.",
              source, path(e), StrictJson.problem(e)),
          e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format(
              "%s is not JSON (%s); restore the file that the run began with.",
              source, StrictJson.problem(e)),
          e);
    } catch (IllegalArgumentException | NullPointerException e) {
      throw invalid(source, "", e);
    }
  }

  /**
   * Runs of format 1 do not name it, and have one batch in a step; before there were objectives
   * their loss stands beside the optimiser.
   */
  private static void upgrade(ObjectNode json) {
    if (!json.has("format")) {
      json.put("format", 1);
    }
    if (!(json.path("training") instanceof ObjectNode training)) {
      return;
    }
    if (json.path("format").intValue() == 1 && !training.has("accumulate")) {
      training.put("accumulate", 1);
    }
    if (training.has("loss")) {
      ObjectNode objective = training.putObject("objective").put("label_dropout", 0.0);
      objective.set("loss", training.remove("loss"));
    }
  }

  /** What a compact constructor found; those of records name a missing part by its name alone. */
  private static IOException invalid(String source, String path, Throwable cause) {
    if (cause instanceof NullPointerException) {
      String field = path.isEmpty() ? cause.getMessage() : path + "." + cause.getMessage();
      return new IOException(
          Text.format(
              "%s is not the configuration of a run: its field %s is missing; restore the file that the run began with.",
              source, field),
          cause);
    }
    return new IOException(Text.format("%s: %s", source, cause.getMessage()), cause);
  }

  /** Where in the JSON the trouble is, {@code training.optimizer.beta1} for example. */
  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(JsonMappingException.Reference::getFieldName)
        .filter(Objects::nonNull)
        .collect(Collectors.joining("."));
  }
}
