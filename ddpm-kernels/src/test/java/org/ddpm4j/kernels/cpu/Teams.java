package org.ddpm4j.kernels.cpu;

/** Waits for those who help: they come when they have found out that they have nothing to do. */
final class Teams {

  private Teams() {}

  /** The team of the calling thread's task, once it is of this size, at least 2. */
  static Team awaitSize(Workers workers, int size) {
    while (workers.team().map(Team::size).orElse(1) != size) {
      Thread.onSpinWait();
    }
    return workers.team().orElseThrow();
  }
}
