package org.ddpm4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ddpm4j.cli.options.Introduction;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;

/**
 * What the help shows, and in which order: commands by what one wants to do, an example of each,
 * and of the commands with the most options those that matter first.
 */
final class HelpSections {

  /** The packages of commands, in the order in which one needs them. */
  private static final Map<String, String> GROUPS = new LinkedHashMap<>();

  static {
    GROUPS.put("draw", "Draw images");
    GROUPS.put("edit", "Edit images");
    GROUPS.put("train", "Train a network");
    GROUPS.put("serve", "Open the studio, or offer a service");
    GROUPS.put("measure", "Measure models and machines");
    GROUPS.put("look", "Look at runs, schedules, data and lessons");
    GROUPS.put("exchange", "Exchange with PyTorch and diffusers");
  }

  private static final String OTHERS = "Use this program";

  /** Every command has them. */
  static final Set<String> INHERITED = Set.of("--help", "--help-all", "--version", "--verbose");

  private static final int INDENT = 2;
  private static final int GAP = 2;

  private HelpSections() {}

  /**
   * Sets the sections of the program and its commands.
   *
   * @param program with all commands
   */
  static void install(CommandLine program) {
    program.getCommandSpec().usageMessage().commandListHeading("");
    program
        .getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, help -> commands(help, program));
    for (CommandLine command : program.getSubcommands().values()) {
      introduction(command.getCommandSpec())
          .ifPresent(
              introduction -> {
                command
                    .getHelpSectionMap()
                    .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpSections::options);
                UsageMessageSpec message = command.getCommandSpec().usageMessage();
                List<String> footer =
                    new ArrayList<>(List.of("", "Example:  " + introduction.example()));
                footer.addAll(Arrays.asList(message.footer()));
                message.footer(footer.toArray(String[]::new));
              });
    }
  }

  private static Optional<Introduction> introduction(CommandSpec command) {
    return Optional.ofNullable(command.userObject().getClass().getAnnotation(Introduction.class));
  }

  private static String commands(Help help, CommandLine program) {
    Map<String, List<CommandLine>> groups = new LinkedHashMap<>();
    GROUPS.values().forEach(group -> groups.put(group, new ArrayList<>()));
    groups.put(OTHERS, new ArrayList<>());
    int longest = 0;
    for (CommandLine command : program.getSubcommands().values()) {
      groups.get(group(command)).add(command);
      longest = Math.max(longest, command.getCommandName().length());
    }
    int nameWidth = INDENT + longest + GAP;
    StringBuilder text = new StringBuilder();
    groups.forEach(
        (title, commands) -> {
          if (!commands.isEmpty()) {
            text.append('\n').append(title).append(":\n").append(table(help, commands, nameWidth));
          }
        });
    return text.append("\nEach command has its own help: ddpm COMMAND --help.\n").toString();
  }

  private static String group(CommandLine command) {
    String name = command.getCommand().getClass().getPackageName();
    return GROUPS.getOrDefault(name.substring(name.lastIndexOf('.') + 1), OTHERS);
  }

  private static String table(Help help, List<CommandLine> commands, int nameWidth) {
    int width = help.commandSpec().usageMessage().width();
    TextTable table =
        TextTable.forColumns(
            help.colorScheme(),
            new Column(nameWidth, INDENT, Column.Overflow.SPAN),
            new Column(width - nameWidth, 0, Column.Overflow.WRAP));
    for (CommandLine command : commands) {
      CommandSpec spec = command.getCommandSpec();
      table.addRowValues(
          help.colorScheme().commandText(spec.name()),
          help.colorScheme().text(summary(spec.usageMessage())));
      introduction(spec)
          .ifPresent(
              introduction ->
                  table.addRowValues(
                      help.colorScheme().text(""),
                      help.colorScheme().text("  " + introduction.example())));
    }
    return table.toString();
  }

  private static String summary(UsageMessageSpec message) {
    return message.header().length > 0
        ? message.header()[0]
        : String.join(" ", message.description());
  }

  private static String options(Help help) {
    CommandSpec command = help.commandSpec();
    String[] first = introduction(command).orElseThrow().first();
    if (first.length == 0 || isEverythingWanted(command)) {
      return help.optionList();
    }
    List<OptionSpec> shown = new ArrayList<>();
    for (String name : first) {
      shown.add(command.findOption(name));
    }
    command.options().stream()
        .filter(option -> INHERITED.contains(option.longestName()))
        .forEach(shown::add);
    Help.Layout layout = help.createDefaultLayout();
    layout.addOptions(shown, help.createDefaultParamLabelRenderer());
    return String.format(
        Locale.ROOT,
        "%s%nThese are the options that matter first; '%s --help-all' shows all %d.%n",
        layout,
        command.qualifiedName(),
        command.options().size());
  }

  private static boolean isEverythingWanted(CommandSpec command) {
    ParseResult result = command.commandLine().getParseResult();
    return result != null && result.hasMatchedOption("--help-all");
  }
}
