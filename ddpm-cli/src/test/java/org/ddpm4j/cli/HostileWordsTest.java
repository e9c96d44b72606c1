package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every option of every command with words that fit none: a sentence and exit code 2, or the word
 * means something after all. Each command is called so that it ends in bad input in any case,
 * before it has done any work. A build gives each option a fourth of the words, in turn; with
 * {@code -Dddpm4j.hostile.all=true} all.
 */
class HostileWordsTest {

  private static final Pattern INSIDE =
      Pattern.compile("\\tat |Exception|\\b(java|javax|com|org)(\\.[a-z0-9]+)+\\.[A-Z]");

  private static final Pattern UNSAFE = Pattern.compile("[\\p{Cc}\\u202E&&[^\n]]");

  private static final List<String> WORDS =
      List.of(
          "",
          " ",
          "-1",
          "0",
          "-0.0",
          "NaN",
          "Infinity",
          "1e999",
          "0x1p3",
          "2147483648",
          "9223372036854775807",
          "99999999999999999999",
          "\u0663",
          "1,2,3",
          ",",
          "1:2",
          "a\u001b[31m\u202e\nb",
          "\u0000",
          "/dev/null/none",
          "/dev/zero",
          "@/dev/zero",
          "../../none",
          "%n%s",
          "\ud800",
          "x".repeat(5000));

  /** Missing places and options that do not go together. */
  private static final Map<String, List<String>> ENDINGS =
      Map.ofEntries(
          Map.entry("train", List.of("--dataset", "folder", "--data", "{}/none", "--run", "{}/r")),
          Map.entry("sample", List.of("--run", "{}/none")),
          Map.entry("inpaint", List.of("--run", "{}/none")),
          Map.entry("image-to-image", List.of("--run", "{}/none")),
          Map.entry("interpolate", List.of("--run", "{}/none")),
          Map.entry("invert", List.of("--run", "{}/none")),
          Map.entry("evaluate", List.of("--run", "{}/none")),
          Map.entry("distances", List.of("--run", "{}/none")),
          Map.entry("nearest", List.of("--run", "{}/none")),
          Map.entry("samplers", List.of("--run", "{}/none")),
          Map.entry("schedules", List.of("--output", "{}/none/file", "--timesteps", "0")),
          Map.entry("predict", List.of("--model", "{}/none", "--input", "{}/none")),
          Map.entry("convert", List.of("--run", "{}/none", "--to", "diffusers")),
          Map.entry("info", List.of("{}/none")),
          Map.entry("lesson", List.of("e")),
          Map.entry("data", List.of("--dataset", "folder", "--data", "{}/none")),
          Map.entry("bench", List.of("sample", "--layers", "reference", "--precision", "bfloat16")),
          Map.entry("studio", List.of("--model", "{}/none", "--host", "192.0.2.1")),
          Map.entry("serve", List.of("--model", "{}/none", "--host", "192.0.2.1")),
          Map.entry("spark", List.of("none")),
          Map.entry("completion", List.of()),
          Map.entry("help", List.of()));

  private static final int SHARE = Boolean.getBoolean("ddpm4j.hostile.all") ? 1 : 4;

  @TempDir private Path folder;

  static Stream<String> commands() {
    return Cli.program().getSubcommands().keySet().stream();
  }

  @Test
  void everyCommandHasAnEnding() {
    assertThat(new TreeSet<>(commands().toList())).isEqualTo(new TreeSet<>(ENDINGS.keySet()));
  }

  @ParameterizedTest
  @MethodSource("commands")
  @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void everyWordEndsInASentence(String command) {
    List<String> wrong = new ArrayList<>();
    int turn = 0;
    for (OptionSpec option :
        Cli.program().getSubcommands().get(command).getCommandSpec().options()) {
      for (int i = turn++ % SHARE; i < WORDS.size() && option.arity().max() > 0; i += SHARE) {
        String words = option.longestName() + "=" + WORDS.get(i);
        Cli.Result result = Cli.run(arguments(command, option, words).toArray());
        String last = result.err().lines().reduce((before, line) -> line).orElse("");
        boolean isOk = result.code() == 0;
        boolean isSentence = result.code() == 2 && last.matches("ddpm: .*[.?]");
        if (!(isOk || isSentence)
            || INSIDE.matcher(result.err()).find()
            || UNSAFE.matcher(result.err()).find()) {
          wrong.add(words + ": exit code " + result.code() + ", " + start(result.err()));
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  /** The option in question takes the place of that of the ending. */
  private List<String> arguments(String command, OptionSpec option, String words) {
    List<String> arguments = new ArrayList<>(List.of(command));
    List<String> ending = ENDINGS.get(command);
    for (int i = 0; i < ending.size(); i++) {
      if (List.of(option.names()).contains(ending.get(i))) {
        i++;
      } else {
        arguments.add(ending.get(i).replace("{}", folder.toString()));
      }
    }
    arguments.add(words);
    return arguments;
  }

  private static String start(String text) {
    return text.substring(0, Math.min(700, text.length()));
  }

  @Test
  void aFileWhoseNameBeginsWithAnAtIsNoListOfArguments() throws Exception {
    Path list = Files.writeString(folder.resolve("list"), "--version");
    Cli.run("info", "@" + list).isBadInput("@" + list, "does not exist");
  }

  @Test
  void theRootOfTheFileSystemIsNoModel() {
    Cli.run("serve", "--model", "/").isBadInput("config.json");
    Cli.run("studio", "--images", "/", "--model", folder.resolve("none")).isBadInput("none");
  }
}
