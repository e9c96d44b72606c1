package org.ddpm4j.cli;

import java.util.List;
import java.util.stream.Collectors;
import org.ddpm4j.cli.options.Launch;
import org.ddpm4j.io.Text;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** What to do where memory ran out, in the words of the command that needed it. */
final class MemoryShortage {

  /** What takes memory, the most of it first. */
  private static final List<String> SIZES =
      List.of("--image-size", "--size", "--batch-size", "--dim", "--max-images", "--count");

  private MemoryShortage() {}

  /**
   * One sentence.
   *
   * @param error of the JVM, or of JavaCPP, which throws the same for memory outside of the heap
   * @param parsed the command line, as far as it was understood; null if it was not
   */
  static String sentence(OutOfMemoryError error, ParseResult parsed) {
    String message = String.valueOf(error.getMessage());
    String choose = choose(parsed);
    if (message.contains("heap")
        || message.contains("GC overhead")
        || message.contains("VM limit")) {
      long most = Runtime.getRuntime().maxMemory() >> 20;
      return Text.format(
          "There is not enough memory for this in Java's heap of %,d MB; %s, or allow more by %s.",
          most, choose, Launch.javaOption(Text.format("-Xmx%dm", 2 * most)));
    }
    if (message.contains("hysical") || message.contains("llocat")) {
      String limit = System.getProperty("org.bytedeco.javacpp.maxphysicalbytes");
      return Text.format(
          "There is not enough memory for this%s; %s, or allow more by %s.",
          limit == null ? "" : " in the " + limit + " that the program may take",
          choose,
          Launch.memoryOption());
    }
    return Text.format(
        "There is not enough memory for this (%s); %s, or allow more by %s.",
        message, choose, Launch.memoryOption());
  }

  private static String choose(ParseResult parsed) {
    ParseResult command = parsed;
    while (command != null && command.hasSubcommand()) {
      command = command.subcommand();
    }
    if (command == null) {
      return "choose smaller batches or a smaller network";
    }
    CommandSpec spec = command.commandSpec();
    String options =
        SIZES.stream()
            .filter(option -> spec.findOption(option) != null)
            .collect(Collectors.joining(", "));
    return options.isEmpty()
        ? "choose a smaller network"
        : "choose less for " + options + " or a smaller network";
  }
}
