package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ImageChangeTest {

  private static final ImageChange NOTHING = new ImageChange(1, 0.3, 0.8, 0, 1, 1);
  private static final ImageShape COLOURS = new ImageShape(3, 5, 7);

  private static byte[] noise(ImageShape shape, long seed) {
    byte[] pixels = new byte[shape.volume()];
    new Random(seed).nextBytes(pixels);
    return pixels;
  }

  private static ImageChange draw(Augmentation augmentation, long image, long epoch) {
    return ImageChange.draw(
        augmentation, new CounterRandom(7, Purpose.AUGMENTATIONS), image, epoch);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void withoutStrengthEveryLevelStays(int channels) {
    ImageShape shape = new ImageShape(channels, 16, 16);
    byte[] levels = new byte[shape.volume()];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (byte) i;
    }
    assertThat(NOTHING.apply(levels, shape)).isEqualTo(levels);
    assertThat(draw(Augmentation.NONE, 3, 5).apply(levels, shape)).isEqualTo(levels);
    byte[] colours = noise(shape, 1);
    assertThat(NOTHING.apply(colours, shape)).isEqualTo(colours);
  }

  /** A ramp is linear, so interpolation is exact: what comes out is known in closed form. */
  @Test
  void aCroppedRampIsTheRampOfThePart() {
    ImageShape shape = new ImageShape(1, 20, 20);
    byte[] ramp = new byte[shape.volume()];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = (byte) (6 * (i / 20) + 4 * (i % 20));
    }
    byte[] part = new ImageChange(0.5, 0.5, 1, 0, 1, 1).apply(ramp, shape);
    for (int y = 0; y < 20; y++) {
      for (int x = 0; x < 20; x++) {
        // The rows from 5 on and the columns from 10 on, half a pixel for each.
        double row = 5 + (y + 0.5) / 2 - 0.5;
        double column = Math.min(19, 10 + (x + 0.5) / 2 - 0.5);
        assertThat(Byte.toUnsignedInt(part[20 * y + x]))
            .isEqualTo((int) Math.round(6 * row + 4 * column));
      }
    }
  }

  @Test
  void nothingIsInventedBeyondTheEdge() {
    byte[] white = new byte[COLOURS.volume()];
    Arrays.fill(white, (byte) 255);
    for (long image = 0; image < 100; image++) {
      assertThat(draw(new Augmentation(0.5, 0), image, 0).apply(white, COLOURS)).isEqualTo(white);
    }
  }

  @Test
  void greyPicturesStayGrey() {
    byte[] grey = noise(new ImageShape(1, 5, 7), 2);
    byte[] three = new byte[COLOURS.volume()];
    for (int i = 0; i < three.length; i++) {
      three[i] = grey[i % grey.length];
    }
    for (long image = 0; image < 100; image++) {
      byte[] changed = draw(new Augmentation(0.4, 1), image, 1).apply(three, COLOURS);
      for (int i = 0; i < grey.length; i++) {
        assertThat(changed[i]).isEqualTo(changed[35 + i]).isEqualTo(changed[70 + i]);
      }
    }
  }

  /** Brightness, contrast and saturation of single pixels by the formulas, in double precision. */
  @Test
  void coloursFollowTheFormulas() {
    ImageChange change = new ImageChange(1, 0, 0, -20, 1.3, 0.4);
    byte[] pixels = noise(COLOURS, 3);
    byte[] changed = change.apply(pixels, COLOURS);
    for (int i = 0; i < 35; i++) {
      double[] rgb = new double[3];
      for (int c = 0; c < 3; c++) {
        rgb[c] = Byte.toUnsignedInt(pixels[35 * c + i]);
      }
      double luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      for (int c = 0; c < 3; c++) {
        double level = (luma + 0.4 * (rgb[c] - luma) - 127.5) * 1.3 + 127.5 - 20;
        assertThat((double) Byte.toUnsignedInt(changed[35 * c + i]))
            .isCloseTo(Math.max(0, Math.min(255, level)), within(0.501));
      }
    }
  }

  @Test
  void strengthsAreUniformUpToTheMost() {
    Augmentation augmentation = new Augmentation(0.2, 0.5);
    List<ImageChange> changes =
        IntStream.range(0, 4000).mapToObj(i -> draw(augmentation, i, i % 3)).toList();
    assertThat(changes)
        .allSatisfy(
            change -> {
              assertThat(change.size()).isBetween(0.8, 1.0);
              assertThat(change.top()).isBetween(0.0, 1.0);
              assertThat(change.left()).isBetween(0.0, 1.0);
              assertThat(change.brightness()).isBetween(-255 * 0.25, 255 * 0.25);
              assertThat(change.contrast()).isBetween(0.5, 1.5);
              assertThat(change.saturation()).isBetween(0.5, 1.5);
            });
    // Uniform in an interval of width w: the mean's deviation is w/√12/√4000; five of them.
    double deviations = 5 / Math.sqrt(12 * 4000);
    assertMean(changes, ImageChange::size, 0.9, 0.2 * deviations);
    assertMean(changes, ImageChange::top, 0.5, deviations);
    assertMean(changes, ImageChange::left, 0.5, deviations);
    assertMean(changes, ImageChange::brightness, 0, 127.5 * deviations);
    assertMean(changes, ImageChange::contrast, 1, deviations);
    assertMean(changes, ImageChange::saturation, 1, deviations);
    // Of 4000 some are within a hundredth of each end, but for a chance of 2·0.99⁴⁰⁰⁰.
    assertEnds(changes, ImageChange::size, 0.8, 1);
    assertEnds(changes, ImageChange::top, 0, 1);
    assertEnds(changes, ImageChange::left, 0, 1);
    assertEnds(changes, ImageChange::brightness, -63.75, 63.75);
    assertEnds(changes, ImageChange::contrast, 0.5, 1.5);
    assertEnds(changes, ImageChange::saturation, 0.5, 1.5);
  }

  private static void assertEnds(
      List<ImageChange> changes, ToDoubleFunction<ImageChange> value, double least, double most) {
    double hundredth = (most - least) / 100;
    DoubleSummaryStatistics found = changes.stream().mapToDouble(value).summaryStatistics();
    assertThat(found.getMin()).isCloseTo(least, within(hundredth));
    assertThat(found.getMax()).isCloseTo(most, within(hundredth));
  }

  /** Only colours have a saturation: without it grey would become black. */
  @Test
  void saturationLeavesOneChannelAsItIs() {
    ImageShape shape = new ImageShape(1, 5, 7);
    byte[] grey = noise(shape, 5);
    assertThat(new ImageChange(1, 0, 0, 0, 1, 0.2).apply(grey, shape)).isEqualTo(grey);
  }

  private static void assertMean(
      List<ImageChange> changes,
      ToDoubleFunction<ImageChange> value,
      double mean,
      double tolerance) {
    assertThat(changes.stream().mapToDouble(value).average().orElseThrow())
        .isCloseTo(mean, within(tolerance));
  }

  /** Of any batch size, from any thread, whether mirrored or not. */
  @Test
  void aChangeIsAFunctionOfSeedImageAndEpoch() {
    ImageShape shape = new ImageShape(1, 8, 8);
    byte[] pixels = noise(new ImageShape(1, 8 * 12, 8), 4);
    ImageDataSet data = ImageDataSet.of(shape, pixels, new int[12], List.of("a"), "noise");
    BatchOptions options = BatchOptions.of(12, 7).withAugmentation(new Augmentation(0.3, 0.3));
    ImageDataSetIterator whole = new ImageDataSetIterator(data, options);
    ImageDataSetIterator small =
        new ImageDataSetIterator(
            data, BatchOptions.of(4, 7).withAugmentation(options.augmentation()));
    DataSet all = whole.batch(1);
    boolean same =
        IntStream.range(0, 60)
            .parallel()
            .mapToObj(i -> small.batch(3 + i % 3).getFeatures())
            .toList()
            .equals(
                IntStream.range(0, 60)
                    .mapToObj(
                        i ->
                            all.getFeatures()
                                .get(NDArrayIndex.interval(i % 3 * 4, i % 3 * 4 + 4))
                                .dup('c'))
                    .toList());
    assertThat(same).isTrue();
    int[] indices = whole.indices(1);
    for (int i = 0; i < 12; i++) {
      byte[] expected =
          draw(options.augmentation(), indices[i], 1).apply(data.pixels(indices[i]), shape);
      assertThat(expected).isNotEqualTo(data.pixels(indices[i]));
      for (int p = 0; p < expected.length; p++) {
        assertThat(data.normalization().toPixel(all.getFeatures().getDouble(i, 0, p / 8, p % 8), 0))
            .isEqualTo(Byte.toUnsignedInt(expected[p]));
      }
    }
    assertThat(draw(options.augmentation(), 3, 0)).isNotEqualTo(draw(options.augmentation(), 3, 1));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.01, 0.51, Double.NaN})
  void strengthsOutOfRangeAreRefused(double crop) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Augmentation(crop, 0))
        .withMessageContaining("The crop is");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Augmentation(0, crop > 0.5 ? 1.01 : crop))
        .withMessageContaining("The color jitter is");
  }
}
