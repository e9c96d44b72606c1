package org.ddpm4j.kernels.plan;

/** A block of a device's memory, given back by close. */
public interface DeviceMemory extends AutoCloseable {

  /**
   * Where it lies.
   *
   * @return the address of its first byte
   */
  long address();

  /** {@return its size in bytes} */
  long bytes();

  @Override
  void close();
}
