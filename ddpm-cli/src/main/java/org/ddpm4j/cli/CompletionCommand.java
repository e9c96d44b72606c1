package org.ddpm4j.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.terminal.Console;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the script by which shells complete subcommands, options and their values. */
@Command(
    name = "completion",
    description = "Print a completion script for bash and zsh.",
    footer = {"", "For this shell:  source <(ddpm completion)"})
@Introduction(example = "ddpm completion")
final class CompletionCommand implements Callable<Integer> {

  private final Console console;

  @Spec private CommandSpec spec;

  CompletionCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    console.printText(AutoComplete.bash("ddpm", spec.root().commandLine()) + "\n");
    return 0;
  }
}
