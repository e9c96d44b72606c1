package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class NearestImagesTest {

  private final Features real = DistancesFixture.real();
  private final Features generated = DistancesFixture.generated();

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int j = 0; j < a.length; j++) {
      sum += Math.pow((double) a[j] - b[j], 2);
    }
    return Math.sqrt(sum);
  }

  @Test
  void findsWhatAPlainLoopFinds() {
    NearestImages found = new NearestImages(generated);
    found.add(real.select(IntStream.range(0, 100).toArray()));
    found.add(real.select(IntStream.range(100, 220).toArray()));

    for (int i = 0; i < generated.count(); i++) {
      int best = 0;
      for (int j = 1; j < real.count(); j++) {
        if (distance(generated.values()[i], real.values()[j])
            < distance(generated.values()[i], real.values()[best])) {
          best = j;
        }
      }
      assertThat(found.nearest()[i]).isEqualTo(best);
      assertThat(found.distances()[i])
          .isCloseTo(distance(generated.values()[i], real.values()[best]), within(1e-6));
    }
  }

  @Test
  void findsCopies() {
    int[] copied = {17, 3, 219};
    NearestImages found = new NearestImages(real.select(copied));
    assertThat(found.nearest()).containsOnly(-1);
    found.add(real);

    assertThat(found.nearest()).containsExactly(copied);
    assertThat(found.distances()).containsOnly(0);
  }

  /** The squares of 784 such features are known to 1e-6, so that copies were up to 0.003 away. */
  @Test
  void findsTheFirstOfSeveralCopiesWhereFeaturesAreLarge() {
    Random random = new Random(1);
    float[][] values = new float[40][784];
    for (float[] row : values) {
      for (int j = 0; j < row.length; j++) {
        row[j] = (float) (1000 + random.nextGaussian());
      }
    }
    int[] twice = IntStream.range(0, 80).map(i -> i % 40).toArray();
    int[] moved = IntStream.range(0, 40).map(i -> (i + 7) % 40).toArray();
    Features images = Features.of(values);

    NearestImages found = new NearestImages(images.select(moved));
    found.add(images.select(twice));
    found.add(images);

    assertThat(found.nearest()).containsExactly(moved);
    assertThat(found.distances()).containsOnly(0);
  }

  @Test
  void pixelsAreFeaturesToo() {
    INDArray image = Nd4j.createFromArray(-1f, 1f, 0f, 0.5f).reshape(1, 1, 2, 2);

    Features pixels = Pixels.asFeatures(Pixels.of(image, Normalization.SYMMETRIC));

    assertThat(pixels.values()[0])
        .containsExactly(new float[] {0, 1, 128 / 255f, 191 / 255f}, within(1e-6f));
  }

  /** The two images' channels have scales of their own; a pixel p of 1 channel is (p/255 - m)/s. */
  @Test
  void pixelsOfAnyNormalization() {
    double[] mean = {0.485, 0.456, 0.406};
    double[] std = {0.229, 0.224, 0.225};
    float[] pixels = new float[2 * 3 * 2 * 4];
    float[] seen = new float[pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      int channel = i / 8 % 3;
      pixels[i] = i * 83 % 256;
      seen[i] = (float) ((pixels[i] / 255 - mean[channel]) / std[channel]);
    }

    INDArray found =
        Pixels.of(Nd4j.createFromArray(seen).reshape(2, 3, 2, 4), Normalization.IMAGENET);

    assertThat(found.shape()).containsExactly(2, 3, 2, 4);
    assertThat(found.ravel().toFloatVector()).containsExactly(pixels);
    Features features = Pixels.asFeatures(found);
    assertThat(features.count()).isEqualTo(2);
    for (int i = 0; i < 24; i++) {
      assertThat(features.values()[1][i]).isCloseTo(pixels[24 + i] / 255, within(1e-6f));
    }
    assertThatThrownBy(() -> Pixels.of(Nd4j.zeros(1, 1, 2, 2), Normalization.IMAGENET))
        .hasMessageContaining("3 channels");
  }

  @Test
  void closenessTellsCopies() {
    double[] heldOut = IntStream.rangeClosed(1, 101).mapToDouble(i -> i).toArray();

    assertThat(new Closeness(heldOut, heldOut).threshold()).isCloseTo(6, within(1e-12));
    assertThat(new Closeness(heldOut, heldOut).closeShare()).isCloseTo(5 / 101.0, within(1e-12));
    assertThat(new Closeness(new double[] {0, 0.5}, heldOut).closeShare()).isEqualTo(1);
    assertThat(new Closeness(new double[] {70, 7}, heldOut).closeShare()).isZero();
    assertThat(new Closeness(new double[] {70, 7}, heldOut).generatedMedian()).isEqualTo(38.5);
    assertThat(new Closeness(heldOut, heldOut).heldOutMedian()).isEqualTo(51);
    // A tenth of the held-out images are in the training set, too.
    double[] withCopies = IntStream.range(0, 100).mapToDouble(i -> i % 10).toArray();
    assertThat(new Closeness(new double[] {0, 0, 0, 1}, withCopies).threshold()).isZero();
    assertThat(new Closeness(new double[] {0, 0, 0, 1}, withCopies).closeShare()).isEqualTo(0.75);
    assertThat(new Closeness(heldOut, new double[] {3}).threshold()).isEqualTo(3);
    assertThatThrownBy(() -> new Closeness(new double[0], heldOut))
        .hasMessageContaining("at least one of both");
  }
}
