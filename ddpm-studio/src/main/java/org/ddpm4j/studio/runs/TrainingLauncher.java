package org.ddpm4j.studio.runs;

import java.util.List;

/** How a training is begun: as a process of its own, whose memory and end are its own. */
@FunctionalInterface
public interface TrainingLauncher {

  /**
   * The command of a training.
   *
   * @param arguments of {@code ddpm train}
   * @return the program and all its arguments
   */
  List<String> command(List<String> arguments);
}
