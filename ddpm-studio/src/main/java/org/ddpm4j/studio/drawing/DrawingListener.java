package org.ddpm4j.studio.drawing;

/**
 * Watches a drawing. It is told in the threads that draw and must not keep them waiting; what it
 * throws is a bug.
 */
public interface DrawingListener {

  /** Does nothing. */
  DrawingListener NONE = new DrawingListener() {};

  /**
   * Pictures of what the images will become.
   *
   * @param preview of some of them
   */
  default void previewed(Preview preview) {}

  /**
   * An image is there.
   *
   * @param position which of the drawing's images, from 0
   * @param png its file
   */
  default void drawn(int position, byte[] png) {}

  /**
   * Estimates of x0 on the way.
   *
   * @param step 1 after the first step
   * @param steps of the whole
   * @param first the position of the first image that is shown
   * @param count images that are shown, one below the other
   * @param png the picture
   */
  record Preview(int step, int steps, int first, int count, byte[] png) {}
}
