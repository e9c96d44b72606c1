package org.ddpm4j.cli.serve;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.studio.runs.TrainingLauncher;

/** Begins trainings by this very program: the same Java with the same options. */
final class SameProgram implements TrainingLauncher {

  private static final String MAIN = "org.ddpm4j.cli.Main";

  /** A training deserves the second compiler, and must not take this process's debugger's port. */
  private static boolean isForTrainings(String option) {
    return !option.startsWith("-XX:TieredStopAtLevel")
        && !option.startsWith("-agent")
        && !option.startsWith("-javaagent");
  }

  @Override
  public List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(SameProgram::isForTrainings)
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), MAIN, "train"));
    command.addAll(arguments);
    return command;
  }
}
