package org.ddpm4j.examples.lessons;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.PlotFont;

/** Words beside and above grids of images, so that a picture explains itself. */
final class GridTitles {

  private static final int TEXT_SIZE = 22;
  private static final int MARGIN = 12;

  private GridTitles() {}

  /**
   * To the left of the rows of a grid of grey images, as many of one height as there are titles.
   */
  static BufferedImage beside(List<String> titles, BufferedImage grid) {
    Font font = PlotFont.plain(TEXT_SIZE);
    BufferedImage all = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
    FontMetrics metrics = all.createGraphics().getFontMetrics(font);
    int left = 2 * MARGIN + titles.stream().mapToInt(metrics::stringWidth).max().orElse(0);
    all = new BufferedImage(left + grid.getWidth(), grid.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
    Graphics2D graphics = all.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, all.getWidth(), all.getHeight());
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setFont(font);
    graphics.setColor(Color.BLACK);
    int rowHeight = grid.getHeight() / titles.size();
    for (int row = 0; row < titles.size(); row++) {
      int x = left - MARGIN - metrics.stringWidth(titles.get(row));
      int y = row * rowHeight + (rowHeight + metrics.getAscent() - metrics.getDescent()) / 2;
      graphics.drawString(titles.get(row), x, y);
    }
    graphics.dispose();
    // The samples themselves, which a drawing might pass through a colour space.
    all.getRaster().setRect(left, 0, grid.getRaster());
    return all;
  }

  /** Above grids in columns, with white between them. */
  static BufferedImage above(List<String> titles, List<BufferedImage> grids, int columns) {
    List<BufferedImage> panels = new ArrayList<>();
    for (int i = 0; i < titles.size(); i++) {
      BufferedImage grid = grids.get(i);
      BufferedImage framed =
          new BufferedImage(
              grid.getWidth() + 2 * MARGIN, grid.getHeight() + MARGIN, BufferedImage.TYPE_INT_RGB);
      Graphics2D graphics = framed.createGraphics();
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, framed.getWidth(), framed.getHeight());
      graphics.drawImage(grid, MARGIN, 0, null);
      graphics.dispose();
      panels.add(Panels.titled(titles.get(i), framed));
    }
    return Panels.grid(panels, columns);
  }
}
