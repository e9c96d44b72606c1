package org.ddpm4j.io;

import java.io.IOException;

/**
 * A {@link java.util.function.Consumer} that may fail with an {@link IOException}.
 *
 * @param <T> what is consumed
 */
@FunctionalInterface
public interface IoConsumer<T> {

  /**
   * Consumes the value.
   *
   * @param value what to consume
   * @throws IOException if reading or writing fails
   */
  void accept(T value) throws IOException;
}
