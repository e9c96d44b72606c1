package org.ddpm4j.plots;

import java.awt.image.BufferedImage;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * Lines in a plane. A chart is a value; {@link #draw()} makes its picture, with a legend to the
 * right where there is more than one series.
 *
 * @param title what stands above; may be empty
 * @param series what is drawn, at least one, with different names
 * @param x the horizontal axis
 * @param y the vertical axis
 * @param palette the colours of the series in their order
 * @param width in points of 2x2 pixels
 * @param height in points of 2x2 pixels
 */
public record LineChart(
    String title, List<Series> series, Axis x, Axis y, Palette palette, int width, int height) {

  private static final int DEFAULT_WIDTH = 640;
  private static final int DEFAULT_HEIGHT = 360;
  private static final int MIN_SIZE = 160;
  private static final int MAX_SIZE = 4000;

  /**
   * Checks that there is something to draw.
   *
   * @throws IllegalArgumentException if there are no series, two have the same name, or a size is
   *     not from 160 to 4000
   */
  public LineChart {
    Objects.requireNonNull(title, "title");
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    Objects.requireNonNull(palette, "palette");
    series = List.copyOf(series);
    if (series.isEmpty()) {
      throw new IllegalArgumentException("A chart needs at least one series.");
    }
    Set<String> names = new HashSet<>();
    for (Series one : series) {
      if (!names.add(one.name())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Two series of a chart are called %s; give them different names.",
                one.name()));
      }
    }
    requireSize(width, height);
  }

  /**
   * A chart of some series on linear axes over their range.
   *
   * @param title what stands above; may be empty
   * @param series what is drawn, at least one, with different names
   * @return the chart, 640x360 points
   * @throws IllegalArgumentException if there are no series or two have the same name
   */
  public static LineChart of(String title, List<Series> series) {
    return new LineChart(
        title,
        series,
        Axis.linear(""),
        Axis.linear(""),
        Palette.DISTINCT,
        DEFAULT_WIDTH,
        DEFAULT_HEIGHT);
  }

  /**
   * The same chart with other axes.
   *
   * @param horizontal the horizontal axis
   * @param vertical the vertical axis
   * @return a new chart
   */
  public LineChart withAxes(Axis horizontal, Axis vertical) {
    return new LineChart(title, series, horizontal, vertical, palette, width, height);
  }

  /**
   * The same chart in other colours.
   *
   * @param colors the palette
   * @return a new chart
   */
  public LineChart withPalette(Palette colors) {
    return new LineChart(title, series, x, y, colors, width, height);
  }

  /**
   * The same chart in another size.
   *
   * @param points how wide, 160..4000
   * @param pointsHigh how high, 160..4000
   * @return a new chart
   * @throws IllegalArgumentException if a size is not in that range
   */
  public LineChart withSize(int points, int pointsHigh) {
    return new LineChart(title, series, x, y, palette, points, pointsHigh);
  }

  /**
   * Draws the chart. It takes no display.
   *
   * @return a picture of two pixels a point, 2·width x 2·height
   */
  public BufferedImage draw() {
    return LineChartPainter.paint(this);
  }

  static void requireSize(int width, int height) {
    if (width < MIN_SIZE || width > MAX_SIZE || height < MIN_SIZE || height > MAX_SIZE) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A chart of %dx%d points is not possible; width and height must be from %d to %d.",
              width,
              height,
              MIN_SIZE,
              MAX_SIZE));
    }
  }
}
