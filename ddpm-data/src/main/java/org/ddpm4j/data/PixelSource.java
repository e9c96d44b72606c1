package org.ddpm4j.data;

/**
 * Where the pixels of a data set's images are: in memory, or elsewhere and read when they are
 * needed. Unsigned bytes {@code [C,H,W]} for each image, the last axis varying fastest.
 * Thread-safe, and the same each time.
 */
public interface PixelSource {

  /**
   * An array that holds an image.
   *
   * @param image its number, from 0
   * @return the array, which nobody writes to
   */
  byte[] chunk(int image);

  /**
   * Where in its array an image begins.
   *
   * @param image its number, from 0
   * @return the place of its first pixel
   */
  int offset(int image);
}
