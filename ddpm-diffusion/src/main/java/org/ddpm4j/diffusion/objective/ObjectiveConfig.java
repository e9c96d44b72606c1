package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.bound.Decoder;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.UnetConfig;

/**
 * What a network is trained for.
 *
 * @param parameterization what it predicts
 * @param loss of an error
 * @param weighting how much the error counts at each timestep
 * @param terms of what the loss is made; with {@link LossTerms#VLB} neither loss nor weighting
 *     count
 * @param timesteps how timesteps are drawn
 * @param labelDropout share of images whose class a class-conditional network is not told, in [0,1)
 * @param offsetNoise deviation of what is added to the noise of all pixels of a channel alike, so
 *     that the network learns to change an image's brightness as a whole; at least 0
 * @param distillation how a consistency model is distilled; null for any other network
 */
public record ObjectiveConfig(
    @JsonProperty("parameterization") Parameterization parameterization,
    @JsonProperty("loss") LossFunction loss,
    @JsonProperty("weighting") LossWeighting weighting,
    @JsonProperty("terms") LossTerms terms,
    @JsonProperty("timesteps") TimestepSampling timesteps,
    @JsonProperty("label_dropout") double labelDropout,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) @JsonProperty("offset_noise") Double offsetNoise,
    @JsonInclude(JsonInclude.Include.NON_NULL) @JsonProperty("distillation")
        Distillation distillation) {

  /**
   * Checks that the parts fit each other. What is null takes its default.
   *
   * @throws IllegalArgumentException if they do not
   */
  public ObjectiveConfig {
    parameterization = Objects.requireNonNullElse(parameterization, Parameterization.EPSILON);
    loss = Objects.requireNonNullElse(loss, LossFunction.L2);
    weighting = Objects.requireNonNullElse(weighting, new LossWeighting.Uniform());
    terms = Objects.requireNonNullElse(terms, LossTerms.SIMPLE);
    timesteps = Objects.requireNonNullElse(timesteps, TimestepSampling.UNIFORM);
    require(
        labelDropout >= 0 && labelDropout < 1,
        "The label dropout is %s; it must be in [0,1).",
        labelDropout);
    offsetNoise = Objects.requireNonNullElse(offsetNoise, 0.0);
    require(
        offsetNoise >= 0 && offsetNoise < Double.POSITIVE_INFINITY,
        "The offset noise is %s; it must be at least 0 and finite.",
        offsetNoise);
    require(
        (parameterization == Parameterization.CONSISTENCY) == (distillation != null),
        "A consistency model is distilled from another, and no other network is: train for another"
            + " prediction than %s, or say by distillation how it is distilled.",
        parameterization);
    require(
        distillation == null
            || (timesteps == TimestepSampling.UNIFORM && loss != LossFunction.HUBER),
        "A consistency model is distilled by the loss l1 or l2 at uniform timesteps, not by %s at %s"
            + " ones.",
        loss,
        timesteps);
    require(
        parameterization != Parameterization.SCORE,
        "A network that predicts the score is not trained here; train for another prediction, of"
            + " which the score is a multiple.");
    require(
        !parameterization.scales() || terms == LossTerms.SIMPLE,
        "A network that predicts %s is trained by the terms simple, not %s, which know a chain of"
            + " timesteps.",
        parameterization,
        terms);
    boolean weighted = !(weighting instanceof LossWeighting.Uniform);
    require(
        !weighted || (loss == LossFunction.L2 && terms != LossTerms.VLB),
        "The weighting %s is made for squared errors; train with the loss l2 and the terms simple"
            + " or hybrid, or weigh uniformly.",
        weighting);
  }

  private static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(Text.format(sentence, values));
    }
  }

  /**
   * The simple loss of Ho et al. 2020, eq. 14: the squared error of ε.
   *
   * @return the configuration
   */
  public static ObjectiveConfig simple() {
    return new ObjectiveConfig(null, null, null, null, null, 0, null, null);
  }

  /**
   * The same with another error.
   *
   * @param newLoss of an error
   * @return the new configuration
   */
  public ObjectiveConfig withLoss(LossFunction newLoss) {
    return new ObjectiveConfig(
        parameterization,
        newLoss,
        weighting,
        terms,
        timesteps,
        labelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same for another prediction.
   *
   * @param newParameterization what the network predicts
   * @return the new configuration
   */
  public ObjectiveConfig withParameterization(Parameterization newParameterization) {
    return new ObjectiveConfig(
        newParameterization,
        loss,
        weighting,
        terms,
        timesteps,
        labelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same with other weights.
   *
   * @param newWeighting how much the error counts at each timestep
   * @return the new configuration
   */
  public ObjectiveConfig withWeighting(LossWeighting newWeighting) {
    return new ObjectiveConfig(
        parameterization,
        loss,
        newWeighting,
        terms,
        timesteps,
        labelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same with other terms.
   *
   * @param newTerms of what the loss is made
   * @return the new configuration
   */
  public ObjectiveConfig withTerms(LossTerms newTerms) {
    return new ObjectiveConfig(
        parameterization,
        loss,
        weighting,
        newTerms,
        timesteps,
        labelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same with timesteps drawn in another way.
   *
   * @param newTimesteps how timesteps are drawn
   * @return the new configuration
   */
  public ObjectiveConfig withTimesteps(TimestepSampling newTimesteps) {
    return new ObjectiveConfig(
        parameterization,
        loss,
        weighting,
        terms,
        newTimesteps,
        labelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same with another label dropout.
   *
   * @param newLabelDropout share of images whose class is not told, in [0,1)
   * @return the new configuration
   */
  public ObjectiveConfig withLabelDropout(double newLabelDropout) {
    return new ObjectiveConfig(
        parameterization,
        loss,
        weighting,
        terms,
        timesteps,
        newLabelDropout,
        offsetNoise,
        distillation);
  }

  /**
   * The same with offset noise.
   *
   * @param newOffsetNoise deviation of what is added to all pixels of a channel, at least 0
   * @return the new configuration
   */
  public ObjectiveConfig withOffsetNoise(double newOffsetNoise) {
    return new ObjectiveConfig(
        parameterization,
        loss,
        weighting,
        terms,
        timesteps,
        labelDropout,
        newOffsetNoise,
        distillation);
  }

  /**
   * The distillation of a consistency model by the squared error of its images (Song et al. 2023,
   * algorithm 2).
   *
   * @param distillation how
   * @return the configuration
   */
  public static ObjectiveConfig consistency(Distillation distillation) {
    return new ObjectiveConfig(
        Parameterization.CONSISTENCY, null, null, null, null, 0, null, distillation);
  }

  /**
   * The channels that a network answers with.
   *
   * @param imageChannels C
   * @return C, or 2C where the variance is learned
   */
  public int outChannels(int imageChannels) {
    return terms == LossTerms.SIMPLE ? imageChannels : 2 * imageChannels;
  }

  /**
   * Checks that a network fits.
   *
   * @param network the architecture
   * @throws IllegalArgumentException if it answers with too few or too many channels, or cannot be
   *     told that it is not told the class
   */
  public void checkNetwork(UnetConfig network) {
    int expected = outChannels(network.imageChannels());
    boolean fixed = terms == LossTerms.VLB && network.outChannels() == network.imageChannels();
    require(
        network.outChannels() == expected || fixed,
        "The network answers images of %d channel(s) with %d, but the loss terms %s take %d: the"
            + " prediction%s.",
        network.imageChannels(),
        network.outChannels(),
        terms,
        expected,
        expected == network.imageChannels() ? "" : " and the variance");
    require(
        labelDropout == 0 || network.classEmbeddings() >= 2,
        "The label dropout is %s, but the network has %d class embedding(s); it needs one for each"
            + " class and one more for none.",
        labelDropout,
        network.classEmbeddings());
  }

  /**
   * The objective on a chain of images in [-1,1] with 256 levels.
   *
   * @param schedule of the chain
   * @return the objective
   * @throws IllegalArgumentException if what is predicted does not determine the image on this
   *     chain
   */
  public Objective create(NoiseSchedule schedule) {
    return create(schedule, DiscretizedGaussian.ofBytes());
  }

  /**
   * The objective on a chain.
   *
   * @param schedule of the chain
   * @param decoder the last step of the reverse process, of which the bound's terms hear
   * @return the objective
   * @throws IllegalArgumentException if what is predicted does not determine the image on this
   *     chain, or a consistency model is to be distilled, which takes a teacher
   */
  public Objective create(NoiseSchedule schedule, Decoder decoder) {
    check(schedule);
    require(
        distillation == null,
        "A consistency model is distilled from a teacher; make a ConsistencyDistillation of it.");
    SimpleObjective simple = new SimpleObjective(schedule, parameterization, loss, weighting);
    return switch (terms) {
      case SIMPLE -> simple;
      case HYBRID -> new BoundObjective(schedule, parameterization, decoder, Optional.of(simple));
      case VLB -> new BoundObjective(schedule, parameterization, decoder, Optional.empty());
    };
  }

  /**
   * The distillation of a consistency model on a chain.
   *
   * @param schedule of the chain
   * @param teacher of which it is distilled
   * @return the objective
   * @throws IllegalArgumentException if the network is none, or its chain no good
   */
  public ConsistencyDistillation distillation(NoiseSchedule schedule, Teacher teacher) {
    check(schedule);
    require(distillation != null, "A network that predicts %s is not distilled.", parameterization);
    return new ConsistencyDistillation(schedule, teacher, distillation, loss);
  }

  /**
   * Checks that a network of this objective can be drawn with on a chain.
   *
   * @param schedule of the chain
   * @throws IllegalArgumentException if what is predicted does not determine the image on this
   *     chain
   */
  public void check(NoiseSchedule schedule) {
    requireX0(parameterization, schedule);
  }

  /**
   * Checks that one can draw with a network on a chain.
   *
   * @param parameterization what the network predicts
   * @param schedule of the chain
   * @throws IllegalArgumentException if what is predicted does not determine the image on this
   *     chain
   */
  public static void requireX0(Parameterization parameterization, NoiseSchedule schedule) {
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(schedule, "schedule");
    int last = schedule.timesteps() - 1;
    require(
        parameterization.determinesX0(schedule, last),
        "At the last timestep of this schedule nothing of the image is left, so that a network"
            + " which predicts %s could not sample; train for v or x0, or choose a schedule that"
            + " ends above zero.",
        parameterization);
    require(
        Double.isFinite(parameterization.time(schedule, NoiseLevel.of(schedule, last))),
        "A network that predicts %s is asked with the logarithm of the noise, which is infinite at"
            + " the last timestep of this schedule; choose one that ends above zero, edm for"
            + " example.",
        parameterization);
  }
}
