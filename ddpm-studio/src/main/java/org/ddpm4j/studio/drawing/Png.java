package org.ddpm4j.studio.drawing;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Pictures as files in memory. */
public final class Png {

  private Png() {}

  /**
   * The file of one image of a batch.
   *
   * @param images {@code [N,C,H,W]}
   * @param i which
   * @param normalization of the model that drew them
   * @return PNG
   */
  static byte[] ofImage(INDArray images, int i, Normalization normalization) {
    return Images.png(Images.toPicture(images.slice(i), normalization));
  }

  /**
   * The file of some images of a batch, one below the other without a line in between.
   *
   * @param images {@code [N,C,H,W]}
   * @param first the first of them
   * @param end one more than the last
   * @param normalization of the model that draws them
   * @return PNG of one image's width
   */
  static byte[] strip(INDArray images, int first, int end, Normalization normalization) {
    int height = (int) images.size(2);
    int width = (int) images.size(3);
    BufferedImage strip = null;
    Graphics2D pen = null;
    for (int i = first; i < end; i++) {
      BufferedImage picture = Images.toPicture(images.slice(i), normalization);
      if (strip == null) {
        strip = new BufferedImage(width, height * (end - first), picture.getType());
        pen = strip.createGraphics();
      }
      pen.drawImage(picture, 0, height * (i - first), null);
    }
    if (pen == null) {
      throw new IllegalArgumentException("A strip shows at least one image.");
    }
    pen.dispose();
    return Images.png(strip);
  }

  /**
   * Pictures in a roughly square grid, without enlargement; what is left of the last row is white.
   *
   * @param files PNG files of one size
   * @return PNG
   * @throws IOException if one is no picture
   */
  public static byte[] grid(List<byte[]> files) throws IOException {
    int columns = Images.squareColumns(files.size());
    BufferedImage grid = null;
    Graphics2D pen = null;
    for (int i = 0; i < files.size(); i++) {
      BufferedImage picture = ImageIO.read(new ByteArrayInputStream(files.get(i)));
      int cellWidth = picture.getWidth() + 1;
      int cellHeight = picture.getHeight() + 1;
      if (grid == null) {
        int rows = (files.size() + columns - 1) / columns;
        grid = new BufferedImage(columns * cellWidth + 1, rows * cellHeight + 1, picture.getType());
        pen = grid.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(
            ((files.size() - 1) % columns + 1) * cellWidth + 1,
            (rows - 1) * cellHeight + 1,
            grid.getWidth(),
            cellHeight);
      }
      pen.drawImage(picture, i % columns * cellWidth + 1, i / columns * cellHeight + 1, null);
    }
    if (pen == null) {
      throw new IllegalArgumentException("A grid shows at least one image.");
    }
    pen.dispose();
    return Images.png(grid);
  }
}
