package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.Objects;

/**
 * Of each of some images the nearest of many others, which are looked at a batch at a time.
 *
 * <p>Not thread-safe.
 */
public final class NearestImages {

  private final Features images;
  private final int[] nearest;
  private final double[] squares;
  private int seen;

  /**
   * Nothing has been looked at yet.
   *
   * @param images features of the images, or their pixels, see {@link Pixels#asFeatures}
   */
  public NearestImages(Features images) {
    Objects.requireNonNull(images, "images");
    this.images = images;
    nearest = new int[images.count()];
    Arrays.fill(nearest, -1);
    squares = new double[images.count()];
    Arrays.fill(squares, Double.POSITIVE_INFINITY);
  }

  /**
   * Looks at further images, which count on from those before.
   *
   * @param others the same features of these
   * @throws IllegalArgumentException if the features are of another length or not finite
   */
  public void add(Features others) {
    int before = seen;
    Neighbours.forEachRow(
        images,
        others,
        (image, row) -> {
          int found = row.nearest();
          if (found >= 0 && row.square(found) < squares[image]) {
            squares[image] = row.square(found);
            nearest[image] = before + found;
          }
        });
    seen += others.count();
  }

  /**
   * The nearest of those looked at, the first where several are.
   *
   * @return a new array with the number of one for each image; -1 before any were added
   */
  public int[] nearest() {
    return nearest.clone();
  }

  /**
   * How far they are.
   *
   * @return a new array with the Euclidean distance for each image; infinity before any were added
   */
  public double[] distances() {
    return Arrays.stream(squares).map(Math::sqrt).toArray();
  }
}
