package org.ddpm4j.unet;

import java.util.function.Supplier;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Makes arrays that stay. ND4J takes memory of the workspace that is open on a thread, which may be
 * a caller's of the library, and uses it again when that ends.
 */
final class OutsideWorkspaces {

  private OutsideWorkspaces() {}

  /** What the work makes owns its memory. */
  static <T> T make(Supplier<T> work) {
    MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
    try {
      return work.get();
    } finally {
      none.close();
    }
  }
}
