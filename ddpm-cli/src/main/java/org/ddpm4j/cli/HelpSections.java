package org.ddpm4j.cli;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.OptionGroup;
import org.ddpm4j.io.Text;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.IParamLabelRenderer;
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
    GROUPS.put("spark", "Use a Spark cluster");
    GROUPS.put("exchange", "Exchange with PyTorch and diffusers");
  }

  private static final String OTHERS = "Use this program";
  private static final String ALL_COMMANDS = "As with all commands";

  /** Every command has them. */
  static final Set<String> INHERITED = Set.of("--help", "--help-all", "--version", "--verbose");

  private static final int INDENT = 2;
  private static final int GAP = 2;
  private static final int LONGEST_ALIGNED = 21;
  private static final String EXAMPLE = "Example:  ";

  /** Where picocli would break a line within a word, and what stands for these meanwhile. */
  private static final String BREAKS = ".,:;/[]{}()-|+<>=@%!?";

  private static final char STANDS_FOR_BREAK = '\ue000';

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
                command
                    .getHelpSectionMap()
                    .put(UsageMessageSpec.SECTION_KEY_FOOTER, HelpSections::footer);
                UsageMessageSpec message = command.getCommandSpec().usageMessage();
                List<String> footer =
                    new ArrayList<>(List.of("", EXAMPLE + introduction.example()));
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

  /** The paragraphs of the footer, which empty lines and lines of lists, indented, end. */
  private static String footer(Help help) {
    int width = help.commandSpec().usageMessage().width() - 1;
    StringBuilder text = new StringBuilder();
    int column = 0;
    for (String line : help.commandSpec().usageMessage().footer()) {
      if (line.isEmpty() || line.startsWith(" ") || line.startsWith(EXAMPLE)) {
        text.append(column > 0 ? "\n" : "").append(line).append('\n');
        column = 0;
        continue;
      }
      for (String word : line.split(" ")) {
        if (column > 0 && column + 1 + word.length() > width) {
          text.append('\n');
          column = 0;
        }
        text.append(column > 0 ? " " : "").append(word);
        column += (column > 0 ? 1 : 0) + word.length();
      }
    }
    return text.append(column > 0 ? "\n" : "").toString();
  }

  private static String options(Help help) {
    CommandSpec command = help.commandSpec();
    String[] first = introduction(command).orElseThrow().first();
    List<OptionSpec> inherited =
        command.options().stream()
            .filter(option -> INHERITED.contains(option.longestName()))
            .toList();
    int nameWidth = nameWidth(help);
    if (first.length > 0 && !isEverythingWanted(command)) {
      List<OptionSpec> shown = new ArrayList<>();
      for (String name : first) {
        shown.add(command.findOption(name));
      }
      shown.addAll(inherited);
      return Text.format(
          "%s%nThese are the options that matter first; '%s --help-all' shows all %d.%n",
          optionTable(help, shown, nameWidth), command.qualifiedName(), command.options().size());
    }
    Map<String, List<OptionSpec>> groups = new LinkedHashMap<>();
    groups.put("", new ArrayList<>());
    for (OptionSpec option : command.options()) {
      if (!inherited.contains(option)) {
        groups.computeIfAbsent(group(option), title -> new ArrayList<>()).add(option);
      }
    }
    if (groups.size() <= 2) {
      return optionTable(help, command.options(), nameWidth);
    }
    groups.put(ALL_COMMANDS, inherited);
    StringBuilder text = new StringBuilder();
    groups.forEach(
        (title, options) -> {
          if (!options.isEmpty()) {
            text.append(title.isEmpty() ? "" : "\n" + title + ":\n");
            text.append(optionTable(help, options, nameWidth));
          }
        });
    return text.toString();
  }

  /** The title that an option stands under: none for a command's own. */
  private static String group(OptionSpec option) {
    if (!(option.userObject() instanceof Field field)) {
      return "";
    }
    OptionGroup own = field.getAnnotation(OptionGroup.class);
    OptionGroup ofAll = field.getDeclaringClass().getAnnotation(OptionGroup.class);
    return own != null ? own.value() : ofAll != null ? ofAll.value() : "";
  }

  /** The column of long names, wide enough for all but the longest. */
  private static int nameWidth(Help help) {
    IParamLabelRenderer labels = help.createDefaultParamLabelRenderer();
    return help.commandSpec().options().stream()
            .mapToInt(
                option ->
                    option.longestName().length()
                        + labels
                            .renderParameterLabel(
                                option, help.ansi(), help.colorScheme().optionParamStyles())
                            .plainString()
                            .length())
            .filter(length -> length <= LONGEST_ALIGNED)
            .max()
            .orElse(0)
        + GAP
        + 1;
  }

  private static String optionTable(Help help, List<OptionSpec> options, int nameWidth) {
    Help.IOptionRenderer renderer = help.createDefaultOptionRenderer();
    Help.Layout layout =
        new Help.Layout(
            help.colorScheme(),
            TextTable.forDefaultColumns(
                help.colorScheme(), nameWidth, help.commandSpec().usageMessage().width()),
            (option, labels, scheme) -> whole(help, renderer.render(option, labels, scheme)),
            help.createDefaultParameterRenderer());
    layout.addOptions(options, help.createDefaultParamLabelRenderer());
    String text = layout.toString();
    for (int i = 0; i < BREAKS.length(); i++) {
      text = text.replace((char) (STANDS_FOR_BREAK + i), BREAKS.charAt(i));
    }
    return text;
  }

  /** Lines break at spaces alone: a file's name, say, stays whole. */
  private static Help.Ansi.Text[][] whole(Help help, Help.Ansi.Text[][] rows) {
    for (Help.Ansi.Text[] row : rows) {
      int last = row.length - 1;
      String description = row[last].plainString();
      for (int i = 0; i < BREAKS.length(); i++) {
        description = description.replace(BREAKS.charAt(i), (char) (STANDS_FOR_BREAK + i));
      }
      row[last] = help.colorScheme().text(description);
    }
    return rows;
  }

  private static boolean isEverythingWanted(CommandSpec command) {
    ParseResult result = command.commandLine().getParseResult();
    return result != null && result.hasMatchedOption("--help-all");
  }
}
