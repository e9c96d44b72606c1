package org.ddpm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.unet.UnetFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesTest {

  @TempDir private Path folder;

  private static ImageDataSet clothes() throws IOException {
    return FashionMnist.load(Split.TRAIN, DataSources.ofHost().withNetwork(Network.FORBIDDEN))
        .take(64);
  }

  @Test
  void imagesFadeIntoNoise() throws IOException {
    Path picture = folder.resolve("strips.png");

    ForwardProcessExample.draw(clothes(), picture);

    // The background is black at t = 0 and noise at t = 999: corners tell them apart.
    BufferedImage strips = ImageIO.read(picture.toFile());
    int cell = 2 * 28 + 1;
    assertThat(strips.getWidth()).isEqualTo(11 * cell + 1);
    assertThat(strips.getHeight()).isEqualTo(4 * cell + 1);
    for (int row = 0; row < 4; row++) {
      assertThat(levels(strips, 1, row * cell + 1)).as("t = 0, row %d", row).isLessThan(3);
      assertThat(levels(strips, 10 * cell + 1, row * cell + 1))
          .as("t = 999, row %d", row)
          .isGreaterThan(3);
    }
  }

  /** The number of different greys in the first eight pixels of an image's first row. */
  private static long levels(BufferedImage picture, int x, int y) {
    return Stream.iterate(0, i -> i + 2)
        .limit(8)
        .map(i -> picture.getRGB(x + i, y) & 0xff)
        .distinct()
        .count();
  }

  @Test
  void trainsSavesAndSamples() throws IOException {
    UnetFolder.write(folder, TrainFashionMnistExample.train(clothes(), 2));

    SampleFashionMnistExample.main(new String[] {folder.toString()});

    BufferedImage samples = ImageIO.read(folder.resolve("samples.png").toFile());
    assertThat(samples.getWidth()).isEqualTo(4 * (3 * 28 + 1) + 1);
    assertThat(folder.resolve("samples.gif")).isNotEmptyFile();
  }

  @Test
  void everyExampleFitsOnTwoPages() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/org/ddpm4j/examples"))) {
      sources = files.filter(file -> file.toString().endsWith("Example.java")).toList();
    }
    assertThat(sources).hasSize(3);
    for (Path source : sources) {
      assertThat(Files.readAllLines(source)).as(source.toString()).hasSizeLessThan(100);
    }
  }
}
