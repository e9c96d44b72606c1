package org.ddpm4j.cli.options;

import java.util.OptionalInt;
import org.ddpm4j.diffusion.ClassNames;
import org.ddpm4j.diffusion.model.DiffusionModel;

/** A class that the user named, or none. */
public final class ClassChoice {

  private ClassChoice() {}

  /**
   * The row that the options --class and --no-class ask for.
   *
   * @param named what --class says, or null
   * @param none whether there is --no-class
   * @param model of which the image is
   * @return the row, or empty where neither was given
   * @throws BadInputException if the model has no such class
   */
  public static OptionalInt of(String named, boolean none, DiffusionModel model) {
    if (none) {
      return OptionalInt.of(none(model));
    }
    return named == null ? OptionalInt.empty() : OptionalInt.of(of(named, model));
  }

  /**
   * The row of a model's class embedding.
   *
   * @param chosen a class as {@link ClassNames#find} takes it
   * @param model of which the image is
   */
  private static int of(String chosen, DiffusionModel model) {
    if (!model.isClassConditional()) {
      throw new BadInputException(
          "The network was not told classes, so that --class %s cannot be drawn; train one with --class-conditional.",
          chosen);
    }
    return BadInputException.check(() -> model.classes().find(chosen));
  }

  /**
   * The row that stands for no class.
   *
   * @param model of which the image is
   * @return the last row of the class embedding
   * @throws BadInputException if the model has none
   */
  public static int none(DiffusionModel model) {
    if (!model.isClassConditional()) {
      throw new BadInputException(
          "The network was not told classes, so that all its images are of none; leave out --no-class.");
    }
    return model
        .classes()
        .nullClass()
        .orElseThrow(
            () ->
                new BadInputException(
                    "No row of the network's class embedding is known to stand for no class; name a class by --class or, with --model, that row by --null-class."));
  }
}
