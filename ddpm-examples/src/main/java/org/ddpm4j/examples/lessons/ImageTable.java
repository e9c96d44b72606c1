package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.util.List;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of images, a title before each row and one above each column: the figure of every tutorial.
 */
final class ImageTable {

  private final int pixelSize;
  private final PictureTable table;

  /**
   * An empty table.
   *
   * @param pixelSize width of each pixel of the images, at least 1
   * @param columnTitles what stands above the columns, or nothing
   */
  ImageTable(int pixelSize, String... columnTitles) {
    this.pixelSize = pixelSize;
    this.table = new PictureTable(List.of(columnTitles));
  }

  /**
   * Adds a row.
   *
   * @param title what stands before it
   * @param images {@code [N,C,H,W]} in [-1,1], from left to right
   * @return this table
   */
  ImageTable row(String title, INDArray images) {
    table.row(title, Images.grid(images, (int) images.size(0), pixelSize));
    return this;
  }

  BufferedImage draw() {
    return table.draw();
  }
}
