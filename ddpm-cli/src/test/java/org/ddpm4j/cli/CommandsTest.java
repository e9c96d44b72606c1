package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** A command is made alone where it is all that the command line needs, and is the same then. */
class CommandsTest {

  static Stream<String> commands() {
    return Commands.ALL.stream();
  }

  @Test
  void namesAreThoseOfTheCommands() {
    assertThat(Cli.program().getSubcommands().keySet()).containsExactlyElementsOf(Commands.ALL);
    assertThat(Cli.program().getSubcommands().values())
        .extracting(CommandLine::getCommandName)
        .containsExactlyElementsOf(Commands.ALL);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void aloneItIsTheSame(String name) {
    CommandLine alone = Cli.program(List.of(name));
    assertThat(alone.getSubcommands().keySet()).containsExactly(name);
    CommandLine ofAll = Cli.program().getSubcommands().get(name);
    assertThat(alone.getSubcommands().get(name).getUsageMessage())
        .isEqualTo(ofAll.getUsageMessage());
  }

  @Test
  void oneIsMadeWhereItIsNamed() {
    assertThat(Commands.of("train", "--steps", "3")).containsExactly("train");
    assertThat(Commands.of("info")).containsExactly("info");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "--help", "--verbose train", "trian", "help train", "completion", "TRAIN"})
  void allAreMadeOtherwise(String words) {
    String[] args = words.isEmpty() ? new String[0] : words.split(" ");
    assertThat(Commands.of(args)).isEqualTo(Commands.ALL);
  }

  @Test
  void whatIsMisspelledIsStillFound() {
    Cli.run("trian").isBadInput("'trian'", "train");
    Cli.run("train", "--stesp", 3).isBadInput("--stesp", "--steps");
    Cli.run("--verbose", "train", "--stesp", 3).isBadInput("--stesp", "--steps");
    Cli.run("train", "sample").isBadInput("sample");
    Cli.run("evaluate", "--distances", "--count", 0).isBadInput("--count");
  }

  @Test
  void aNameThatThereIsNot() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Commands.commandLine("trian", null))
        .withMessage("There is no command trian.");
  }
}
