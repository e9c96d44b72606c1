package org.ddpm4j.cli.options;

import java.util.List;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.diffusion.model.DiffusionModel;
import picocli.CommandLine.Option;

/** How far beyond the model of its class an image is drawn towards it. */
@OptionGroup("Guidance")
public final class GuidanceOptions {

  @HasEffect(without = "--no-class", because = "since there is no class to guide to")
  @Option(
      names = "--guidance",
      paramLabel = "SCALE",
      description =
          "Classifier-free guidance towards the class, from 0, which forgets it, to "
              + Guidance.MAX_SCALE
              + "; 1 is none, and every other scale takes about twice the time (default: 1).")
  private Double scale;

  @HasEffect(with = "--guidance")
  @Option(
      names = "--guidance-rescale",
      paramLabel = "PHI",
      description =
          "With --guidance: share of its change of contrast that is taken back, 0 to 1 (default:"
              + " 0).")
  private Double rescale;

  @HasEffect(with = "--guidance")
  @Option(
      names = "--guidance-interval",
      paramLabel = "LO,HI",
      split = ",",
      description =
          "With --guidance: only at noise-to-signal ratios from LO to HI (default: at all).")
  private List<Double> interval;

  /** Nothing chosen yet; picocli sets the fields. */
  public GuidanceOptions() {}

  /**
   * The guidance that the user chose, for a model that can be guided.
   *
   * @param model that draws
   * @return the guidance
   * @throws BadInputException if the model cannot be guided or a value is not possible
   */
  public Guidance guidance(DiffusionModel model) {
    if (scale == null) {
      return Guidance.NONE;
    }
    if (interval != null && interval.size() != 2) {
      throw new BadInputException(
          "--guidance-interval takes two numbers, as in 0.3,5, but was given %s.", interval);
    }
    if (scale == 1 && (rescale != null || interval != null)) {
      throw new BadInputException(
          "--guidance 1 is none, so that %s would change nothing; give another scale, or leave it out.",
          rescale == null ? "--guidance-interval" : "--guidance-rescale");
    }
    Guidance guidance =
        BadInputException.check(
            () ->
                new Guidance(
                    scale,
                    rescale == null ? 0 : rescale,
                    interval == null
                        ? Guidance.Interval.ALL
                        : new Guidance.Interval(interval.get(0), interval.get(1))));
    if (!model.isClassConditional()) {
      throw new BadInputException(
          "The network was not told classes, so that there is none to guide it to; train one with --class-conditional.");
    }
    if (model.nullClass().isEmpty()) {
      throw new BadInputException(
          "No row of the network's class embedding is known to stand for no class, which guidance needs; train with --label-dropout 0.1 or, with --model, name the row by --null-class.");
    }
    return guidance;
  }
}
