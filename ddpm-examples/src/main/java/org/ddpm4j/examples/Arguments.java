package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.io.Folders;

/**
 * What an example's main is given: the folder of a model, the folder to write to and the number of
 * training steps, those of the three that the example has, in this order. A dash, or nothing, is
 * the default.
 */
final class Arguments {

  private static final String DEFAULT = "-";

  private final Deque<String> words;

  private Arguments(Deque<String> words) {
    this.words = words;
  }

  static Arguments of(String... args) {
    return new Arguments(new ArrayDeque<>(Arrays.asList(args)));
  }

  /** The model's folder, if one is named. */
  Optional<Path> model() {
    return next().map(Path::of);
  }

  /** The model of the run that is named, or else the one that comes along. */
  DiffusionModel readModel() throws IOException {
    Optional<Path> run = model();
    return run.isPresent() ? DiffusionModel.ofRun(run.get()) : DiffusionModel.bundled();
  }

  /** The folder to write to, or else the current one; made if it does not exist. */
  Path output() throws IOException {
    Path folder = Path.of(next().orElse("."));
    Folders.create(folder);
    return folder;
  }

  /** How many steps a training has. */
  int steps(int otherwise) {
    String word = next().orElse(Integer.toString(otherwise));
    try {
      return Integer.parseInt(word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "The number of steps is %s; give a whole number such as 500.", word),
          e);
    }
  }

  private Optional<String> next() {
    return Optional.ofNullable(words.poll()).filter(word -> !word.equals(DEFAULT));
  }
}
