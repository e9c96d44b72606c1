package org.ddpm4j.plots;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Pictures side by side. */
public final class Panels {

  private static final int TITLE_LINES = 2;

  private Panels() {}

  /**
   * Puts pictures into rows, on white.
   *
   * @param pictures at least one; a column is as wide as its widest, a row as high as its highest
   * @param columns pictures in a row, at least 1
   * @return one picture
   * @throws IllegalArgumentException if there are no pictures or no columns
   */
  public static BufferedImage grid(List<BufferedImage> pictures, int columns) {
    if (pictures.isEmpty() || columns < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d pictures in %d columns make no panel; it takes at least one of both.",
              pictures.size(),
              columns));
    }
    int across = Math.min(columns, pictures.size());
    int down = (pictures.size() + across - 1) / across;
    int[] widths = new int[across];
    int[] heights = new int[down];
    for (int i = 0; i < pictures.size(); i++) {
      widths[i % across] = Math.max(widths[i % across], pictures.get(i).getWidth());
      heights[i / across] = Math.max(heights[i / across], pictures.get(i).getHeight());
    }
    BufferedImage all =
        new BufferedImage(
            Arrays.stream(widths).sum(), Arrays.stream(heights).sum(), BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = all.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, all.getWidth(), all.getHeight());
    for (int i = 0; i < pictures.size(); i++) {
      int left = Arrays.stream(widths, 0, i % across).sum();
      int top = Arrays.stream(heights, 0, i / across).sum();
      graphics.drawImage(pictures.get(i), left, top, null);
    }
    graphics.dispose();
    return all;
  }

  /**
   * Puts a title above a picture, on white.
   *
   * @param title one line
   * @param picture what it is the title of, of 2x2 pixels a point
   * @return a higher picture
   */
  public static BufferedImage titled(String title, BufferedImage picture) {
    Font font = PlotFont.bold(ChartStyle.PIXELS_PER_POINT * ChartStyle.TITLE_SIZE);
    int band = TITLE_LINES * font.getSize();
    BufferedImage all =
        new BufferedImage(
            picture.getWidth(), picture.getHeight() + band, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = all.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, all.getWidth(), all.getHeight());
    graphics.drawImage(picture, 0, band, null);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setFont(font);
    graphics.setColor(ChartStyle.INK);
    int width = graphics.getFontMetrics().stringWidth(title);
    graphics.drawString(
        title, Math.max(0, (all.getWidth() - width) / 2), band - font.getSize() / 2);
    graphics.dispose();
    return all;
  }
}
