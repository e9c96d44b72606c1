package org.ddpm4j.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps.Stratum;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an image costs at each timestep, as a picture. It is drawn in memory, without a display. */
final class BoundChart {

  private static final int PANEL_WIDTH = 600;
  private static final int HEIGHT = 420;

  private static final Color BLUE = new Color(0x1f6feb);
  private static final Color ORANGE = new Color(0xd9730d);

  private BoundChart() {}

  /** The terms of the bound on the left, the errors behind them on the right; means of images. */
  static BufferedImage draw(BoundEvaluation evaluation) {
    XYChart terms = panel("terms of the bound, bits/dim");
    terms.getStyler().setLegendVisible(false);
    addLine(terms, "bits/dim", evaluation, evaluation.terms(), BLUE);
    XYChart errors = panel("mean squared error");
    addLine(errors, "\u03b5", evaluation, evaluation.epsSquaredError(), BLUE);
    addLine(errors, "x0", evaluation, evaluation.x0SquaredError(), ORANGE);
    BufferedImage picture = new BufferedImage(2 * PANEL_WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = picture.createGraphics();
    graphics.drawImage(BitmapEncoder.getBufferedImage(terms), 0, 0, null);
    graphics.drawImage(BitmapEncoder.getBufferedImage(errors), PANEL_WIDTH, 0, null);
    graphics.dispose();
    return picture;
  }

  private static XYChart panel(String title) {
    XYChart chart =
        new XYChartBuilder()
            .width(PANEL_WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("t + 1")
            .build();
    chart.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotBorderVisible(false);
    chart.getStyler().setLegendPosition(Styler.LegendPosition.InsideS);
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(true);
    return chart;
  }

  private static void addLine(
      XYChart chart, String name, BoundEvaluation evaluation, INDArray matrix, Color color) {
    List<Stratum> strata = evaluation.timesteps().strata();
    double[] means =
        IntStream.range(0, strata.size())
            .mapToDouble(s -> BoundEvaluation.average(matrix, s).mean())
            .toArray();
    // A logarithmic axis has no place for 0 and below.
    int[] drawable = IntStream.range(0, means.length).filter(s -> means[s] > 0).toArray();
    if (drawable.length == 0) {
      return;
    }
    XYSeries line =
        chart.addSeries(
            name,
            IntStream.of(drawable).mapToDouble(s -> strata.get(s).timestep() + 1).toArray(),
            IntStream.of(drawable).mapToDouble(s -> means[s]).toArray());
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(color);
    line.setLineStyle(new BasicStroke(1.8f));
  }
}
