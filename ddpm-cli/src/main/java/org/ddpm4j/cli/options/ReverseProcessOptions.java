package org.ddpm4j.cli.options;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.unet.model.UnetConfig;
import picocli.CommandLine.Option;

/** How a network's answer becomes a step of DDPM's reverse process. */
@OptionGroup("The sampler")
public final class ReverseProcessOptions {

  @HasEffect(decidedBy = SamplerConfig.class)
  @Option(
      names = "--variance",
      paramLabel = "NAME",
      description =
          "Variance of ddpm's reverse process: ${COMPLETION-CANDIDATES} (default: learned if the"
              + " network has learned it, else "
              + Defaults.VARIANCE
              + ").")
  private ReverseVariance variance;

  @Option(
      names = "--clip",
      paramLabel = "NAME",
      description =
          "Whether estimates of x0 are clipped, to the values that pixels can have or by dynamic"
              + " thresholding: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.CLIP
              + ").")
  private Clip clip;

  /** Nothing chosen yet; picocli sets the fields. */
  public ReverseProcessOptions() {}

  /** The chosen variance, or null. */
  ReverseVariance chosenVariance() {
    return variance;
  }

  /**
   * The chosen variance, or else the one that the network learned, if it has.
   *
   * @param network that answers
   * @return the variance of a step
   * @throws BadInputException if the network has not learned the one that was chosen
   */
  public ReverseVariance variance(UnetConfig network) {
    if (variance == ReverseVariance.LEARNED && !network.learnsVariance()) {
      throw new BadInputException(
          "The network has not learned a variance; choose --variance beta or posterior, or train"
              + " with --loss-terms hybrid.");
    }
    ReverseVariance usual =
        network.learnsVariance() ? ReverseVariance.LEARNED : ReverseVariance.POSTERIOR;
    return Objects.requireNonNullElse(variance, usual);
  }

  /** The chosen clipping, or null. */
  Clip chosenClip() {
    return clip;
  }

  /** The chosen clipping, or else the usual one. */
  Clip clip() {
    return clip != null ? clip : new EnumConverter<>(Clip.class).convert(Defaults.CLIP);
  }

  /**
   * What is done to estimates of x0.
   *
   * @param normalization the scale of images
   * @return the constraint
   * @throws BadInputException if the options do not go together
   */
  public X0Constraint constraint(Normalization normalization) {
    return clip().constraint(normalization);
  }
}
