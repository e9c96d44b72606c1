package org.ddpm4j.cli;

import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.model.DiffusionModel;

/** A class that the user named. */
final class ClassChoice {

  private ClassChoice() {}

  /**
   * The row of a model's class embedding.
   *
   * @param chosen name or number of a class, or "none"
   * @param model of which the image is
   */
  static int of(String chosen, DiffusionModel model) {
    int embeddings = model.unet().config().classEmbeddings();
    List<String> names = model.classNames();
    if (embeddings == 0) {
      throw new BadInputException(
          "The network was not told classes, so that --class %s cannot be drawn; train one with --class-conditional."
              .formatted(chosen));
    }
    if (chosen.equalsIgnoreCase("none") && embeddings > names.size()) {
      return model.nullClass().orElse(embeddings - 1);
    }
    return IntStream.range(0, embeddings)
        .filter(
            i ->
                chosen.equals(Integer.toString(i))
                    || (i < names.size() && chosen.equalsIgnoreCase(names.get(i))))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "There is no class %s; the classes are %s."
                        .formatted(
                            chosen,
                            names.isEmpty()
                                ? "0 to " + (embeddings - 1)
                                : String.join(", ", names))));
  }
}
