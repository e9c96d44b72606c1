package org.ddpm4j.diffusion.run;

import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.io.Text;

/**
 * What the {@code config.json} of a run says: the model, what it was trained on and, where it was
 * trained here, how.
 *
 * @param format of the run, which says how it draws its random numbers, 1 to {@link #FORMAT}
 * @param version of ddpm4j that began it; may be null
 * @param model what sampling needs
 * @param data what the model is trained on
 * @param training how it is trained, everything that decides the result; empty where that is not
 *     known, as of a model that came from elsewhere
 */
public record RunConfig(
    int format,
    String version,
    ModelDescription model,
    DataDescription data,
    Optional<TrainingDescription> training) {

  /**
   * The format of new runs: that of their checkpoints. A configuration that names none is of format
   * 1.
   */
  public static final int FORMAT = Checkpoint.VERSION;

  /**
   * Checks that the parts fit each other.
   *
   * @throws IllegalArgumentException if they do not
   */
  public RunConfig {
    Objects.requireNonNull(training, "training");
    if (format < 1 || format > FORMAT) {
      throw new IllegalArgumentException(
          Text.format(
              "The run has the format %d, but this version knows 1 to %d; use the ddpm4j that began it or a newer one.",
              format, FORMAT));
    }
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(data, "data");
    if (training.isPresent()) {
      requireFit(model, training.get().config().objective());
      requireSampleSteps(training.get().sampleSteps(), model.schedule().timesteps());
    } else {
      // Whatever else was wanted of it: samplers need x0.
      ObjectiveConfig.requireX0(model.parameterization(), model.schedule().create());
    }
  }

  private static void requireSampleSteps(OptionalInt steps, int timesteps) {
    if (steps.orElse(1) > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "%d denoising steps are not possible; it takes 1 to %d, the length of the chain.",
              steps.getAsInt(), timesteps));
    }
  }

  private static void requireFit(ModelDescription model, ObjectiveConfig objective) {
    objective.checkNetwork(model.network());
    objective.check(model.schedule().create());
    if (objective.parameterization() != model.parameterization()
        || !ModelDescription.nullClass(model.network(), objective).equals(model.nullClass())) {
      throw new IllegalArgumentException(
          Text.format(
              "The model predicts %s with the null class %s, but is trained for %s; describe it by ModelDescription.of.",
              model.parameterization(), model.nullClass(), objective));
    }
  }

  /**
   * A new run.
   *
   * @param version of ddpm4j that begins it; may be null
   * @param model what sampling needs, see {@link ModelDescription#of}
   * @param data what the model is trained on
   * @param training how it is trained
   * @throws IllegalArgumentException if they do not fit each other
   */
  public RunConfig(
      String version, ModelDescription model, DataDescription data, TrainingDescription training) {
    this(FORMAT, version, model, data, Optional.of(Objects.requireNonNull(training, "training")));
  }

  /**
   * The run of a model that was not trained here.
   *
   * @param version of ddpm4j that writes it; may be null
   * @param model what sampling needs
   * @param data what is known of its training images, see {@link DataDescription#unseen}
   * @return the configuration
   * @throws IllegalArgumentException if nobody can sample from such a model
   */
  public static RunConfig untrained(String version, ModelDescription model, DataDescription data) {
    return new RunConfig(FORMAT, version, model, data, Optional.empty());
  }

  /**
   * The same run with another training.
   *
   * @param newTraining how it is trained
   * @return a new configuration
   * @throws IllegalArgumentException if it does not fit the model
   */
  public RunConfig withTraining(TrainingDescription newTraining) {
    return new RunConfig(format, version, model, data, Optional.of(newTraining));
  }

  /**
   * The same run on other images.
   *
   * @param newData what it is trained on
   * @return a new configuration
   */
  public RunConfig withData(DataDescription newData) {
    return new RunConfig(format, version, model, newData, training);
  }

  /**
   * As JSON.
   *
   * @return an object, indented
   */
  public String toJson() {
    return RunConfigJson.write(this);
  }

  /**
   * From JSON.
   *
   * @param text the object
   * @param source where it comes from, for messages
   * @return the configuration
   * @throws IOException if it is not the configuration of a run
   */
  public static RunConfig fromJson(String text, String source) throws IOException {
    return RunConfigJson.read(text, source);
  }
}
