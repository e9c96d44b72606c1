package org.ddpm4j.cli.options;

import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** The folder of the run that a command works on. */
public final class ChosenRun {

  private ChosenRun() {}

  /**
   * The chosen folder, or else that of the model that comes along, whose place the launcher says.
   *
   * @param chosen by the user, or null
   * @param command that needs it
   * @param missing which options would have named one
   * @return the folder, which need not exist
   */
  public static Path folder(Path chosen, CommandSpec command, String missing) {
    if (chosen != null) {
      return chosen;
    }
    String home = System.getProperty("ddpm.home");
    if (home == null) {
      throw new ParameterException(command.commandLine(), "Missing option: " + missing);
    }
    return Path.of(home, "models", "fashion-mnist");
  }
}
