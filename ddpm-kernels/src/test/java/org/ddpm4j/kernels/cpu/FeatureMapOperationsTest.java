package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.PointwiseLoss;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Operations on feature maps, and each loss, against plain loops. */
class FeatureMapOperationsTest {

  private static final double TOLERANCE = 1e-5;

  private final SplittableRandom random = new SplittableRandom(3);

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1",
    "2, 3, 5, 1",
    "1, 7, 3, 13",
    "3, 2, 2, 28",
    "2, 1, 1, 1030",
    "1, 9, 11, 12"
  })
  void scaleShiftPerChannel(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) -> new ScaleShiftPerChannel(graph, in.get(0), in.get(1)).outputVariable(),
        in -> NaiveOps.scaleShiftPerChannel(in.get(0), in.get(1)),
        List.of(Values.gaussian(random, 1, n, h, w, c), Values.gaussian(random, 1, n, 2L * c)),
        TOLERANCE);
  }

  /** In the middle of a network it may work in the memory of its input. */
  @Test
  void scaleShiftPerChannelBetweenOthers() {
    OperationCheck.check(
        (graph, in) -> {
          var before = new Eltwise(graph, in.get(0), Activation.SILU).outputVariable();
          var scaled = new ScaleShiftPerChannel(graph, before, in.get(1)).outputVariable();
          return new Eltwise(graph, scaled, Activation.GELU).outputVariable();
        },
        in ->
            NaiveOps.eltwise(
                NaiveOps.scaleShiftPerChannel(
                    NaiveOps.eltwise(in.get(0), Activation.SILU), in.get(1)),
                Activation.GELU),
        List.of(Values.gaussian(random, 1, 2, 3, 4, 5), Values.gaussian(random, 1, 2, 10)),
        TOLERANCE);
  }

  @Test
  void affine() {
    OperationCheck.check(
        (graph, in) -> {
          var inPlace = new Affine(graph, in.get(0), 2, -1).outputVariable();
          return new Affine(graph, inPlace, 0.3, 0).outputVariable();
        },
        in -> NaiveOps.affine(NaiveOps.affine(in.get(0), 2, -1), 0.3, 0),
        List.of(Values.gaussian(random, 1, 3, 7, 5)),
        TOLERANCE);
  }

  /** Padding below and on the right alone, as when halving with diffusers' padding of 0. */
  @ParameterizedTest
  @CsvSource({
    "1, 4, 6, 3, 5, 3, 2, 0, 1",
    "2, 5, 4, 2, 3, 3, 1, 0, 2",
    "2, 6, 4, 17, 9, 4, 2, 2, 1"
  })
  void asymmetricPadding(
      int n, int h, int w, int in, int out, int kernel, int stride, int padding, int endPadding) {
    OperationCheck.check(
        (graph, inputs) ->
            new Conv2d(
                    graph, inputs.get(0), inputs.get(1), inputs.get(2), stride, padding, endPadding)
                .outputVariable(),
        inputs ->
            NaiveOps.conv2d(
                inputs.get(0), inputs.get(1), inputs.get(2), stride, padding, endPadding),
        List.of(
            Values.gaussian(random, 1, n, h, w, in),
            Values.gaussian(random, 0.3, kernel, kernel, in, out),
            Values.gaussian(random, 1, out)),
        TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1, 1", "2, 3, 2, 1, 5", "1, 4, 3, 3, 4"})
  void attentionOfParts(int n, int h, int w, int heads, int width) {
    long features = (long) heads * width;
    OperationCheck.check(
        (graph, in) ->
            new Attention(graph, in.get(0), in.get(1), in.get(2), heads).outputVariable(),
        in ->
            NaiveOps.attention(
                NaiveOps.concatChannels(NaiveOps.concatChannels(in.get(0), in.get(1)), in.get(2)),
                heads),
        List.of(
            Values.gaussian(random, 1, n, h, w, features),
            Values.gaussian(random, 1, n, h, w, features),
            Values.gaussian(random, 1, n, h, w, features)),
        TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "2, 3, 5, 1", "1, 7, 3, 13", "3, 2, 2, 28", "1, 1, 2, 1030"})
  void upsampleNearest(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) -> new UpsampleNearest(graph, in.get(0)).outputVariable(),
        in -> NaiveOps.upsampleNearest(in.get(0)),
        List.of(Values.gaussian(random, 1, n, h, w, c)),
        TOLERANCE);
  }

  @Test
  void upsampleNearestRepeatsEveryPosition() {
    Values x = new Values(new double[] {1, 2, 3, 4}, 1, 1, 2, 2);
    OperationCheck.Result result =
        OperationCheck.run(
            (graph, in) -> new UpsampleNearest(graph, in.get(0)).outputVariable(),
            new long[] {1, 2, 4, 2},
            List.of(x));
    assertThat(result.y().elements())
        .containsExactly(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "2, 3, 5, 1", "1, 7, 3, 13", "3, 2, 2, 28", "1, 1, 2, 1030"})
  void averagePool(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) -> new AveragePool(graph, in.get(0)).outputVariable(),
        in -> NaiveOps.averagePool(in.get(0)),
        List.of(Values.gaussian(random, 1, n, 2L * h, 2L * w, c)),
        TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "2, 3, 5, 1", "1, 7, 3, 13", "3, 2, 2, 28", "1, 1, 2, 1030"})
  void maxPool(int n, int h, int w, int c) {
    OperationCheck.check(
        (graph, in) -> new MaxPool(graph, in.get(0)).outputVariable(),
        in -> NaiveOps.maxPool(in.get(0)),
        List.of(distinct(n, 2L * h, 2L * w, c)),
        TOLERANCE);
  }

  /** No two are so near each other that a difference quotient would swap them. */
  private Values distinct(long... shape) {
    Values values = Values.zeros(shape);
    double[] elements = values.elements();
    for (int i = 0; i < elements.length; i++) {
      elements[i] = (float) ((i - elements.length / 2) / 64.0);
    }
    for (int i = elements.length - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      double kept = elements[i];
      elements[i] = elements[other];
      elements[other] = kept;
    }
    return values;
  }

  /** PyTorch's choice; behind a ReLU, squares of zeros are common. */
  @Test
  void maxPoolGivesTheGradientToTheFirstOfTheLargest() {
    Values x = new Values(new double[] {0, 0, 1, 2, 0, 0, 2, 2}, 1, 2, 4, 1);
    OperationCheck.Result result =
        OperationCheck.run(
            (graph, in) -> new MaxPool(graph, in.get(0)).outputVariable(),
            new long[] {1, 1, 2, 1},
            List.of(x));
    double[] g = result.g().elements();
    assertThat(result.y().elements()).containsExactly(0, 2);
    assertThat(result.gradients().get(0).elements())
        .containsExactly(new double[] {g[0], 0, 0, g[1], 0, 0, 0, 0}, within(1e-6));
  }

  /** A network that has diverged must not look well behind a pooling. */
  @Test
  void poolsKeepWhatIsNotANumber() {
    for (int position = 0; position < 4; position++) {
      Values x = new Values(new double[] {1, 2, 3, 4}, 1, 2, 2, 1);
      x.elements()[position] = Double.NaN;
      for (OperationCheck.Fused pool :
          List.<OperationCheck.Fused>of(
              (graph, in) -> new MaxPool(graph, in.get(0)).outputVariable(),
              (graph, in) -> new AveragePool(graph, in.get(0)).outputVariable())) {
        assertThat(OperationCheck.run(pool, new long[] {1, 1, 1, 1}, List.of(x)).y().elements())
            .containsExactly(Double.NaN);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 1023", "2, 512", "5, 205", "3, 1030"})
  void multiply(int n, int m) {
    OperationCheck.check(
        (graph, in) -> new Multiply(graph, in.get(0), in.get(1)).outputVariable(),
        in -> NaiveOps.multiply(in.get(0), in.get(1)),
        List.of(Values.gaussian(random, 1, n, m), Values.gaussian(random, 1, n, m)),
        TOLERANCE);
  }

  @Test
  void multiplyByItself() {
    OperationCheck.check(
        (graph, in) -> new Multiply(graph, in.get(0), in.get(0)).outputVariable(),
        in -> NaiveOps.multiply(in.get(0), in.get(0)),
        List.of(Values.gaussian(random, 1, 3, 7)),
        TOLERANCE);
  }

  /** Some rows are asked for several times, some never; labels have a gradient of zero. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "4, 3, 5", "2, 10, 32", "17, 5, 1030"})
  void embedding(int n, int count, int width) {
    Values labels = Values.zeros(n);
    for (int i = 0; i < n; i++) {
      labels.elements()[i] = (i * i + count - 1) % count;
    }
    OperationCheck.check(
        (graph, in) -> new Embedding(graph, in.get(0), in.get(1)).outputVariable(),
        in -> NaiveOps.embedding(in.get(0), in.get(1)),
        List.of(labels, Values.gaussian(random, 1, count, width)),
        TOLERANCE);
  }

  @ParameterizedTest
  @EnumSource
  void eltwise(Activation function) {
    // Relu has a corner at zero, where differences say nothing.
    Values x = Values.gaussian(random, 2, 2, 3, 4, 7);
    for (int i = 0; i < x.elements().length; i++) {
      x.elements()[i] += Math.copySign(0.01, x.elements()[i]);
    }
    OperationCheck.check(
        (graph, in) -> new Eltwise(graph, in.get(0), function).outputVariable(),
        in -> NaiveOps.eltwise(in.get(0), function),
        List.of(x),
        TOLERANCE);
  }

  private static Stream<PointwiseLoss> losses() {
    return IntStream.range(0, 4).mapToObj(PointwiseLoss::of);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void lossPerImage(PointwiseLoss loss) {
    Values prediction = Values.gaussian(random, 1, 3, 2, 5, 2);
    Values target = Values.gaussian(random, 1, 3, 2, 5, 2);
    OperationCheck.check(
        (graph, in) -> new LossPerImage(graph, in.get(0), in.get(1), loss).outputVariable(),
        in -> naiveLoss(in.get(0), in.get(1), loss),
        List.of(prediction, target),
        TOLERANCE);
  }

  private static Values naiveLoss(Values prediction, Values target, PointwiseLoss loss) {
    int images = prediction.size(0);
    int elements = prediction.elements().length / images;
    Values losses = Values.zeros(images);
    for (int i = 0; i < prediction.elements().length; i++) {
      double p = prediction.elements()[i];
      double e = p - target.elements()[i];
      double value =
          switch (loss.code()) {
            case 0 -> Math.abs(e);
            case 1 -> e * e;
            case 2 -> Math.abs(e) < 1 ? 0.5 * e * e : Math.abs(e) - 0.5;
            default -> p * target.elements()[i];
          };
      losses.elements()[i / elements] += value / elements;
    }
    return losses;
  }
}
