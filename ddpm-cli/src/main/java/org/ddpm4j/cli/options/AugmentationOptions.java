package org.ddpm4j.cli.options;

import org.ddpm4j.diffusion.image.Augmentation;
import picocli.CommandLine.Option;

/** How images are changed at random, besides mirroring. */
@OptionGroup("The images")
public final class AugmentationOptions {

  private static final String NONE = "0";

  @Option(
      names = "--crop",
      paramLabel = "X",
      defaultValue = NONE,
      description =
          "Cut up to this share of height and width away from each image, anew in each epoch, and"
              + " enlarge the rest to the whole; 0 to 0.5 (default: ${DEFAULT-VALUE}).")
  private double crop;

  @Option(
      names = "--color-jitter",
      paramLabel = "X",
      defaultValue = NONE,
      description =
          "Change brightness, contrast and saturation of each image by up to this share, anew in"
              + " each epoch; 0 to 1 (default: ${DEFAULT-VALUE}).")
  private double colorJitter;

  /** Options with nothing chosen yet; picocli sets the fields. */
  public AugmentationOptions() {}

  /**
   * What was chosen.
   *
   * @return the strengths
   * @throws BadInputException if one is out of range
   */
  public Augmentation augmentation() {
    require("--crop", crop, Augmentation.MOST_CROP);
    require("--color-jitter", colorJitter, 1);
    return new Augmentation(crop, colorJitter);
  }

  private static void require(String option, double value, double most) {
    if (!(value >= 0 && value <= most)) {
      throw new BadInputException(
          "The value of %s is %s; it must be from 0 to %s.", option, value, most);
    }
  }
}
