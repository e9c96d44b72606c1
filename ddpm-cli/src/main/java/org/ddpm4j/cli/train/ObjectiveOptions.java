package org.ddpm4j.cli.train;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.objective.Distillation;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.kernels.ops.LossFunction;
import picocli.CommandLine.Option;

/** What a network is trained for. */
@OptionGroup("What is learned")
final class ObjectiveOptions {

  private static final String DISTILLED = "which trains a consistency model by its own loss";

  /** The weightings of the loss by the timestep, each with its paper's constants. */
  enum Weighting {
    UNIFORM(new LossWeighting.Uniform()),
    MIN_SNR(new LossWeighting.MinSnr(5)),
    P2(new LossWeighting.P2(1, 1));

    private final LossWeighting value;

    Weighting(LossWeighting value) {
      this.value = value;
    }
  }

  /** All but the one that is distilled. */
  private static final class Predictions extends EnumConverter<Parameterization> {
    Predictions() {
      super(EnumSet.complementOf(EnumSet.of(Parameterization.CONSISTENCY)));
    }
  }

  @HasEffect(without = "--distill", because = DISTILLED)
  @Option(
      names = {"--parameterization", "--objective", "--preconditioning"},
      paramLabel = "NAME",
      converter = Predictions.class,
      completionCandidates = Predictions.class,
      defaultValue = TrainingDefaults.PARAMETERIZATION,
      description =
          "What the network predicts: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). With"
              + " edm and flow, the schedule is of that name unless another is given, and edm draws"
              + " timesteps log-normally.")
  private Parameterization parameterization;

  @HasEffect(without = "--loss-terms=vlb", because = "which is the bound alone")
  @Option(
      names = "--loss",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.LOSS,
      description =
          "The loss of an element's error: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LossFunction loss;

  @HasEffect(without = "--distill", decidedBy = ObjectiveConfig.class, because = DISTILLED)
  @Option(
      names = "--weighting",
      paramLabel = "NAME",
      description =
          "How much the error counts at each timestep: ${COMPLETION-CANDIDATES} (default: min-snr,"
              + " or uniform with --loss l1 or huber, --loss-terms vlb or --parameterization flow or"
              + " edm).")
  private Weighting weighting;

  @HasEffect(without = "--distill", because = DISTILLED)
  @Option(
      names = "--loss-terms",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.LOSS_TERMS,
      description =
          "The simple loss, the same with a learned variance (hybrid), or the variational bound:"
              + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LossTerms terms;

  @HasEffect(without = "--distill", because = DISTILLED)
  @Option(
      names = "--timestep-sampling",
      paramLabel = "NAME",
      description =
          "How timesteps are drawn: ${COMPLETION-CANDIDATES} (default: "
              + TrainingDefaults.TIMESTEP_SAMPLING
              + "; log-normal with --parameterization edm).")
  private TimestepSampling timesteps;

  @Option(
      names = "--offset-noise",
      paramLabel = "X",
      defaultValue = TrainingDefaults.OFFSET_NOISE,
      description =
          "Add to the noise of all pixels of a channel alike, with this deviation, so that the"
              + " network learns very dark and very bright images; 0.1 is usual (default:"
              + " ${DEFAULT-VALUE}).")
  private double offsetNoise;

  @Option(
      names = "--class-conditional",
      description =
          "Tell the network the class of each image, to sample classes by 'sample --class'.")
  private boolean classConditional;

  @HasEffect(with = "--class-conditional")
  @Option(
      names = "--label-dropout",
      paramLabel = "X",
      description =
          "With --class-conditional: share of images whose class is not told, in [0,1) (default: "
              + TrainingDefaults.LABEL_DROPOUT
              + ").")
  private Double labelDropout;

  /** As {@link #config}, of a network that is known to predict something. */
  ObjectiveConfig config(Parameterization predicted) {
    return config().withParameterization(predicted);
  }

  boolean isClassConditional() {
    return classConditional;
  }

  ObjectiveConfig config() {
    Weighting chosen =
        Objects.requireNonNullElse(
            weighting,
            loss == LossFunction.L2 && terms != LossTerms.VLB && !parameterization.scales()
                ? Weighting.MIN_SNR
                : Weighting.UNIFORM);
    TimestepSampling usual =
        parameterization == Parameterization.EDM
            ? TimestepSampling.LOG_NORMAL
            : TimestepSampling.UNIFORM;
    return new ObjectiveConfig(
        parameterization,
        loss,
        chosen.value,
        terms,
        Objects.requireNonNullElse(timesteps, usual),
        dropout(),
        offsetNoise,
        null);
  }

  /** The same for a consistency model. */
  ObjectiveConfig config(Distillation distillation) {
    return new ObjectiveConfig(
        Parameterization.CONSISTENCY, loss, null, null, null, dropout(), offsetNoise, distillation);
  }

  /** The schedule that belongs to what is predicted. */
  ScheduleType usualSchedule() {
    return switch (parameterization) {
      case EDM -> ScheduleType.EDM;
      case FLOW -> ScheduleType.FLOW;
      default -> ScheduleType.valueOf(Defaults.SCHEDULE.toUpperCase(Locale.ROOT));
    };
  }

  private double dropout() {
    return labelDropout != null
        ? labelDropout
        : classConditional ? Double.parseDouble(TrainingDefaults.LABEL_DROPOUT) : 0;
  }
}
