package org.ddpm4j.plots;

import java.awt.Font;
import java.awt.font.FontRenderContext;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.CategoryStyler;

/**
 * A bar for each of a few named numbers. For a number at each timestep, draw a {@link LineChart}
 * with {@link LineStyle#STEPS}.
 *
 * @param title what stands above; may be empty
 * @param names what stands below each bar, at least one; sloping where they would touch
 * @param values height of each bar, as many, finite; copied in and out
 * @param y the vertical axis, linear
 * @param width in points
 * @param height in points
 */
public record BarChart(
    String title, List<String> names, double[] values, Axis y, int width, int height) {

  private static final int DEFAULT_WIDTH = 640;
  private static final int DEFAULT_HEIGHT = 360;
  private static final double BAR_SHARE = 0.7;

  /** Of the width, what the vertical axis leaves to the bars. */
  private static final double PLOT_SHARE = 0.85;

  private static final int SLOPE_DEGREES = 45;

  /**
   * Checks that there is something to draw.
   *
   * @throws IllegalArgumentException if there are no bars, names and values differ in number, a
   *     value is not finite, the axis is logarithmic, or a size is not from 160 to 4000
   */
  public BarChart {
    Objects.requireNonNull(title, "title");
    names = List.copyOf(names);
    values = values.clone();
    if (names.isEmpty() || names.size() != values.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A bar chart of %d names and %d values is not possible; it needs at least one, and as many of both.",
              names.size(),
              values.length));
    }
    if (!Arrays.stream(values).allMatch(Double::isFinite)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The values %s have no bars; all must be finite.",
              Arrays.toString(values)));
    }
    if (y.scale() != Scale.LINEAR) {
      throw new IllegalArgumentException(
          "Bars begin at 0, where a logarithmic axis has no place; take a linear one.");
    }
    LineChart.requireSize(width, height);
  }

  /**
   * A chart of some bars.
   *
   * @param title what stands above; may be empty
   * @param names what stands below each bar
   * @param values height of each bar
   * @param y the vertical axis, linear
   * @return the chart, 640x360 points
   * @throws IllegalArgumentException if there are no bars or one is not possible
   */
  public static BarChart of(String title, List<String> names, double[] values, Axis y) {
    return new BarChart(title, names, values, y, DEFAULT_WIDTH, DEFAULT_HEIGHT);
  }

  /** {@return the heights of the bars, in a new array} */
  @Override
  public double[] values() {
    return values.clone();
  }

  /**
   * Draws the chart. It takes no display.
   *
   * @return a picture of two pixels a point, 2·width x 2·height
   */
  public BufferedImage draw() {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(width)
            .height(height)
            .title(title)
            .yAxisTitle(y.title())
            .build();
    CategoryStyler styler = chart.getStyler();
    ChartStyle.apply(styler, !title.isEmpty());
    styler.setXAxisTitleVisible(false);
    styler.setYAxisTitleVisible(!y.title().isEmpty());
    AxisRange range = AxisRange.of(y, Arrays.stream(values));
    styler.setyAxisTickLabelsFormattingFunction(range::label);
    styler.setLegendVisible(false);
    styler.setAvailableSpaceFill(BAR_SHARE);
    styler.setPlotGridVerticalLinesVisible(false);
    if (!namesFit(styler.getAxisTickLabelsFont())) {
      styler.setXAxisLabelRotation(SLOPE_DEGREES);
    }
    if (!Double.isNaN(y.min())) {
      styler.setYAxisMin(y.min());
    }
    if (!Double.isNaN(y.max())) {
      styler.setYAxisMax(y.max());
    }
    chart
        .addSeries("bars", names, Arrays.stream(values).boxed().toList())
        .setFillColor(Palette.DISTINCT.color(0, 1));
    return ChartStyle.paint(chart);
  }

  private boolean namesFit(Font font) {
    FontRenderContext context = new FontRenderContext(null, true, true);
    double widest =
        names.stream()
            .mapToDouble(name -> font.getStringBounds(name, context).getWidth())
            .max()
            .orElseThrow();
    return widest < PLOT_SHARE * width / names.size();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BarChart that
        && title.equals(that.title)
        && names.equals(that.names)
        && Arrays.equals(values, that.values)
        && y.equals(that.y)
        && width == that.width
        && height == that.height;
  }

  @Override
  public int hashCode() {
    return Objects.hash(title, names, Arrays.hashCode(values), y, width, height);
  }

  @Override
  public String toString() {
    return "BarChart[title=" + title + ", names=" + names + "]";
  }
}
