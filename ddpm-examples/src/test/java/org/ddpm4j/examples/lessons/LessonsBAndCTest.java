package org.ddpm4j.examples.lessons;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Network;
import org.ddpm4j.data.Split;
import org.ddpm4j.schedules.ConstantSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

class LessonsBAndCTest {

  @TempDir private Path folder;

  private final List<String> lines = new ArrayList<>();

  /** Two steps of training, four of sampling. */
  private LessonRun glance() {
    return new LessonRun(folder, lines::add, 2, 2, 4);
  }

  private static ImageDataSet.HoldOut clothes() throws IOException {
    DataSources sources = DataSources.ofHost().withNetwork(Network.FORBIDDEN);
    return new ImageDataSet.HoldOut(
        FashionMnist.load(Split.TRAIN, sources), FashionMnist.load(Split.TEST, sources));
  }

  @Test
  void lessonBDrawsItsPictures() throws IOException {
    LessonB.run(glance(), clothes());

    assertPictures(
        "b-posterior.png",
        "b-targets.png",
        "b-losses.png",
        "b-errors.png",
        "b-bound.png",
        "b-samples.png",
        "b-imagenet-scale.png");
    assertThat(lines.stream().filter(line -> line.startsWith("Trained "))).hasSize(5);
  }

  @Test
  void lessonCDrawsItsPictures() throws IOException {
    LessonC.run(glance(), clothes());

    assertPictures(
        "c-one-dimension.png",
        "c-noisy-images.png",
        "c-pixels.png",
        "c-one-class-losses.png",
        "c-one-class.png",
        "c-all-classes-tutorial.png",
        "c-all-classes.png");
    assertThat(lines).anyMatch(line -> line.startsWith("Trained") && line.contains("221,249"));
    assertThat(lines).anyMatch(line -> line.startsWith("Trained") && line.contains("221,569"));
  }

  /** All of them and no others are there, announced by a line each, and show something. */
  private void assertPictures(String... names) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(names);
    }
    for (String name : names) {
      assertThat(lines).filteredOn(line -> line.startsWith(name + ": ")).hasSize(1);
      BufferedImage picture = ImageIO.read(folder.resolve(name).toFile());
      assertThat(picture.getWidth()).as(name).isBetween(300, 3000);
      assertThat(picture.getHeight()).as(name).isBetween(200, 2000);
      long colors =
          IntStream.range(0, picture.getWidth() * picture.getHeight())
              .map(i -> picture.getRGB(i % picture.getWidth(), i / picture.getWidth()))
              .distinct()
              .limit(20)
              .count();
      assertThat(colors).as(name).isEqualTo(20);
    }
  }

  @Test
  void noRealImageComesTwice() throws IOException {
    INDArray real = AllClasses.real(clothes().heldOut());

    assertThat(real.shape()).containsExactly(160, 1, 28, 28);
    assertThat(
            IntStream.range(0, 160)
                .mapToObj(i -> Arrays.toString(real.get(NDArrayIndex.point(i)).data().asFloat()))
                .distinct())
        .hasSize(160);
  }

  @Test
  void oneNumberArrivesWhereTheDivergenceSaysSo() {
    int step = ForwardInOneDimension.arrival(NoiseSchedule.of(new ConstantSchedule(0.01), 1000));

    assertThat(divergenceFromNormal(step)).isLessThan(1e-3);
    assertThat(divergenceFromNormal(step - 1)).isGreaterThanOrEqualTo(1e-3);
  }

  /** Of 0.7 after so many steps with β = 0.01. */
  private static double divergenceFromNormal(int steps) {
    double mean = 0.7;
    double variance = 0;
    for (int i = 0; i < steps; i++) {
      mean *= Math.sqrt(0.99);
      variance = 0.99 * variance + 0.01;
    }
    return (mean * mean + variance - 1 - Math.log(variance)) / 2;
  }

  @Test
  void theConstantOfTheBoundIsThatOfTwoGaussians() {
    double bits = 0;
    double alphasCumprod = 1 - 1e-4;
    for (int t = 1; t < 1000; t++) {
      double beta = 1e-4 + (0.02 - 1e-4) * t / 999;
      double next = alphasCumprod * (1 - beta);
      double ratio = (1 - alphasCumprod) / (1 - next);
      bits += (ratio - 1 - Math.log(ratio)) / 2 / Math.log(2);
      alphasCumprod = next;
    }

    assertThat(PosteriorAndWeights.constant(NoiseSchedule.of(LinearSchedule.paper(), 1000)))
        .isCloseTo(bits, within(1e-6));
  }

  @Test
  void everyLessonFitsOnTwoPages() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/java/org/ddpm4j/examples/lessons"))) {
      for (Path source : files.toList()) {
        assertThat(Files.readAllLines(source)).as(source.toString()).hasSizeLessThan(100);
      }
    }
  }
}
