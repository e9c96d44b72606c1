package org.ddpm4j.kernels.cpu;

import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * What outlives every {@link PointerScope} that happens to be open. JavaCPP attaches whatever is
 * made on a thread to that thread's innermost scope, which may be a caller's of the library, who
 * knows nothing of what a network keeps for its next call.
 */
public final class Unscoped {

  private Unscoped() {}

  /**
   * Makes an object that no scope gives back.
   *
   * @param <P> the object
   * @param maker makes it
   * @return the object, which is given back by its {@code close}, or when the garbage collector
   *     finds it
   */
  public static <P extends Pointer> P make(Supplier<P> maker) {
    try (PointerScope scope = new PointerScope()) {
      P made = maker.get();
      scope.extend();
      return made;
    }
  }
}
