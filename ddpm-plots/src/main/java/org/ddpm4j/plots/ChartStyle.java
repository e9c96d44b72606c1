package org.ddpm4j.plots;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;

/** What all charts share: fonts, colours of everything but the data, and sharpness. */
final class ChartStyle {

  /** Pixels of a point, so that charts stay sharp on dense screens. */
  static final int PIXELS_PER_POINT = 2;

  static final Color GRID = new Color(0xdddddd);
  static final Color MINOR_GRID = new Color(0xeeeeee);

  static final Color INK = new Color(0x222222);
  static final int TITLE_SIZE = 14;

  private static final int TEXT_SIZE = 12;
  private static final int PADDING = 12;

  private ChartStyle() {}

  static void apply(AxesChartStyler styler, boolean hasTitle) {
    Font text = PlotFont.plain(TEXT_SIZE);
    styler.setBaseFont(text);
    styler.setChartTitleFont(PlotFont.bold(TITLE_SIZE));
    styler.setAxisTitleFont(text);
    styler.setAxisTickLabelsFont(text);
    styler.setLegendFont(text);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setChartFontColor(INK);
    styler.setAxisTickLabelsColor(INK);
    styler.setAxisTickMarksColor(INK);
    styler.setPlotGridLinesColor(GRID);
    styler.setPlotGridLinesStroke(new BasicStroke(1f));
    styler.setYAxisLabelAlignment(AxesChartStyler.TextAlignment.Right);
    styler.setPlotBorderVisible(false);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setChartTitleVisible(hasTitle);
    styler.setChartTitleBoxVisible(false);
    styler.setChartPadding(PADDING);
    styler.setAntiAlias(true);
  }

  static BufferedImage paint(Chart<?, ?> chart) {
    int width = chart.getWidth();
    int height = chart.getHeight();
    BufferedImage picture =
        new BufferedImage(
            PIXELS_PER_POINT * width, PIXELS_PER_POINT * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = picture.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, picture.getWidth(), picture.getHeight());
    graphics.scale(PIXELS_PER_POINT, PIXELS_PER_POINT);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    chart.paint(graphics, width, height);
    graphics.dispose();
    return picture;
  }
}
