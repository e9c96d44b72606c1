package org.ddpm4j.plots;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/** Rows of pictures, a title before each row and one above each column, on white. */
public final class PictureTable {

  private static final int TEXT_SIZE = 15;
  private static final int MARGIN = 10;
  private static final int LINE_HEIGHT = 26;

  private final List<String> columnTitles;
  private final List<String> rowTitles = new ArrayList<>();
  private final List<BufferedImage> rows = new ArrayList<>();

  /**
   * An empty table.
   *
   * @param columnTitles what stands above the columns, evenly spread over the width; may be empty
   */
  public PictureTable(List<String> columnTitles) {
    this.columnTitles = List.copyOf(columnTitles);
  }

  /**
   * Adds a row.
   *
   * @param title what stands before it
   * @param picture the whole row
   * @return this table
   */
  public PictureTable row(String title, BufferedImage picture) {
    rowTitles.add(title);
    rows.add(picture);
    return this;
  }

  /**
   * Draws the table.
   *
   * @return the picture
   * @throws IllegalStateException if there are no rows
   */
  public BufferedImage draw() {
    if (rows.isEmpty()) {
      throw new IllegalStateException("A table without rows cannot be drawn; add one.");
    }
    Font font = PlotFont.plain(TEXT_SIZE);
    BufferedImage ruler = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    int left =
        rowTitles.stream()
                .mapToInt(title -> ruler.getGraphics().getFontMetrics(font).stringWidth(title))
                .max()
                .orElseThrow()
            + 2 * MARGIN;
    int top = columnTitles.isEmpty() ? MARGIN : LINE_HEIGHT;
    int width = rows.stream().mapToInt(BufferedImage::getWidth).max().orElseThrow();
    int height = rows.stream().mapToInt(row -> row.getHeight() + MARGIN).sum();
    BufferedImage table =
        new BufferedImage(left + width + MARGIN, top + height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = table.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, table.getWidth(), table.getHeight());
    graphics.setColor(ChartStyle.INK);
    graphics.setFont(font);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    int cell = columnTitles.isEmpty() ? 0 : width / columnTitles.size();
    for (int column = 0; column < columnTitles.size(); column++) {
      String title = columnTitles.get(column);
      int middle = left + column * cell + cell / 2;
      int titleWidth = graphics.getFontMetrics().stringWidth(title);
      graphics.drawString(title, middle - titleWidth / 2, top - MARGIN);
    }
    int y = top;
    for (int row = 0; row < rows.size(); row++) {
      BufferedImage images = rows.get(row);
      graphics.drawString(rowTitles.get(row), MARGIN, y + images.getHeight() / 2 + MARGIN / 2);
      graphics.drawImage(images, left, y, null);
      y += images.getHeight() + MARGIN;
    }
    graphics.dispose();
    return table;
  }
}
