package org.ddpm4j.diffusion.run;

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
import java.util.Objects;
import java.util.stream.Collectors;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * Everything that decides the result of a run.
 *
 * @param format of the run, which says how it draws its random numbers, 1 to {@link #FORMAT}
 * @param version of ddpm4j that began it
 * @param model the network
 * @param initialWeightsSeed of the network's first weights
 * @param schedule the noise
 * @param training how it is trained
 * @param batches how images are drawn
 * @param data what it is trained on
 * @param checkpointEvery steps between two checkpoints, at least 1
 * @param sampleEvery steps between two grids of samples, at least 1
 */
public record RunConfig(
    int format,
    String version,
    UnetConfig model,
    long initialWeightsSeed,
    ScheduleConfig schedule,
    TrainingConfig training,
    BatchConfig batches,
    DataDescription data,
    long checkpointEvery,
    long sampleEvery) {

  /**
   * The format of new runs: that of their checkpoints. A configuration that names none is of format
   * 1.
   */
  public static final int FORMAT = Checkpoint.VERSION;

  /**
   * How images are drawn.
   *
   * @param batchSize images per step, at least 1
   * @param shuffleSeed of order and flips
   * @param flip whether images are mirrored
   */
  public record BatchConfig(int batchSize, long shuffleSeed, HorizontalFlip flip) {

    /**
     * Checks the ranges.
     *
     * @param batchSize images per step
     * @param shuffleSeed of order and flips
     * @param flip whether images are mirrored
     * @throws IllegalArgumentException if one is out of range
     */
    public BatchConfig {
      if (batchSize < 1) {
        throw new IllegalArgumentException(
            "The batch size is %d; it must be at least 1.".formatted(batchSize));
      }
      Objects.requireNonNull(flip, "flip");
    }
  }

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

  /**
   * Checks that the parts fit each other.
   *
   * @param format of the run
   * @param version of ddpm4j that began it
   * @param model the network
   * @param initialWeightsSeed of the network's first weights
   * @param schedule the noise
   * @param training how it is trained
   * @param batches how images are drawn
   * @param data what it is trained on
   * @param checkpointEvery steps between two checkpoints
   * @param sampleEvery steps between two grids of samples
   * @throws IllegalArgumentException if they do not
   */
  public RunConfig {
    if (format < 1 || format > FORMAT) {
      throw new IllegalArgumentException(
          "The run has the format %d, but this version knows 1 to %d; use the ddpm4j that began it or a newer one."
              .formatted(format, FORMAT));
    }
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(training, "training");
    Objects.requireNonNull(batches, "batches");
    Objects.requireNonNull(data, "data");
    if (checkpointEvery < 1 || sampleEvery < 1) {
      throw new IllegalArgumentException(
          "Checkpoints every %d steps and samples every %d are not possible; both must be at least 1."
              .formatted(checkpointEvery, sampleEvery));
    }
    if (model.inChannels() != data.shape().channels()) {
      throw new IllegalArgumentException(
          "The network takes images of %d channels, but those of %s have %d; set the network's channels to that."
              .formatted(model.inChannels(), data.name(), data.shape().channels()));
    }
    training.objective().checkNetwork(model);
    training.objective().create(schedule.create());
    model.checkImageSize(data.shape().height(), data.shape().width());
  }

  /**
   * A new run.
   *
   * @param version of ddpm4j that begins it
   * @param model the network
   * @param initialWeightsSeed of the network's first weights
   * @param schedule the noise
   * @param training how it is trained
   * @param batches how images are drawn
   * @param data what it is trained on
   * @param checkpointEvery steps between two checkpoints
   * @param sampleEvery steps between two grids of samples
   * @throws IllegalArgumentException if they do not fit each other
   */
  public RunConfig(
      String version,
      UnetConfig model,
      long initialWeightsSeed,
      ScheduleConfig schedule,
      TrainingConfig training,
      BatchConfig batches,
      DataDescription data,
      long checkpointEvery,
      long sampleEvery) {
    this(
        FORMAT,
        version,
        model,
        initialWeightsSeed,
        schedule,
        training,
        batches,
        data,
        checkpointEvery,
        sampleEvery);
  }

  /** All but the model, whose JSON is that of a model folder. */
  private record Stored(
      int format,
      @JsonProperty("ddpm4j_version") String version,
      long initialWeightsSeed,
      ScheduleConfig schedule,
      TrainingConfig training,
      BatchConfig batches,
      DataDescription data,
      long checkpointEvery,
      long sampleEvery) {}

  /**
   * As JSON.
   *
   * @return an object, indented
   */
  public String toJson() {
    try {
      Stored stored =
          new Stored(
              format,
              version,
              initialWeightsSeed,
              schedule,
              training,
              batches,
              data,
              checkpointEvery,
              sampleEvery);
      ObjectNode json = JSON.valueToTree(stored);
      json.set("model", JSON.readTree(UnetFolder.configToJson(model)));
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A run's configuration could not become JSON.", e);
    }
  }

  /**
   * From JSON.
   *
   * @param text the object
   * @param source where it comes from, for messages
   * @return the configuration
   * @throws IOException if it is not the configuration of a run
   */
  static RunConfig fromJson(String text, String source) throws IOException {
    try {
      JsonNode json = JSON.readTree(text);
      if (!(json instanceof ObjectNode object) || !object.path("model").isObject()) {
        throw new IOException(
            "%s is not the configuration of a run: it has no model; restore the file that the run began with."
                .formatted(source));
      }
      UnetConfig model =
          UnetFolder.configFromJson(object.remove("model").toString(), source + ", model");
      upgrade(object);
      Stored stored = JSON.treeToValue(object, Stored.class);
      return new RunConfig(
          stored.format(),
          stored.version(),
          model,
          stored.initialWeightsSeed(),
          stored.schedule(),
          stored.training(),
          stored.batches(),
          stored.data(),
          stored.checkpointEvery(),
          stored.sampleEvery());
    } catch (UnrecognizedPropertyException e) {
      throw new IOException(
          "%s has the field %s, which is unknown here; the fields beside it are %s."
              .formatted(source, path(e), e.getKnownPropertyIds()),
          e);
    } catch (ValueInstantiationException e) {
      throw invalid(source, path(e), e.getCause());
    } catch (JsonMappingException e) {
      throw new IOException(
          "%s is not the configuration of a run: its field %s is missing or cannot be read (%s); restore the file that the run began with."
              .formatted(source, path(e), firstLine(e)),
          e);
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s is not JSON (%s); restore the file that the run began with."
              .formatted(source, firstLine(e)),
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
          "%s is not the configuration of a run: its field %s is missing; restore the file that the run began with."
              .formatted(source, field),
          cause);
    }
    return new IOException("%s: %s".formatted(source, cause.getMessage()), cause);
  }

  /** Where in the JSON the trouble is, {@code training.optimizer.beta1} for example. */
  private static String path(JsonMappingException e) {
    return e.getPath().stream()
        .map(JsonMappingException.Reference::getFieldName)
        .filter(Objects::nonNull)
        .collect(Collectors.joining("."));
  }

  private static String firstLine(JsonProcessingException e) {
    return e.getOriginalMessage().lines().findFirst().orElse("").replaceAll("[.\\s]+$", "");
  }
}
