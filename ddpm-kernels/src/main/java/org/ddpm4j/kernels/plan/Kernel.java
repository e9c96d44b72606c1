package org.ddpm4j.kernels.plan;

import java.util.List;

/** One operation of a plan, bound to the memory that it reads and writes. */
@FunctionalInterface
public interface Kernel {

  /** Reads the inputs and writes the outputs; on a card, has that done in the stream's order. */
  void run();

  /**
   * Several kernels as one.
   *
   * @param kernels run one after the other
   * @return all of them
   */
  static Kernel sequence(List<Kernel> kernels) {
    Kernel[] all = kernels.toArray(new Kernel[0]);
    if (all.length == 1) {
      return all[0];
    }
    return () -> {
      for (Kernel kernel : all) {
        kernel.run();
      }
    };
  }
}
