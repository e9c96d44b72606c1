package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFileTest {

  @TempDir private Path folder;

  private Path red(int width, int height) throws IOException {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      image.setRGB(i % width, i / width, 0xFF0000);
    }
    Path file = folder.resolve("red.png");
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  @Test
  void anImageIsBroughtToTheShape() throws IOException {
    ImageDataSet images = ImageFile.read(red(9, 6), new ImageShape(3, 2, 2));
    assertThat(images.size()).isEqualTo(1);
    assertThat(images.pixels(0)).containsExactly(-1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0);
    // The luma of red.
    assertThat(ImageFile.read(red(9, 6), new ImageShape(1, 1, 2)).pixels(0))
        .containsExactly(76, 76);
  }

  @Test
  void whatIsNoImageIsRefusedInOneSentence() throws IOException {
    Path text = Files.writeString(folder.resolve("a.png"), "no image");
    assertThatThrownBy(() -> ImageFile.read(text, new ImageShape(1, 2, 2)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("a.png cannot be read: its content is no JPEG")
        .hasMessageEndingWith("file.");
    assertThatThrownBy(() -> ImageFile.read(folder.resolve("no.png"), new ImageShape(1, 2, 2)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no.png cannot be read: it does not exist");
    // The JDK's message would name it a second time.
    assertThatThrownBy(() -> ImageFile.read(folder, new ImageShape(1, 2, 2)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder + " cannot be read: it is a folder; choose");
    assertThatThrownBy(() -> ImageFile.read(red(2, 2), new ImageShape(2, 2, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not 2");
  }
}
