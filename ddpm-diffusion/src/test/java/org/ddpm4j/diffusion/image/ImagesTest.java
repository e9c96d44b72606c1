package org.ddpm4j.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ImagesTest {

  @TempDir Path folder;

  /** A cast without a clamp would wrap: 1.01 would be black, -1.01 white. */
  @ParameterizedTest
  @CsvSource({
    "-1, 0", "1, 255", "0, 128", "-1.01, 0", "1.01, 255", "-1e30, 0", "1e30, 255",
    "-Infinity, 0", "Infinity, 255", "NaN, 0", "0.5, 191", "-0.99, 1", "-0.998, 0", "0.998, 255"
  })
  void valuesBecomeLevelsWithoutWrapping(double value, int level) {
    assertThat(Normalization.SYMMETRIC.toPixel(value, 0)).isEqualTo(level);
  }

  /** A network that has failed leaves a hole, wherever its images are drawn. */
  @Test
  void whatIsNoNumberIsDrawnAsTheDarkestPixel() {
    INDArray images = Nd4j.ones(DataType.FLOAT, 1, 1, 2, 2);
    images.putScalar(new int[] {0, 0, 0, 1}, Float.NaN);
    int[] expected = {255, 0, 255, 255};
    assertThat(samples(Images.toPicture(images.slice(0)), 0)).isEqualTo(expected);
    assertThat(samples(Images.toPictures(images, Normalization.SYMMETRIC).get(0), 0))
        .isEqualTo(expected);
    BufferedImage grid = Images.grid(images, 1, 1);
    assertThat(grid.getRaster().getSamples(1, 1, 2, 2, 0, (int[]) null)).isEqualTo(expected);
  }

  /** Level k is the value 2k/255 - 1. */
  @Test
  void everyLevelIsReached() {
    for (int level = 0; level < 256; level++) {
      assertThat(Normalization.SYMMETRIC.toPixel((float) (2 * level / 255.0 - 1), 0))
          .isEqualTo(level);
    }
  }

  @Test
  void aGridFilledInPartsIsThatOfAllAtOnce() {
    INDArray images = levels(7, 3, 2, 4);
    BufferedImage whole = Images.grid(images, 3, 2);
    ImageGrid grid = new ImageGrid(7, 3, 3, 2, 4, 2, Normalization.SYMMETRIC);
    grid.add(5, images.get(NDArrayIndex.interval(5, 7)));
    grid.add(0, images.get(NDArrayIndex.interval(0, 5)));
    for (int channel = 0; channel < 3; channel++) {
      assertThat(samples(grid.picture(), channel)).isEqualTo(samples(whole, channel));
    }
    assertThatThrownBy(() -> grid.add(6, images.get(NDArrayIndex.interval(0, 2))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from number 6");
    assertThatThrownBy(() -> new ImageGrid(7, 0, 3, 2, 4, 2, Normalization.SYMMETRIC))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 columns");
  }

  @Test
  void oneChannelIsGreyWithTheLevelsThemselves() {
    BufferedImage picture = Images.toPicture(levels(1, 1, 2, 3).slice(0));
    assertThat(picture.getType()).isEqualTo(BufferedImage.TYPE_BYTE_GRAY);
    assertThat(picture.getWidth()).isEqualTo(3);
    assertThat(picture.getHeight()).isEqualTo(2);
    assertThat(samples(picture, 0)).containsExactly(0, 1, 2, 3, 4, 5);
  }

  @Test
  void threeChannelsAreRedGreenAndBlue() {
    BufferedImage picture = Images.toPicture(levels(1, 3, 2, 2).slice(0));
    assertThat(picture.getType()).isEqualTo(BufferedImage.TYPE_INT_RGB);
    assertThat(samples(picture, 0)).containsExactly(0, 1, 2, 3);
    assertThat(samples(picture, 1)).containsExactly(4, 5, 6, 7);
    assertThat(samples(picture, 2)).containsExactly(8, 9, 10, 11);
    assertThat(picture.getRGB(1, 0)).isEqualTo(0xFF010509);
  }

  /** Two columns of 1x2 images at scale 2, lines of one pixel: 2·5+1 wide, 2·3+1 high. */
  @Test
  void aGridHasItsImagesRowByRow() {
    BufferedImage grid = Images.grid(levels(3, 1, 1, 2).add(2 * 10 / 255.0), 2, 2);
    assertThat(grid.getType()).isEqualTo(BufferedImage.TYPE_BYTE_GRAY);
    assertThat(grid.getWidth()).isEqualTo(11);
    assertThat(grid.getHeight()).isEqualTo(7);
    assertThat(samples(grid, 0))
        .containsExactly(
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
            0, 10, 10, 11, 11, 0, 12, 12, 13, 13, 0, //
            0, 10, 10, 11, 11, 0, 12, 12, 13, 13, 0, //
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
            0, 14, 14, 15, 15, 0, 255, 255, 255, 255, 255, //
            0, 14, 14, 15, 15, 0, 255, 255, 255, 255, 255, //
            0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255);
  }

  /** Three columns of black 1x1 images, a place left: as a page, in all channels. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void whereNoImageBelongsAGridIsWhite(int channels) {
    BufferedImage grid = Images.grid(Nd4j.ones(DataType.FLOAT, 5, channels, 1, 1).neg(), 3, 1);
    for (int channel = 0; channel < channels; channel++) {
      int[] levels = samples(grid, channel);
      for (int y = 0; y < 5; y++) {
        for (int x = 0; x < 7; x++) {
          assertThat(levels[7 * y + x]).as("%d, %d", x, y).isEqualTo(x > 4 && y > 2 ? 255 : 0);
        }
      }
    }
  }

  @Test
  void aColourGridKeepsItsColours() {
    INDArray images = levels(2, 3, 1, 1);
    BufferedImage grid = Images.grid(images, 5, 1);
    assertThat(grid.getWidth()).as("no more columns than images").isEqualTo(5);
    assertThat(grid.getHeight()).isEqualTo(3);
    assertThat(grid.getRGB(1, 1)).isEqualTo(0xFF000102);
    assertThat(grid.getRGB(3, 1)).isEqualTo(0xFF030405);
    assertThat(Images.grid(images.dup('f'), 5, 1).getRGB(3, 1)).isEqualTo(0xFF030405);
  }

  @Test
  void refusesWhatIsNoPicture() {
    assertThatThrownBy(() -> Images.toPicture(Nd4j.zeros(2, 3, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A tensor of shape [2, 3, 3] is no picture; [1,H,W] and [3,H,W] are.");
    assertThatThrownBy(() -> Images.grid(Nd4j.zeros(3, 3, 3), 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Images.grid(Nd4j.zeros(1, 1, 3, 3), 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Images.grid(Nd4j.zeros(1, 4, 3, 3), 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 channels");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0", "1, 1", "2, 2", "3, 3", "4, 2", "5, 3", "6, 3", "7, 3", "8, 4", "10, 5", "12, 4",
    "14, 4", "16, 4", "17, 5", "27, 9", "32, 8", "33, 6", "48, 8", "64, 8", "128, 16"
  })
  void squareGridsAreRoughlySquare(int count, int columns) {
    assertThat(Images.squareColumns(count)).isEqualTo(columns);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aPngIsReadBackAsItWas(int channels) throws IOException {
    BufferedImage picture = Images.grid(levels(5, channels, 3, 4), 3, 2);
    Path file = folder.resolve("grid.png");
    Images.writePng(picture, file);
    BufferedImage read = ImageIO.read(file.toFile());
    assertThat(read.getWidth()).isEqualTo(picture.getWidth());
    assertThat(read.getHeight()).isEqualTo(picture.getHeight());
    assertThat(read.getRaster().getNumBands()).isEqualTo(channels);
    for (int band = 0; band < channels; band++) {
      assertThat(samples(read, band)).isEqualTo(samples(picture, band));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aGifHasAllItsFrames(int channels) throws IOException {
    List<BufferedImage> frames =
        IntStream.range(0, 4)
            .mapToObj(i -> Images.grid(levels(2, channels, 2, 2).add(0.3 * i), 2, 3))
            .toList();
    Path file = folder.resolve("steps.gif");
    Images.writeGif(frames, 80, file);

    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      reader.setInput(in);
      assertThat(reader.getNumImages(true)).isEqualTo(4);
      for (int i = 0; i < 4; i++) {
        BufferedImage read = reader.read(i);
        assertThat(read.getWidth()).isEqualTo(frames.get(i).getWidth());
        assertThat(read.getHeight()).isEqualTo(frames.get(i).getHeight());
        // Few enough colours for a palette to hold them all.
        for (int y = 0; y < read.getHeight(); y++) {
          for (int x = 0; x < read.getWidth(); x++) {
            int level = frames.get(i).getRaster().getSample(x, y, 0);
            assertThat(read.getRGB(x, y) >> 16 & 0xFF).as("red of frame %d", i).isEqualTo(level);
          }
        }
      }
    } finally {
      reader.dispose();
    }
    byte[] bytes = Files.readAllBytes(file);
    assertThat(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1))
        .startsWith("GIF89a")
        // The application extension for endless repetition, once.
        .containsOnlyOnce("NETSCAPE2.0\u0003\u0001\u0000\u0000\u0000");
  }

  @Test
  void refusesFramesThatMakeNoAnimation() {
    Path file = folder.resolve("none.gif");
    BufferedImage frame = Images.toPicture(Nd4j.zeros(1, 2, 2));
    BufferedImage larger = Images.toPicture(Nd4j.zeros(1, 2, 3));
    assertThatThrownBy(() -> Images.writeGif(List.of(), 50, file))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Images.writeGif(List.of(frame), 9, file))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Images.writeGif(List.of(frame, larger), 50, file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A frame of 3x2 does not fit an animation of 2x2; frames must be of one size.");
    assertThat(folder).isEmptyDirectory();
  }

  /** Images whose levels count up from 0. */
  private static INDArray levels(long... shape) {
    long length = 1;
    for (long size : shape) {
      length *= size;
    }
    float[] values = new float[(int) length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (2 * i / 255.0 - 1);
    }
    return Nd4j.createFromArray(values).reshape('c', shape);
  }

  private static int[] samples(BufferedImage picture, int band) {
    return picture
        .getRaster()
        .getSamples(0, 0, picture.getWidth(), picture.getHeight(), band, (int[]) null);
  }

  /** Of images 1 to 3 of an array, ND4J takes the last for empty. */
  @Test
  void picturesOfPartOfAnArray() {
    INDArray part =
        Nd4j.linspace(DataType.FLOAT, -1, 0.125, 16)
            .reshape(4, 1, 2, 2)
            .get(NDArrayIndex.interval(1, 4));
    List<BufferedImage> pictures = Images.toPictures(part, Normalization.SYMMETRIC);
    assertThat(samples(pictures.get(2), 0)).containsExactly(191, 207, 223, 239);
  }
}
