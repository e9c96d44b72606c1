package org.ddpm4j.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.diffusers.PipelineFolder;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.Text;
import org.jline.utils.Levenshtein;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Words of a command line that a command does not know, and those that may have been meant. */
final class UnknownWords {

  private static final int MAX_SUGGESTIONS = 3;

  /** With more slips than one in so many letters, a word is another. */
  private static final int LETTERS_A_SLIP = 3;

  /** Behind it no word is an option. */
  private static final String END_OF_OPTIONS = "--";

  private UnknownWords() {}

  /**
   * The options of a command line that a command does not have, without their values, which picocli
   * takes for further words or for what the command works on.
   *
   * @param command that is run
   * @param args the whole command line
   * @return the names, as they are written there, each once
   */
  static List<String> options(CommandSpec command, List<String> args) {
    Set<String> unknown = new LinkedHashSet<>();
    boolean hasSubcommands = !command.subcommands().isEmpty();
    for (int i = afterNameOf(command, args); i < args.size(); i++) {
      String word = args.get(i);
      boolean isCommand = hasSubcommands && !isOption(word);
      if (isCommand || word.equals(END_OF_OPTIONS)) {
        break;
      }
      OptionSpec option = find(word, command);
      if (option == null && isOption(word)) {
        unknown.add(nameIn(word));
      } else if (option != null && option.arity().max() > 0 && !word.contains("=")) {
        // The value, whatever it looks like.
        i++;
      }
    }
    return List.copyOf(unknown);
  }

  private static int afterNameOf(CommandSpec command, List<String> args) {
    return command.parent() == null
        ? 0
        : IntStream.range(afterNameOf(command.parent(), args), args.size())
                .filter(i -> !args.get(i).startsWith("-"))
                .findFirst()
                .orElse(args.size())
            + 1;
  }

  /** And no negative number. */
  private static boolean isOption(String word) {
    return word.matches("(?s)--?[^-.\\d].*");
  }

  private static OptionSpec find(String word, CommandSpec command) {
    OptionSpec option = command.findOption(nameIn(word));
    boolean isLetter = option == null && word.matches("(?s)-[^-].+");
    // Letters may be written together, and with their value.
    return isLetter ? command.findOption(word.charAt(1)) : option;
  }

  private static String nameIn(String word) {
    return word.split("=", 2)[0];
  }

  /**
   * Names a word, with what may have been meant.
   *
   * @param word an option or the name of a command
   * @param command that does not know it
   * @return the word in quotation marks, with a question if anything is near
   */
  static String named(String word, CommandSpec command) {
    List<String> names = nearest(word, command);
    return names.isEmpty()
        ? Text.format("'%s'", word)
        : Text.format(
            "'%s' (did you mean %s?)",
            word, String.join(" or ", names.subList(0, Math.min(MAX_SUGGESTIONS, names.size()))));
  }

  /**
   * Names a word that is no option's, with the option whose value it may have been meant for.
   *
   * @param word that is too much
   * @param command that takes no such word
   * @return the word in quotation marks, with a question if it is a place that there is
   */
  static String argument(String word, CommandSpec command) {
    return optionsOf(word).stream()
        .filter(name -> command.findOption(name) != null)
        .findFirst()
        .map(name -> Text.format("'%s' (did you mean %s %s?)", word, name, word))
        .orElseGet(() -> Text.format("'%s'", word));
  }

  /** Which options people give such a place; of train, --run is a folder that is not there yet. */
  private static List<String> optionsOf(String word) {
    try {
      Path place = Path.of(word);
      if (Files.isRegularFile(place)) {
        return List.of("--image", "--input");
      }
      if (!Files.isDirectory(place)) {
        return List.of();
      }
      if (Files.exists(place.resolve(PipelineFolder.INDEX))) {
        return List.of("--model", "--from");
      }
      return Files.exists(new RunFolder(place).configFile())
          ? List.of("--resume", "--run")
          : List.of("--data");
    } catch (InvalidPathException e) {
      return List.of();
    }
  }

  private static List<String> nearest(String word, CommandSpec command) {
    if (!word.startsWith("-")) {
      return nearest(
          word,
          command.subcommands().entrySet().stream()
              .filter(entry -> !entry.getValue().getCommandSpec().usageMessage().hidden())
              .map(Map.Entry::getKey));
    }
    Stream<String> names =
        command.options().stream()
            .filter(option -> !option.hidden())
            .flatMap(option -> Stream.of(option.names()))
            .filter(name -> name.startsWith("--"));
    if (word.startsWith("--")) {
      return nearest(word, names);
    }
    // Of a name's first letter; with more letters, a name with one hyphen too few.
    return word.length() == 2 ? initialed(word, names.toList()) : nearest("-" + word, names);
  }

  /** The names that begin with a letter, unless so many do that it says nothing. */
  private static List<String> initialed(String letter, List<String> all) {
    List<String> names =
        all.stream()
            .filter(name -> name.startsWith("-" + letter.toLowerCase(Locale.ROOT)))
            .toList();
    return names.size() > MAX_SUGGESTIONS ? List.of() : names;
  }

  /** The names that take the fewest slips of the keyboard. */
  private static List<String> nearest(String word, Stream<String> names) {
    SortedMap<Integer, List<String>> bySlips =
        names.collect(
            Collectors.groupingBy(name -> slips(word, name), TreeMap::new, Collectors.toList()));
    return bySlips.isEmpty() || bySlips.firstKey() > Math.max(1, word.length() / LETTERS_A_SLIP)
        ? List.of()
        : bySlips.get(bySlips.firstKey());
  }

  /** A name that is not written to its end is one slip. */
  private static int slips(String written, String name) {
    String letters = written.replaceFirst("^-+", "");
    boolean isLong = letters.length() >= LETTERS_A_SLIP;
    if (name.equals(written)) {
      return 0;
    }
    if (name.startsWith(written) || (isLong && name.contains(letters))) {
      return 1;
    }
    if (!isLong) {
      // One slip would be half of it.
      return Integer.MAX_VALUE;
    }
    int hyphen = name.indexOf('-', written.length() - letters.length());
    int all = Levenshtein.distance(written, name);
    return hyphen < 0
        ? all
        : Math.min(all, 1 + Levenshtein.distance(written, name.substring(0, hyphen)));
  }
}
