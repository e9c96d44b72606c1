package org.ddpm4j.spark.sampling;

import java.io.Serializable;

/**
 * An image that a task has drawn.
 *
 * @param index its number, from 0
 * @param classNumber the row of the class embedding that it was drawn of, or {@link #NO_CLASS}
 * @param image its bytes, see {@link ImageEncoding}
 */
public record DrawnImage(int index, int classNumber, byte[] image) implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Of a network that is told no classes. */
  public static final int NO_CLASS = -1;
}
