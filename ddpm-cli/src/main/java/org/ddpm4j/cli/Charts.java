package org.ddpm4j.cli;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.diffusion.training.LossHistory;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ScheduleConstant;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Charts as pictures. They are drawn in memory and need no display. */
final class Charts {

  private static final int HEIGHT = 420;
  private static final int LOSS_WIDTH = 840;
  private static final int PANEL_WIDTH = 480;

  /** More points than pixels make a picture no better. */
  private static final int MAX_POINTS = 1000;

  /** A logarithmic axis of less than a decade has hardly any labels. */
  private static final double LOGARITHMIC_FROM = 10;

  private static final Color BLUE = new Color(0x1f6feb);
  private static final Color ORANGE = new Color(0xd9730d);

  /** No ratio of whole numbers up to thousands. */
  private static final double UNEVEN = 0.6180339887;

  private Charts() {}

  /** The losses over the steps of a run, of which there is at least one. */
  static BufferedImage loss(List<LossHistory.Entry> history) {
    XYChart chart = chart(LOSS_WIDTH, "", "step");
    double greatest = history.stream().mapToDouble(LossHistory.Entry::loss).max().orElseThrow();
    double least = history.stream().mapToDouble(LossHistory.Entry::loss).min().orElseThrow();
    chart.getStyler().setYAxisLogarithmic(greatest > LOGARITHMIC_FROM * least);
    chart.getStyler().setLegendVisible(true).setLegendPosition(Styler.LegendPosition.InsideNE);
    List<LossHistory.Entry> shown = thinned(history);
    addLoss(chart, "training loss", BLUE, shown, LossHistory.Entry::loss);
    addLoss(chart, "held-out loss", ORANGE, shown, LossHistory.Entry::validationLoss);
    return BitmapEncoder.getBufferedImage(chart);
  }

  private static void addLoss(
      XYChart chart,
      String name,
      Color color,
      List<LossHistory.Entry> history,
      ToDoubleFunction<LossHistory.Entry> loss) {
    // A logarithmic axis has no place for 0, and NaN stands for no images held out.
    List<LossHistory.Entry> drawable =
        history.stream().filter(entry -> loss.applyAsDouble(entry) > 0).toList();
    if (!drawable.isEmpty()) {
      addLine(
          chart,
          name,
          drawable.stream().mapToDouble(LossHistory.Entry::step).toArray(),
          drawable.stream().mapToDouble(loss).toArray(),
          color);
    }
  }

  private static List<LossHistory.Entry> thinned(List<LossHistory.Entry> history) {
    return Arrays.stream(spread(history.size())).mapToObj(history::get).toList();
  }

  /** Betas, alphas_cumprod and SNR of a schedule, side by side. */
  static BufferedImage schedule(NoiseSchedule schedule, String title) {
    BufferedImage picture = new BufferedImage(3 * PANEL_WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = picture.createGraphics();
    drawPanel(graphics, 0, panel(schedule, ScheduleConstant.BETAS, "betas: " + title));
    drawPanel(graphics, 1, panel(schedule, ScheduleConstant.ALPHAS_CUMPROD, "alphas_cumprod"));
    XYChart snr = panel(schedule, ScheduleConstant.SNR, "SNR (logarithmic)");
    snr.getStyler().setYAxisLogarithmic(true);
    drawPanel(graphics, 2, snr);
    graphics.dispose();
    return picture;
  }

  private static void drawPanel(Graphics2D graphics, int column, XYChart chart) {
    graphics.drawImage(BitmapEncoder.getBufferedImage(chart), column * PANEL_WIDTH, 0, null);
  }

  private static XYChart panel(NoiseSchedule schedule, ScheduleConstant constant, String title) {
    XYChart chart = chart(PANEL_WIDTH, title, "t");
    chart.getStyler().setLegendVisible(false);
    int[] timesteps = spread(schedule.timesteps());
    double[] t = Arrays.stream(timesteps).asDoubleStream().toArray();
    double[] values =
        Arrays.stream(timesteps).mapToDouble(i -> schedule.get(constant, i)).toArray();
    addLine(chart, title, t, values, BLUE);
    return chart;
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

  private static XYChart chart(int width, String title, String xTitle) {
    XYChart chart =
        new XYChartBuilder().width(width).height(HEIGHT).title(title).xAxisTitle(xTitle).build();
    chart.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotBorderVisible(false);
    chart.getStyler().setChartTitleVisible(!title.isEmpty());
    return chart;
  }

  private static void addLine(XYChart chart, String name, double[] x, double[] y, Color color) {
    XYSeries line = chart.addSeries(name, x, y);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(color);
    line.setLineStyle(new BasicStroke(1.8f));
    addUnevenPoint(chart, name, x, y);
  }

  /** Where all values are evenly spaced, XChart labels some of them, and not round numbers. */
  private static void addUnevenPoint(XYChart chart, String name, double[] x, double[] y) {
    int last = x.length - 1;
    XYSeries point =
        chart.addSeries(
            name + ", uneven",
            new double[] {x[0] + UNEVEN * (x[last] - x[0])},
            new double[] {y[0] + UNEVEN * (y[last] - y[0])});
    point.setMarker(SeriesMarkers.NONE);
    point.setLineStyle(SeriesLines.NONE);
    point.setShowInLegend(false);
  }
}
