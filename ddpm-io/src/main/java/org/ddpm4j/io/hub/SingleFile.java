package org.ddpm4j.io.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ddpm4j.io.Text;

/**
 * A single file of weights of a model of the hub: {@code OWNER/NAME}, {@code OWNER/NAME@REVISION},
 * and behind a colon the file's name, where the model has several.
 *
 * @param model whose file it is
 * @param file its name in the model, if the user said one
 * @param word that its name has in it where nobody said it
 */
public record SingleFile(HubName model, Optional<String> file, String word) {

  private static final Pattern PLACE = Pattern.compile("([^:]+)(?::([^:]+))?");
  private static final Pattern WEIGHTS = Pattern.compile(".*\\.(pth|pt|bin|ckpt|safetensors)");

  /** Checks that nothing is missing. */
  public SingleFile {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(word, "word");
  }

  /**
   * Takes a place apart.
   *
   * @param place {@code OWNER/NAME[@REVISION][:FILE]}
   * @param word that the file's name has in it where the place does not say it
   * @return the file; empty if the place has another form
   */
  public static Optional<SingleFile> parse(String place, String word) {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(word, "word");
    Matcher parts = PLACE.matcher(place);
    return parts.matches() && HubName.isName(parts.group(1))
        ? Optional.of(
            new SingleFile(
                HubName.parse(parts.group(1)), Optional.ofNullable(parts.group(2)), word))
        : Optional.empty();
  }

  /**
   * The file in the cache. It is downloaded unless it is there.
   *
   * @param hub where the model is
   * @return the file, not to be written to
   * @throws IOException if the model has no such file, or several that it may be, or as {@link
   *     Hub#snapshot}; the message is a sentence
   */
  public Path in(Hub hub) throws IOException {
    Choice choice = new Choice();
    return hub.snapshot(model, choice).resolve(choice.chosen);
  }

  /** Remembers what it has chosen. */
  private final class Choice implements HubSelection {

    private String chosen;

    @Override
    public List<String> choose(Collection<String> names, Path snapshot) throws IOException {
      chosen = file.isPresent() ? named(names, file.get()) : only(names);
      return List.of(chosen);
    }
  }

  private static List<String> weights(Collection<String> names) {
    return names.stream().filter(name -> WEIGHTS.matcher(name).matches()).sorted().toList();
  }

  private String named(Collection<String> names, String wanted) throws IOException {
    if (names.contains(wanted)) {
      return wanted;
    }
    throw new IOException(
        Text.format(
            "The model %s has no file %s; its weights are: %s.",
            model, wanted, listed(weights(names))));
  }

  private String only(Collection<String> names) throws IOException {
    List<String> weights = weights(names);
    List<String> fitting = weights.stream().filter(name -> name.contains(word)).toList();
    List<String> possible = fitting.isEmpty() ? weights : fitting;
    if (possible.size() == 1) {
      return possible.get(0);
    }
    throw new IOException(
        Text.format(
            "The model %s has %d file(s) that the weights may be in (%s); name one as in %s:FILE.",
            model, possible.size(), listed(possible), model));
  }

  private static String listed(List<String> names) {
    return names.isEmpty() ? "none" : String.join(", ", names);
  }
}
