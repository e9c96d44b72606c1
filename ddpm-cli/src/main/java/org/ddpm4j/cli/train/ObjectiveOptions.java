package org.ddpm4j.cli.train;

import java.util.Objects;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.objective.LossTerms;
import org.ddpm4j.diffusion.objective.LossWeighting;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.kernels.ops.LossFunction;
import picocli.CommandLine.Option;

/** What a network is trained for. */
@OptionGroup("What is learned")
final class ObjectiveOptions {

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

  @Option(
      names = "--parameterization",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.PARAMETERIZATION,
      description =
          "What the network predicts: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Parameterization parameterization;

  @HasEffect(without = "--loss-terms=vlb", because = "which is the bound alone")
  @Option(
      names = "--loss",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.LOSS,
      description =
          "The loss of an element's error: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LossFunction loss;

  @HasEffect(decidedBy = ObjectiveConfig.class)
  @Option(
      names = "--weighting",
      paramLabel = "NAME",
      description =
          "How much the error counts at each timestep: ${COMPLETION-CANDIDATES} (default: min-snr,"
              + " or uniform with --loss l1 or huber, --loss-terms vlb or --parameterization flow or"
              + " edm).")
  private Weighting weighting;

  @Option(
      names = "--loss-terms",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.LOSS_TERMS,
      description =
          "The simple loss, the same with a learned variance (hybrid), or the variational bound:"
              + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LossTerms terms;

  @Option(
      names = "--timestep-sampling",
      paramLabel = "NAME",
      defaultValue = TrainingDefaults.TIMESTEP_SAMPLING,
      description =
          "How timesteps are drawn: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private TimestepSampling timesteps;

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
    double dropout =
        labelDropout != null
            ? labelDropout
            : classConditional ? Double.parseDouble(TrainingDefaults.LABEL_DROPOUT) : 0;
    Weighting chosen =
        Objects.requireNonNullElse(
            weighting,
            loss == LossFunction.L2 && terms != LossTerms.VLB && !parameterization.scales()
                ? Weighting.MIN_SNR
                : Weighting.UNIFORM);
    return new ObjectiveConfig(parameterization, loss, chosen.value, terms, timesteps, dropout);
  }
}
