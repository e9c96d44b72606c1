package org.ddpm4j.cli.options;

import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.ddpm4j.diffusion.config.AncestralConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.diffusers.DiffusersSampler;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.model.UnetConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which sampler, and its options other than the number of steps. */
@OptionGroup("The sampler")
public final class SamplerTypeOptions {

  @Option(
      names = "--sampler",
      paramLabel = "NAME",
      description =
          "How: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.SAMPLER
              + "; ddpm of a network that has learned its variance or predicts the mean, flow-heun of a"
              + " flow, consistency of a consistency model; of a pipeline, what its scheduler says,"
              + " as for the options below).")
  private SamplerType type;

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--spacing",
      paramLabel = "NAME",
      description =
          "Which timesteps the steps are at: ${COMPLETION-CANDIDATES} (default: leading for ddim,"
              + " pndm, plms and ipndm, linspace for the others).")
  private TimestepSpacing spacing;

  @HasEffect(without = "--levels", decidedBy = SamplerConfig.class)
  @Option(
      names = "--karras",
      description = "Take the noise levels of Karras et al.: --levels karras.")
  private boolean isKarras;

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--levels",
      paramLabel = "NAME",
      description =
          "How the noise levels lie: ${COMPLETION-CANDIDATES} (default: lambda for dpm++, at the"
              + " timesteps for the others and with --spacing). karras,"
              + " exponential, beta and lambda not with ddpm, pndm, plms, ipndm and lcm; log-linear with euler.")
  private LevelSpacing levels;

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--order",
      paramLabel = "N",
      description =
          "Order of dpm++, dpm, those of -sde and -single, unipc and deis, 1 to 3 (default: 2), or"
              + " of lms and sa-solver, 1 to 4 (default: 4 and 2).")
  private Integer order;

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--eta",
      paramLabel = "X",
      description = "Noise of ddim, from 0, none, to 1, as much as ddpm (default: 0).")
  private Double eta;

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--churn",
      paramLabel = "X",
      description =
          "Noise that heun adds before each step, S_churn of Karras et al., of which a step takes X over"
              + " the number of steps; 0 is none, 40 to 80 much (default: 0).")
  private Double churn;

  @Mixin private ReverseProcessOptions reverseProcess;

  /** Nothing chosen yet; picocli sets the fields. */
  public SamplerTypeOptions() {}

  /**
   * The sampler that the user chose, or else the one that the model's files say.
   *
   * @param model that it asks
   * @return the sampler, without a number of steps
   * @throws BadInputException if a value is not possible
   */
  public DefaultSampler sampler(DiffusionModel model) {
    return chosen(model, model::defaultSampler, model::defaultSampler);
  }

  /**
   * The same for drawing from an image.
   *
   * @param model that it asks
   * @return the sampler, without a number of steps
   * @throws BadInputException if a value is not possible
   */
  public DefaultSampler imageToImageSampler(DiffusionModel model) {
    return chosen(model, model::imageToImageSampler, model::imageToImageSampler);
  }

  private DefaultSampler chosen(
      DiffusionModel model,
      Supplier<DefaultSampler> usual,
      Function<SamplerType, DefaultSampler> ofType) {
    DefaultSampler own =
        type == null ? usual.get() : BadInputException.check(() -> ofType.apply(type));
    return new DefaultSampler(
        changed(own.config(), model.unet().config()),
        reverseProcess.chosenClip() == null
            ? own.x0Constraint()
            : reverseProcess.constraint(model.normalization()));
  }

  /**
   * The same for a file of diffusers.
   *
   * @param model whose pipeline it goes into
   * @return the sampler
   * @throws BadInputException if a value is not possible
   */
  public DiffusersSampler forDiffusers(DiffusionModel model) {
    UnetConfig network = model.unet().config();
    SamplerType usual =
        switch (model.parameterization()) {
          case CONSISTENCY -> SamplerType.CONSISTENCY;
          case FLOW -> SamplerType.FLOW_EULER;
          case EDM -> SamplerType.EULER;
          case SCORE -> SamplerType.SCORE_SDE;
          default -> SamplerType.DDPM;
        };
    SamplerConfig own = SamplerConfig.of(Objects.requireNonNullElse(type, usual));
    if (own instanceof AncestralConfig ancestral) {
      own = ancestral.withVariance(reverseProcess.variance(network));
    }
    return new DiffusersSampler(changed(own, network), reverseProcess.clip().forDiffusers());
  }

  /** A sampler's own options, but for those that the user chose. */
  private SamplerConfig changed(SamplerConfig own, UnetConfig network) {
    return BadInputException.check(
        () -> {
          SamplerConfig config = own;
          if (spacing != null) {
            boolean hasChosenLevels = isKarras || levels != null;
            if (config instanceof SamplerConfig.SpacedLevels
                && !config.usesSpacing()
                && !hasChosenLevels) {
              config = config.withLevels(LevelSpacing.TIMESTEPS);
            }
            config =
                config.withSpacing(
                    spacing, spacing == TimestepSpacing.LEADING ? own.stepsOffset() : 0);
          }
          if (isKarras) {
            config = config.withLevels(LevelSpacing.KARRAS);
          }
          if (levels != null) {
            config = config.withLevels(levels);
          }
          if (spacing != null && !config.usesSpacing()) {
            throw withoutEffect(config);
          }
          if (order != null) {
            config = config.withOrder(order);
          }
          if (eta != null) {
            config = config.withEta(eta);
          }
          if (churn != null) {
            config = config.withChurn(churn);
          }
          if (reverseProcess.chosenVariance() != null) {
            config =
                config.withVariance(
                    config instanceof AncestralConfig
                        ? reverseProcess.variance(network)
                        : reverseProcess.chosenVariance());
          }
          return config;
        });
  }

  private static BadInputException withoutEffect(SamplerConfig config) {
    String reason =
        config instanceof SamplerConfig.SpacedLevels spaced
                && spaced.levels() != LevelSpacing.TIMESTEPS
            ? Text.format(" with --levels %s", spaced.levels())
            : "";
    return new BadInputException(
        "The sampler %s%s has times of its own; leave out --spacing.", config.type(), reason);
  }
}
