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
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.MinimalUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LessonsAAndDTest {

  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern PICTURE_LINE = Pattern.compile("([a-z-]+\\.png): \\S.*");

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"A, 14", "D, 8"})
  void drawsPicturesAndItsPageShowsThem(Lesson lesson, int count) throws IOException {
    List<String> lines = new ArrayList<>();

    // Two steps of training, four of sampling; the command line's test runs a whole lesson.
    lesson.run(new LessonRun(folder.resolve("made/by/the/lesson"), lines::add, 2, 2, 4));

    List<String> names =
        lines.stream()
            .map(PICTURE_LINE::matcher)
            .filter(matcher -> matcher.matches())
            .map(matcher -> matcher.group(1))
            .toList();
    assertThat(names).hasSize(count).doesNotHaveDuplicates();
    try (Stream<Path> files = Files.list(folder.resolve("made/by/the/lesson"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(names);
    }
    for (String name : names) {
      BufferedImage picture =
          ImageIO.read(folder.resolve("made/by/the/lesson").resolve(name).toFile());
      assertThat(picture.getWidth()).as(name).isBetween(200, 3000);
      assertThat(picture.getHeight()).as(name).isBetween(100, 3000);
      assertThat(colours(picture)).as(name).isGreaterThan(10);
    }
    String letter = lesson.name().toLowerCase(Locale.ROOT);
    assertThat(shownOn(letter)).isNotEmpty().isSubsetOf(names);
  }

  private static long colours(BufferedImage picture) {
    int width = picture.getWidth();
    int[] pixels = picture.getRGB(0, 0, width, picture.getHeight(), null, 0, width);
    return Arrays.stream(pixels).distinct().count();
  }

  /** The lesson's pictures that its page shows; they exist, whole. */
  private static List<String> shownOn(String letter) throws IOException {
    String page = Files.readString(DOCS.resolve("lessons").resolve(letter + ".md"));
    List<String> names =
        Pattern.compile("\\]\\(\\.\\./images/lessons/" + letter + "/([a-z-]+\\.png)\\)")
            .matcher(page)
            .results()
            .map((MatchResult match) -> match.group(1))
            .toList();
    for (String name : names) {
      Path file = DOCS.resolve("images/lessons").resolve(letter).resolve(name);
      assertThat(ImageIO.read(file.toFile())).as(file.toString()).isNotNull();
    }
    return names;
  }

  @Test
  void everyFileFitsOnTwoPages() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.list(Path.of("src/main/java/org/ddpm4j/examples/lessons"))) {
      sources = files.toList();
    }
    assertThat(sources).hasSizeGreaterThan(10);
    for (Path source : sources) {
      assertThat(Files.readAllLines(source)).as(source.toString()).hasSizeLessThan(100);
    }
  }

  /** The exercise computes with ε and the library with x0: two formulas of one step. */
  @Test
  void algorithm2IsTheLibrarysSampler() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 1000);
    RespacedSchedule times = schedule.respace(20);
    Denoiser denoiser = best(0.5);
    Algorithm2 exercise = new Algorithm2(times, times.schedule()::posteriorStandardDeviation);
    AncestralSampler library =
        new AncestralSampler(times, ReverseVariance.POSTERIOR, X0Constraint.NONE);

    INDArray expected = sample(library, denoiser);

    assertThat(exercise.steps()).isEqualTo(20);
    assertThat(sample(exercise, denoiser).distance2(expected)).isLessThan(1e-3);
    assertThat(expected.norm2Number().doubleValue()).isGreaterThan(1);
    Algorithm2 noRoot = new Algorithm2(times, times.schedule()::posteriorVariance);
    assertThat(sample(noRoot, denoiser).distance2(expected)).isGreaterThan(1);
  }

  /** The best denoiser of data with independent values from N(0, variance). */
  private static Denoiser best(double variance) {
    return (xt, level) -> {
      double abar = level.alphaCumprod();
      INDArray x0 = xt.mul(Math.sqrt(abar) * variance / (abar * variance + 1 - abar));
      INDArray eps = xt.sub(x0.mul(Math.sqrt(abar))).divi(Math.sqrt(1 - abar));
      return new Denoiser.Estimate(x0, eps);
    };
  }

  private static INDArray sample(Sampler sampler, Denoiser denoiser) {
    return sampler.sample(denoiser, NoiseSource.seeded(3, 0), SamplingObserver.NONE, 2, 1, 4, 4);
  }

  /** What the mistake does: the root of ᾱ stands where ᾱ belongs. */
  @Test
  void aCosineWithoutItsSquareKeepsTheRoot() {
    NoiseSchedule paper = NoiseSchedule.of(CosineSchedule.paper(), 600);
    NoiseSchedule mistaken = NoiseSchedule.of(ScheduleMistakes::cosineWithoutSquare, 600);

    for (int t = 0; t < 598; t++) {
      assertThat(mistaken.alphasCumprod(t)).isCloseTo(paper.sqrtAlphasCumprod(t), within(1e-9));
    }
  }

  @Test
  void uniformNoiseIsTheDistributionFunctionOfTheGaussian() {
    INDArray uniform = UniformNoise.of(Nd4j.createFromArray(-1.959964f, 0f, 0.6744898f));

    assertThat(uniform.toDoubleVector())
        .containsExactly(new double[] {0.025, 0.5, 0.75}, within(1e-5));
  }

  @Test
  void tablesDrawLevelsAsTheyAre() {
    INDArray image = Nd4j.createFromArray(-1f, 0.5f, 1f).reshape(1, 1, 1, 3);

    BufferedImage table = new ImageTable(5, "columns").row("row", image).draw();

    // A margin of 10 and the line around the image to the right, 26 and the line above.
    int right = table.getWidth() - 12;
    assertThat(table.getRGB(right, 28) & 0xffffff).isEqualTo(0xffffff);
    assertThat(table.getRGB(right - 5, 28) & 0xffffff).isEqualTo(0xbfbfbf);
    assertThat(table.getRGB(right - 10, 28) & 0xffffff).isEqualTo(0);
  }

  /** The number of parameters is quadratic in the width; three narrow networks tell the post's. */
  @Test
  void theMinimalModelHasThePostsParameters() {
    double[] counts = new double[3];
    for (int i = 0; i < 3; i++) {
      try (Unet unet = Unet.create(MinimalUnet.of(1).withDim(2 * i + 2), DataType.FLOAT, 0)) {
        counts[i] = unet.parameters().count();
      }
    }
    double second = (counts[2] - 2 * counts[1] + counts[0]) / 2;
    double first = counts[1] - counts[0] - second;
    double steps = (64 - 2) / 2.0;

    assertThat(MinimalUnet.of(1).dim()).isEqualTo(64);
    assertThat(second * steps * steps + first * steps + counts[0]).isEqualTo(103_900_835);
  }

  /** What the page on lesson D says of grey backgrounds. */
  @Test
  void theMinimalModelDoesNotSeeBrightness() {
    try (Unet unet = Unet.create(MinimalUnet.of(1).withDim(4), DataType.FLOAT, 0)) {
      INDArray x = NoiseSource.seeded(0, 0).gaussian(0, 1, 1, 32, 32);
      INDArray t = Nd4j.createFromArray(10);
      INDArray answer = unet.predict(x, t);

      assertThat(unet.predict(x.add(0.5), t).distance2(answer)).isLessThan(1e-3);
      assertThat(answer.norm2Number().doubleValue()).isGreaterThan(1);
      assertThat(unet.predict(x.neg(), t).distance2(answer)).isGreaterThan(1);
    }
  }
}
