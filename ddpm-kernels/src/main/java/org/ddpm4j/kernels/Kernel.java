package org.ddpm4j.kernels;

/** One operation of a plan, bound to the memory that it reads and writes. */
@FunctionalInterface
public interface Kernel {

  /** Reads the inputs and writes the outputs. */
  void run();
}
