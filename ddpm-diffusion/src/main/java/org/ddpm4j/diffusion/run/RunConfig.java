package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Objects;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.unet.UnetConfig;
import org.ddpm4j.unet.UnetFolder;

/**
 * Everything that decides the result of a run.
 *
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
    String version,
    UnetConfig model,
    long initialWeightsSeed,
    ScheduleConfig schedule,
    TrainingConfig training,
    BatchConfig batches,
    DataDescription data,
    long checkpointEvery,
    long sampleEvery) {

  /** Whether training images are mirrored. */
  public enum Flip {
    /** Never. */
    @JsonProperty("none")
    NONE,
    /** Left and right are exchanged in half of the images, by chance. */
    @JsonProperty("random")
    RANDOM
  }

  /**
   * How images are drawn.
   *
   * @param batchSize images per step, at least 1
   * @param shuffleSeed of order and flips
   * @param flip whether images are mirrored
   */
  public record BatchConfig(int batchSize, long shuffleSeed, Flip flip) {

    /** Checks the ranges. */
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
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  /** Checks that the parts fit each other. */
  public RunConfig {
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
    model.checkImageSize(data.shape().height(), data.shape().width());
  }

  /** All but the model, whose JSON is that of a model folder. */
  private record Stored(
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
      Stored stored = JSON.treeToValue(object, Stored.class);
      return new RunConfig(
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
          "%s has the field %s, which is unknown here; the fields are %s."
              .formatted(source, e.getPropertyName(), e.getKnownPropertyIds()),
          e);
    } catch (ValueInstantiationException e) {
      throw new IOException("%s: %s".formatted(source, e.getCause().getMessage()), e);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("");
      throw new IOException(
          "%s is not the JSON of a run: %s.".formatted(source, reason.replaceAll("[.\\s]+$", "")),
          e);
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new IOException("%s is not valid: %s".formatted(source, e.getMessage()), e);
    }
  }
}
