package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.Text;
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
    return Launch.home()
        .map(home -> home.resolve("models").resolve("fashion-mnist"))
        .orElseThrow(
            () ->
                new ParameterException(
                    command.commandLine(),
                    Text.format(
                        "Missing option: %s, since only the launcher, ddpm, knows where the model is that comes along",
                        missing)));
  }

  /**
   * Where results go for which the user named no place.
   *
   * @param chosen run by the user, or null
   * @param name of the file, or empty for the folder
   * @return its place: in the run's folder or, without one, here
   * @throws IOException if the run that the user named is none
   */
  public static Path place(Path chosen, String name) throws IOException {
    return chosen == null ? Path.of(name) : RunFolder.open(chosen).path().resolve(name);
  }
}
