package org.ddpm4j.cli.serve;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.terminal.Console;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Draws for whoever asks over HTTP. */
@Introduction(example = "ddpm serve --model runs/mine --port 8080")
@Command(
    name = "serve",
    description = "Draw images for whoever asks over HTTP, as /v1/openapi.json says.",
    footer = {
      "",
      "What is drawn when the service is asked to end is finished, as far as --grace allows."
    })
public final class ServeCommand implements Callable<Integer> {

  private final Console console;

  @Mixin private ServingOptions serving;

  /**
   * The command.
   *
   * @param console where the address goes
   */
  public ServeCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    return serving.serve(console, "serve", Optional.empty());
  }
}
