package org.ddpm4j.diffusion.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Supplier;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.ExponentialSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.JsdSchedule;
import org.ddpm4j.schedules.LaplaceSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.QuadraticSchedule;
import org.ddpm4j.schedules.SigmoidSchedule;
import org.ddpm4j.schedules.SigmoidSignalSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;

/** The noise schedules by name. A name never changes its meaning. */
public enum ScheduleType {
  /** β from 1e-4 to 0.02 in equal steps, whatever T (Ho et al. 2020). */
  @JsonProperty("linear")
  LINEAR(Choice.BOTH_ENDS, (timesteps, start, end) -> linear(start, end)),
  /** The same with both ends multiplied by 1000/T, so that a short chain ends in noise too. */
  @JsonProperty("linear-scaled")
  LINEAR_SCALED(
      Choice.BOTH_ENDS, (timesteps, start, end) -> linear(start, end).scaledTo(timesteps)),
  /** √β in equal steps, β from 0.00085 to 0.012 (Rombach et al. 2022, diffusers' name). */
  @JsonProperty("scaled-linear")
  SCALED_LINEAR(
      Choice.BOTH_ENDS,
      (timesteps, start, end) -> quadratic(QuadraticSchedule.scaledLinear(), start, end)),
  /** √β in equal steps, β from 1e-4 to 0.02 (the code of Ho et al. 2020). */
  @JsonProperty("quadratic")
  QUADRATIC(
      Choice.BOTH_ENDS,
      (timesteps, start, end) -> quadratic(QuadraticSchedule.paperEnds(), start, end)),
  /** Squared cosine with β at most 0.999 (Nichol and Dhariwal 2021). */
  @JsonProperty("cosine")
  COSINE(CosineSchedule::paper),
  /** Squared cosine with β in [1e-4, 0.9999], as in "The Annotated Diffusion Model". */
  @JsonProperty("cosine-annotated")
  COSINE_ANNOTATED(CosineSchedule::annotated),
  /** β between 1e-4 and 0.02 along a logistic curve (diffusers' name). */
  @JsonProperty("sigmoid")
  SIGMOID(Choice.BOTH_ENDS, (timesteps, start, end) -> sigmoid(start, end)),
  /** ᾱ along a logistic curve (Jabri et al. 2022). */
  @JsonProperty("sigmoid-jabri")
  SIGMOID_JABRI(SigmoidSignalSchedule::paper),
  /** β of 0.02 at every timestep (the code of Ho et al. 2020). */
  @JsonProperty("constant")
  CONSTANT(
      Choice.END,
      (timesteps, start, end) ->
          end == null ? ConstantSchedule.paperEnd() : new ConstantSchedule(end)),
  /** β of 1/(T-t), which ends at ᾱ = 0 (Sohl-Dickstein et al. 2015). */
  @JsonProperty("jsd")
  JSD(JsdSchedule::new),
  /** The straight way between image and noise, which ends at ᾱ = 0 (Liu et al. 2023). */
  @JsonProperty("flow")
  FLOW(FlowSchedule::straight),
  /** Noise-to-signal ratios from 0.002 to 80 (Karras et al. 2022). */
  @JsonProperty("edm")
  EDM(EdmSchedule::paper),
  /** Noise-to-signal ratios from 0.01 to 1348, evenly in their logarithms (Song et al. 2021b). */
  @JsonProperty("variance-exploding")
  VARIANCE_EXPLODING(VarianceExplodingSchedule::diffusers),
  /** ᾱ of e^(-12 t/T) (diffusers' {@code exp}). */
  @JsonProperty("exponential")
  EXPONENTIAL(ExponentialSchedule::diffusers),
  /** The log SNR spread as Laplace's distribution (Hang and Gu 2024). */
  @JsonProperty("laplace")
  LAPLACE(LaplaceSchedule::paper),
  /** The same with √ᾱ in the place of ᾱ, which is what diffusers calls {@code laplace}. */
  @JsonProperty("laplace-diffusers")
  LAPLACE_DIFFUSERS(LaplaceSchedule::diffusers);

  /** Which betas a user may choose. */
  private enum Choice {
    NOTHING,
    END,
    BOTH_ENDS
  }

  /** Makes the formula; an end is null where the user leaves it to the type. */
  private interface Formula {
    BetaSchedule create(int timesteps, Double betaStart, Double betaEnd);
  }

  private final Choice choice;
  private final Formula formula;

  ScheduleType(Supplier<BetaSchedule> only) {
    this(Choice.NOTHING, (timesteps, start, end) -> only.get());
  }

  ScheduleType(Choice choice, Formula formula) {
    this.choice = choice;
    this.formula = formula;
  }

  /**
   * The formula.
   *
   * @param timesteps T
   * @param betaStart β to begin with, or null for the type's own
   * @param betaEnd β to end with, or null for the type's own
   * @throws IllegalArgumentException if the type does not take these
   */
  BetaSchedule betas(int timesteps, Double betaStart, Double betaEnd) {
    String name = spelling();
    if (choice == Choice.NOTHING && (betaStart != null || betaEnd != null)) {
      throw new IllegalArgumentException(
          Text.format(
              "The schedule %s has no beta start and end to choose; linear, linear-scaled, scaled-linear, quadratic and sigmoid have.",
              name));
    }
    if (choice == Choice.END && betaStart != null) {
      throw new IllegalArgumentException(
          Text.format(
              "The schedule %s has a single beta; choose it by beta end, and give no beta start.",
              name));
    }
    return formula.create(timesteps, betaStart, betaEnd);
  }

  /** The name in files. */
  String spelling() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static LinearSchedule linear(Double betaStart, Double betaEnd) {
    LinearSchedule defaults = LinearSchedule.paper();
    return new LinearSchedule(
        Objects.requireNonNullElse(betaStart, defaults.betaStart()),
        Objects.requireNonNullElse(betaEnd, defaults.betaEnd()));
  }

  private static SigmoidSchedule sigmoid(Double betaStart, Double betaEnd) {
    SigmoidSchedule defaults = SigmoidSchedule.paperEnds();
    return new SigmoidSchedule(
        Objects.requireNonNullElse(betaStart, defaults.betaStart()),
        Objects.requireNonNullElse(betaEnd, defaults.betaEnd()));
  }

  private static QuadraticSchedule quadratic(
      QuadraticSchedule defaults, Double betaStart, Double betaEnd) {
    return new QuadraticSchedule(
        Objects.requireNonNullElse(betaStart, defaults.betaStart()),
        Objects.requireNonNullElse(betaEnd, defaults.betaEnd()));
  }
}
