package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.kernels.random.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Which elements are dropped: against the definition, and as chance would have it. */
class DropoutTest {

  private static final BatchKey KEY = new BatchKey(0x0123456789ABCDEFL, 12, 5, 70_000);

  private final SplittableRandom random = new SplittableRandom(4);

  /** Word by word from the definition: 0, or 1/(1-p). */
  private static double factor(BatchKey key, int image, int layer, long place, double p) {
    int[] words =
        Philox.block(
            key.seed(),
            (int) (place / 4),
            (int) (key.firstImage() + image),
            (int) key.step(),
            key.purpose() + 65536 * layer);
    boolean kept = (words[(int) (place % 4)] >>> 1) >= Math.round(p * (1L << 31));
    return kept ? 1 / (1 - p) : 0;
  }

  private static OperationCheck.Fused dropout(BatchKey key, int images, int layer, double p) {
    return (graph, in) ->
        new Dropout(graph, in.get(0), keys(graph, key, images), layer, p).outputVariable();
  }

  private static SDVariable keys(SameDiff graph, BatchKey key, int images) {
    return graph.constant(Nd4j.createFromArray(key.rows(images)).reshape(images, BatchKey.PIECES));
  }

  /** Sizes around the kernel's pieces of 1,024 elements, and images that begin within a block. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 0, 0.5",
    "3, 2, 3, 5, 1, 0.1",
    "2, 7, 7, 28, 65535, 0.9",
    "2, 16, 16, 4, 3, 0.3",
    "2, 1, 1, 1030, 2, 0.25",
    "4, 2, 2, 3, 0, 0"
  })
  void isTheDefinition(int n, int h, int w, int c, int layer, double p) {
    int perImage = h * w * c;
    OperationCheck.Oracle oracle =
        in -> {
          double[] y = in.get(0).elements().clone();
          for (int i = 0; i < y.length; i++) {
            y[i] *= factor(KEY, i / perImage, layer, i % perImage, p);
          }
          return new Values(y, in.get(0).shape());
        };
    // Gradients by differences: the same mask, made again.
    OperationCheck.check(
        dropout(KEY, n, layer, p), oracle, List.of(Values.gaussian(random, 1, n, h, w, c)), 1e-6);
  }

  /** What is left of ones. */
  private static double[] mask(BatchKey key, int layer, double p, int elements) {
    double[] ones = new double[elements];
    Arrays.fill(ones, 1);
    long[] shape = {1, 1, 1, elements};
    return OperationCheck.run(dropout(key, 1, layer, p), shape, List.of(new Values(ones, shape)))
        .y()
        .elements();
  }

  private static double shareDropped(double[] mask) {
    return Arrays.stream(mask).filter(x -> x == 0).count() / (double) mask.length;
  }

  /** Bounds are five standard deviations of a binomial distribution. */
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 0.9})
  void asManyAreDroppedAsShouldBe(double p) {
    int n = 1 << 16;
    double[] mask = mask(KEY, 0, p, n);
    double bound = 5 * Math.sqrt(p * (1 - p) / n);
    assertThat(shareDropped(mask)).isCloseTo(p, within(bound));
    assertThat(Arrays.stream(mask).average().orElseThrow()).isCloseTo(1, within(bound / (1 - p)));
    // Neighbours know nothing of each other, up to two blocks away.
    for (int distance = 1; distance <= 8; distance++) {
      assertThat(shareDroppedInBoth(Arrays.copyOf(mask, n - distance), mask, distance))
          .isCloseTo(p * p, within(5 * Math.sqrt(p * p * (1 - p * p) / n)));
    }
  }

  private static double shareDroppedInBoth(double[] a, double[] b, int shift) {
    int both = 0;
    for (int i = 0; i < a.length; i++) {
      both += a[i] == 0 && b[i + shift] == 0 ? 1 : 0;
    }
    return both / (double) a.length;
  }

  /** Masks of two seeds, images, steps or layers agree as two throws of a coin do. */
  @Test
  void seedsImagesStepsAndLayersAreIndependent() {
    int n = 1 << 14;
    double p = 0.5;
    double[] mask = mask(KEY, 3, p, n);
    List<double[]> others =
        List.of(
            mask(new BatchKey(KEY.seed() + 1, 12, 5, 70_000), 3, p, n),
            mask(new BatchKey(KEY.seed() ^ 1L << 63, 12, 5, 70_000), 3, p, n),
            mask(new BatchKey(KEY.seed(), 12, 6, 70_000), 3, p, n),
            mask(new BatchKey(KEY.seed(), 12, 5 + (1 << 16), 70_000), 3, p, n),
            mask(new BatchKey(KEY.seed(), 12, 5, 70_001), 3, p, n),
            mask(new BatchKey(KEY.seed(), 12, 5, 70_000 - (1 << 16)), 3, p, n),
            mask(new BatchKey(KEY.seed(), 11, 5, 70_000), 3, p, n),
            mask(KEY, 2, p, n),
            mask(KEY, 4, p, n));
    for (int i = 0; i < others.size(); i++) {
      assertThat(shareDroppedInBoth(mask, others.get(i), 0))
          .as("other mask %d", i)
          .isCloseTo(p * p, within(5 * Math.sqrt(p * p * (1 - p * p) / n)));
    }
    assertThat(mask(KEY, 3, p, n)).isEqualTo(mask);
  }

  /** A mask of a higher probability drops what one of a lower does, and more. */
  @Test
  void thresholdsAreThoseOfTheWords() {
    assertThat(Dropout.threshold(0)).isZero();
    assertThat(Dropout.threshold(0.5)).isEqualTo(1 << 30);
    assertThat(Dropout.threshold(Math.nextDown(1.0))).isEqualTo(Integer.MAX_VALUE);
    double[] few = mask(KEY, 0, 0.2, 4096);
    double[] many = mask(KEY, 0, 0.6, 4096);
    assertThat(shareDroppedInBoth(few, many, 0)).isEqualTo(shareDropped(few));
  }

  @Test
  void probabilitiesAndLayersOutOfRangeAreRefused() {
    SameDiff graph = SameDiff.create();
    var x = graph.constant(Nd4j.ones(1, 1, 1, 4).castTo(DataType.FLOAT));
    var keys = keys(graph, KEY, 1);
    for (double p : new double[] {1, -0.1, Double.NaN}) {
      assertThatThrownBy(() -> new Dropout(graph, x, keys, 0, p))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the probability must be in [0,1)");
    }
    assertThatThrownBy(() -> new Dropout(graph, x, keys, Dropout.MOST_LAYERS, 0.1))
        .hasMessageContaining("the layer from 0 to 65535");
  }
}
