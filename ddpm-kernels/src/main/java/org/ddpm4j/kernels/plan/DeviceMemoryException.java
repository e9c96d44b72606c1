package org.ddpm4j.kernels.plan;

/**
 * A device has not the memory that was asked for. What it held before, it holds still: weights are
 * those of the last whole step.
 */
public final class DeviceMemoryException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /**
   * An exception for people.
   *
   * @param sentence which device, what was asked for, what there is, and what to do
   */
  public DeviceMemoryException(String sentence) {
    super(sentence);
  }
}
