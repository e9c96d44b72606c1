package org.ddpm4j.plots;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws one {@link LineChart} by XChart. */
final class LineChartPainter {

  /** Begins names of what is no series of the chart; no name begins so. */
  private static final String HIDDEN = "\u0000";

  /** More points than pixels make a picture no better. */
  private static final int MAX_POINTS = 1000;

  private static final float LINE_WIDTH = 2f;

  /** Without the round caps, which hide the seams between a line's segments. */
  private static final float DASH = 6;

  private static final float DOT = 0.5f;
  private static final float GAP = 5;
  private static final int MARKER_SIZE = 6;
  private static final int X_TICK_SPACING = 60;
  private static final int Y_TICK_SPACING = 34;

  /** What title, labels and legend usually take; only lengths of dashes and ticks depend on it. */
  private static final int USUAL_MARGIN = 80;

  /** A hint of the whole axis would leave it without a tick. */
  private static final double SINGLE_DECADE = 0.8;

  /** With more decades, lines for 2 to 9 would be a grey area. */
  private static final double DECADES_WITH_MINOR_LINES = 4;

  /** No ratio of whole numbers up to thousands. */
  private static final double UNEVEN = 0.6180339887;

  private final LineChart model;
  private final List<Series> corners;
  private final AxisRange x;
  private final AxisRange y;
  private final XYChart chart;

  private LineChartPainter(LineChart model) {
    this.model = model;
    this.corners = model.series().stream().map(LineChartPainter::corners).toList();
    this.x = AxisRange.of(model.x(), values(corners.stream().map(Series::x).toList()));
    this.y = AxisRange.of(model.y(), values(corners.stream().map(Series::y).toList()));
    this.chart =
        new XYChartBuilder()
            .width(model.width())
            .height(model.height())
            .title(model.title())
            .xAxisTitle(model.x().title())
            .yAxisTitle(model.y().title())
            .build();
  }

  static BufferedImage paint(LineChart model) {
    LineChartPainter painter = new LineChartPainter(model);
    painter.style(painter.chart.getStyler());
    painter.addMinorLines();
    painter.addAnchor();
    painter.addSeries();
    return ChartStyle.paint(painter.chart);
  }

  private static DoubleStream values(List<double[]> arrays) {
    return arrays.stream().flatMapToDouble(DoubleStream::of);
  }

  private void style(XYStyler styler) {
    ChartStyle.apply(styler, !model.title().isEmpty());
    styler.setXAxisTitleVisible(!model.x().title().isEmpty());
    styler.setYAxisTitleVisible(!model.y().title().isEmpty());
    styler.setXAxisMin(x.low()).setXAxisMax(x.high());
    styler.setYAxisMin(y.low()).setYAxisMax(y.high());
    styler.setXAxisTickMarkSpacingHint(spacing(x, model.width(), X_TICK_SPACING));
    styler.setYAxisTickMarkSpacingHint(spacing(y, model.height(), Y_TICK_SPACING));
    styler.setxAxisTickLabelsFormattingFunction(x::label);
    styler.setyAxisTickLabelsFormattingFunction(y::label);
    styler.setLegendVisible(model.series().size() > 1);
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setMarkerSize(MARKER_SIZE);
  }

  /** On a logarithmic axis, a tick at each decade or at fewer. */
  private static int spacing(AxisRange range, int size, int usual) {
    if (range.scale() == Scale.LINEAR) {
      return usual;
    }
    double space = size - USUAL_MARGIN;
    return (int) Math.max(usual, Math.min(space / range.length(), SINGLE_DECADE * space));
  }

  private void addSeries() {
    int colored =
        (int) corners.stream().filter(series -> series.style() != LineStyle.REFERENCE).count();
    int index = 0;
    for (Series series : corners) {
      boolean isReference = series.style() == LineStyle.REFERENCE;
      Color color = isReference ? Color.BLACK : model.palette().color(index, colored);
      boolean isRepeated =
          model.palette() == Palette.DISTINCT && index / Palette.DISTINCT_COLORS % 2 == 1;
      addSeries(series, color, isRepeated);
      index += isReference ? 0 : 1;
    }
  }

  private void addSeries(Series series, Color color, boolean isRepeated) {
    Series drawn = inCoordinates(series);
    float dash =
        switch (series.style()) {
          case DASHED, REFERENCE -> DASH;
          case DOTTED -> DOT;
          case SOLID, STEPS -> isRepeated ? DASH : 0;
          case POINTS -> 0;
        };
    if (series.style() == LineStyle.POINTS || drawn.x().length == 1) {
      XYSeries points = add(series.name(), drawn, color, SeriesLines.NONE);
      points.setMarker(SeriesMarkers.CIRCLE);
    } else if (dash == 0) {
      add(series.name(), drawn, color, stroke(null));
    } else {
      double xScale = (model.width() - USUAL_MARGIN) / x.length();
      double yScale = (model.height() - USUAL_MARGIN) / y.length();
      Series dashes = new DashedLine(dash, GAP, xScale, yScale).cut(drawn);
      XYSeries line = add(HIDDEN + series.name(), dashes, color, stroke(null));
      line.setShowInLegend(false);
      Series legend = Series.of(series.name(), new double[] {x.low()}, new double[] {y.low()});
      add(series.name(), legend, color, stroke(new float[] {dash, GAP}));
    }
  }

  private XYSeries add(String name, Series points, Color color, BasicStroke stroke) {
    XYSeries line = chart.addSeries(name, points.x(), points.y());
    line.setLineColor(color);
    line.setMarkerColor(color);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineStyle(stroke);
    return line;
  }

  private static BasicStroke stroke(float[] pattern) {
    return new BasicStroke(
        LINE_WIDTH, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND, 1f, pattern, 0f);
  }

  /** Without points that have no place on the horizontal axis; NaN leaves a gap. */
  private Series inCoordinates(Series series) {
    double[] allX = series.x();
    double[] allY = series.y();
    int[] placed =
        IntStream.range(0, allX.length)
            .filter(i -> Double.isFinite(x.coordinate(allX[i])))
            .toArray();
    if (placed.length == 0) {
      return new Series(
          series.name(), new double[] {x.low()}, new double[] {Double.NaN}, series.style());
    }
    return new Series(
        series.name(),
        Arrays.stream(placed).mapToDouble(i -> x.coordinate(allX[i])).toArray(),
        Arrays.stream(placed)
            .mapToDouble(i -> y.coordinate(allY[i]))
            .map(coordinate -> Double.isFinite(coordinate) ? coordinate : Double.NaN)
            .toArray(),
        series.style());
  }

  /** The points of a series as they are drawn: no more than fit, and steps as their corners. */
  private static Series corners(Series series) {
    int[] indices = spread(series.x().length);
    double[] allX = series.x();
    double[] allY = series.y();
    double[] x = Arrays.stream(indices).mapToDouble(i -> allX[i]).toArray();
    double[] y = Arrays.stream(indices).mapToDouble(i -> allY[i]).toArray();
    if (series.style() != LineStyle.STEPS) {
      return new Series(series.name(), x, y, series.style());
    }
    double[] cornersX = new double[2 * x.length];
    double[] cornersY = new double[2 * x.length];
    for (int i = 0; i < x.length; i++) {
      cornersX[2 * i] = border(x, i);
      cornersX[2 * i + 1] = border(x, i + 1);
      cornersY[2 * i] = y[i];
      cornersY[2 * i + 1] = y[i];
    }
    return new Series(series.name(), cornersX, cornersY, series.style());
  }

  /**
   * Between two steps, the same number for both; the first and the last are as wide as the next.
   */
  private static double border(double[] x, int i) {
    int last = x.length - 1;
    if (last == 0) {
      return x[0] + i - 0.5;
    }
    if (i == 0) {
      return x[0] - (x[1] - x[0]) / 2;
    }
    return i > last ? x[last] + (x[last] - x[last - 1]) / 2 : x[i - 1] + (x[i] - x[i - 1]) / 2;
  }

  /** Up to MAX_POINTS indices from 0 to count-1, both included. */
  private static int[] spread(int count) {
    int points = Math.min(count, MAX_POINTS);
    int[] indices = new int[points];
    for (int i = 1; i < points; i++) {
      indices[i] = (int) ((long) i * (count - 1) / (points - 1));
    }
    return indices;
  }

  /** Where all values are evenly spaced, XChart labels some of them, and not round numbers. */
  private void addAnchor() {
    Series anchor =
        Series.of(
            "anchor",
            new double[] {x.low(), x.low() + UNEVEN * x.length(), x.high()},
            new double[] {y.low(), y.low() + UNEVEN * y.length(), y.high()});
    add(HIDDEN, anchor, Color.WHITE, SeriesLines.NONE).setShowInLegend(false);
  }

  private void addMinorLines() {
    if (y.scale() == Scale.LINEAR || y.length() > DECADES_WITH_MINOR_LINES) {
      return;
    }
    // Those of the ticks reach into the margins beside the data; what is beyond is cut off.
    double[] ends = {x.low() - x.length(), x.high() + x.length()};
    for (double decade = Math.floor(y.low()); decade < y.high(); decade++) {
      for (int digit = 2; digit <= 9; digit++) {
        double at = decade + Math.log10(digit);
        if (at > y.low() && at < y.high()) {
          Series line = Series.of("line", ends, new double[] {at, at});
          XYSeries drawn = add(HIDDEN + at, line, ChartStyle.MINOR_GRID, new BasicStroke(1f));
          drawn.setShowInLegend(false);
        }
      }
    }
  }
}
