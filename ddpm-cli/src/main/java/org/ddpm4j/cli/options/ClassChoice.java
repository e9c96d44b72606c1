package org.ddpm4j.cli.options;

import java.util.Locale;
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
    if (none && named != null) {
      throw new BadInputException("The options --class and --no-class do not go together.");
    }
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
          String.format(
              Locale.ROOT,
              "The network was not told classes, so that --class %s cannot be drawn; train one with --class-conditional.",
              chosen));
    }
    return BadInputException.check(() -> classes(model).find(chosen));
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
    return classes(model)
        .nullClass()
        .orElseThrow(
            () ->
                new BadInputException(
                    "No row of the network's class embedding is known to stand for no class; name a class by --class or, with --model, that row by --null-class."));
  }

  /**
   * The classes that a network is told. A run's last row is for none, also where it is untrained.
   */
  private static ClassNames classes(DiffusionModel model) {
    int rows = model.unet().config().classEmbeddings();
    int named = model.classNames().size();
    OptionalInt none = model.nullClass();
    if (none.isEmpty() && named > 0 && named < rows) {
      none = OptionalInt.of(rows - 1);
    }
    return ClassNames.of(model.classNames(), rows, none);
  }
}
