package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.OptionRules;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The first words of the program. */
class HelpTest {

  /** The last of its names, which is the longest. */
  private static final Pattern OPTION =
      Pattern.compile("(?m)^(?:  -\\w, | {6})(?:--[a-z0-9-]+, )*(--[a-z0-9-]+)");

  private static Map<String, CommandLine> commands() {
    Map<String, CommandLine> commands = new TreeMap<>(Cli.program().getSubcommands());
    commands.remove("help");
    return commands;
  }

  private static List<String> options(String help) {
    return OPTION.matcher(help).results().map((MatchResult found) -> found.group(1)).toList();
  }

  /** picocli itself would write to standard error. */
  @Test
  void nothingIsWarnedOf() {
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    try {
      Cli.program();
    } finally {
      System.setErr(before);
    }
    assertThat(written.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void commandsStandByWhatOneWantsToDo() {
    String help = Cli.run("--help").isOk().out();
    assertThat(help)
        .containsSubsequence(
            "Draw images:\n  sample ",
            "Edit images:\n  inpaint ",
            "Train a network:\n  train ",
            "Measure models and machines:\n",
            "  evaluate ",
            "Look at runs, schedules, data and lessons:\n",
            "Exchange with PyTorch and diffusers:\n",
            "  predict ",
            "Use this program:\n  completion ");
    assertThat(help.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
  }

  @Test
  void everyCommandHasAnExampleThatIsPossible() {
    String help = Cli.run().isOk().out();
    commands()
        .forEach(
            (name, command) -> {
              Introduction introduction =
                  command.getCommand().getClass().getAnnotation(Introduction.class);
              assertThat(introduction).as(name).isNotNull();
              String example = introduction.example();
              assertThat(example).startsWith("ddpm " + name);
              assertThat(help).contains("  " + example + "\n");
              assertThat(Cli.run(name, "--help").isOk().out()).contains("Example:  " + example);
              String[] words = example.substring("ddpm ".length()).split(" ");
              OptionRules.check(Cli.program().parseArgs(words));
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "sample",
        "inpaint",
        "image-to-image",
        "interpolate",
        "invert",
        "distances",
        "nearest",
        "convert"
      })
  void theTenOptionsThatMatterStandFirstAndAllCanBeSeen(String command) {
    String first = Cli.run(command, "--help").isOk().out();
    String all = Cli.run(command, "--help-all").isOk().out();
    List<String> inherited = List.of("--help", "--help-all", "--verbose", "--version");
    List<String> shown = options(first).stream().filter(o -> !inherited.contains(o)).toList();
    assertThat(shown)
        .containsExactly(
            commands()
                .get(command)
                .getCommand()
                .getClass()
                .getAnnotation(Introduction.class)
                .first())
        .hasSize(10);
    assertThat(options(first)).containsAll(inherited);
    int number = commands().get(command).getCommandSpec().options().size();
    assertThat(first).contains("'ddpm " + command + " --help-all' shows all " + number + ".");
    assertThat(options(all)).hasSize(number).containsAll(options(first));
    assertThat(all).doesNotContain("shows all");
    assertThat(Arrays.asList(first, all)).allSatisfy(help -> assertThat(help).contains("Example:"));
  }

  /** At the usual width of a terminal, by sentences rather than by lines of the source. */
  @Test
  void footersFillTheirLines() {
    commands()
        .forEach(
            (name, command) -> {
              String help = Cli.run(name, "--help-all").isOk().out();
              assertThat(help.lines())
                  .as(name)
                  .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
              List<String> lines = help.substring(help.indexOf("Example:")).lines().toList();
              for (int i = 1; i < lines.size(); i++) {
                String before = lines.get(i - 1);
                String word = lines.get(i).split(" ", 2)[0];
                if (!word.isEmpty() && !before.isBlank() && !before.startsWith(" ")) {
                  assertThat(before.length() + 1 + word.length()).as(before).isGreaterThan(78);
                }
              }
            });
  }

  @Test
  void allOptionsStandInGroupsAndNamesOfFilesStayWhole() {
    assertThat(Cli.run("train", "--help-all").isOk().out())
        .containsSubsequence(
            "\nThe images:\n", "--dataset=", "\nThe training:\n", "\nThe network:\n", "--dim=");
    assertThat(Cli.run("sample", "--help-all").isOk().out())
        .contains("model_index.json", "OWNER/NAME[@REVISION]", "\nThe sampler:\n");
  }
}
