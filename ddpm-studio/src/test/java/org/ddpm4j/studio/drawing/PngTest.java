package org.ddpm4j.studio.drawing;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Collections;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.image.Images;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.factory.Nd4j;

class PngTest {

  /** The service's grid of five pictures is the one that the library makes of the images. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aGridOfPicturesIsThatOfTheirImages(int channels) throws IOException {
    byte[] file = Images.png(Images.toPicture(Nd4j.ones(channels, 2, 4).muli(-0.5)));
    BufferedImage grid =
        ImageIO.read(new ByteArrayInputStream(Png.grid(Collections.nCopies(5, file))));
    BufferedImage expected = Images.grid(Nd4j.ones(5, channels, 2, 4).muli(-0.5), 3, 1);
    assertThat(grid.getWidth()).isEqualTo(expected.getWidth());
    assertThat(grid.getHeight()).isEqualTo(expected.getHeight());
    for (int channel = 0; channel < channels; channel++) {
      assertThat(levels(grid, channel)).isEqualTo(levels(expected, channel));
    }
  }

  private static int[] levels(BufferedImage picture, int channel) {
    return picture
        .getRaster()
        .getSamples(0, 0, picture.getWidth(), picture.getHeight(), channel, (int[]) null);
  }
}
