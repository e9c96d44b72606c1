package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Winograd's convolution and its gradient against the definition, in double precision. */
class WinogradTest {

  private static final double TOLERANCE = 1e-5;

  @BeforeAll
  static void loadsOnednn() {
    assertThat(Onednn.engine()).isNotNull();
  }

  /**
   * A convolution's operands.
   *
   * @param x {@code [N,H,W,iC]}
   * @param w {@code [3,3,iC,oC]}
   * @param bias {@code [oC]}
   * @param dy {@code [N,H,W,oC]}
   */
  private record Operands(Values x, Values w, Values bias, Values dy) {

    static Operands of(int images, int height, int width, int in, int out) {
      SplittableRandom random = new SplittableRandom(31L * images + height);
      return new Operands(
          Values.gaussian(random, 1, images, height, width, in),
          Values.gaussian(random, 0.1, 3, 3, in, out),
          Values.gaussian(random, 1, out),
          Values.gaussian(random, 1, images, height, width, out));
    }

    @Override
    public String toString() {
      return "%s to %d".formatted(x, w.size(3));
    }
  }

  static Stream<Operands> operands() {
    return Stream.of(
        Operands.of(1, 4, 4, 3, 5),
        Operands.of(2, 1, 1, 4, 4),
        Operands.of(3, 5, 7, 8, 16),
        Operands.of(7, 9, 6, 17, 9),
        Operands.of(2, 3, 13, 1, 2),
        // several runs over some images, the last over fewer
        Operands.of(20, 8, 8, 16, 24),
        Operands.of(33, 7, 8, 4, 4),
        // the gradient of the weights in several parts, the last of fewer channels
        Operands.of(1, 4, 5, 40, 800));
  }

  /** The definition's gradient with respect to x. */
  private static Values inputGradient(Operands of) {
    Values dx = Values.zeros(of.x.shape());
    forEachProduct(of, (x, w, y) -> dx.elements()[x] += of.w.elements()[w] * of.dy.elements()[y]);
    return dx;
  }

  private static Values weightsGradient(Operands of) {
    Values dw = Values.zeros(of.w.shape());
    forEachProduct(of, (x, w, y) -> dw.elements()[w] += of.x.elements()[x] * of.dy.elements()[y]);
    return dw;
  }

  private static Values biasGradient(Operands of) {
    Values db = Values.zeros(of.bias.shape());
    for (int i = 0; i < of.dy.elements().length; i++) {
      db.elements()[i % db.size(0)] += of.dy.elements()[i];
    }
    return db;
  }

  /** One of the products of which the definition is the sum. */
  private interface Product {
    void accept(int x, int w, int y);
  }

  private static void forEachProduct(Operands of, Product product) {
    int height = of.x.size(1);
    int width = of.x.size(2);
    int in = of.x.size(3);
    int out = of.dy.size(3);
    for (int position = 0; position < of.x.size(0) * height * width; position++) {
      int column = position % width;
      int row = position / width % height;
      for (int k = 0; k < 9; k++) {
        int r = row + k / 3 - 1;
        int c = column + k % 3 - 1;
        if (r >= 0 && r < height && c >= 0 && c < width) {
          int other = position + (r - row) * width + c - column;
          for (int i = 0; i < in; i++) {
            for (int o = 0; o < out; o++) {
              product.accept(other * in + i, (k * in + i) * out + o, position * out + o);
            }
          }
        }
      }
    }
  }

  private static CpuTensor noise(long... shape) {
    return Values.gaussian(new SplittableRandom(8), 1, shape).toTensor();
  }

  private static Values sum(Values a, Values b) {
    return NaiveOps.add(a, b);
  }

  private static void assertClose(CpuTensor actual, Values expected) {
    assertThat(expected.relativeErrorOf(Values.of(actual))).isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("operands")
  void convolves(Operands of) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor y = noise(of.dy.shape());
      CpuTensor x = of.x.toTensor();
      CpuTensor w = of.w.toTensor();
      new Winograd(context, x, w, of.bias.toTensor(), null, y).run();
      Values expected = NaiveOps.conv2d(of.x, of.w, of.bias, 1, 1);
      assertClose(y, expected);
      new Winograd(context, x, w, of.bias.toTensor(), of.dy.toTensor(), y).run();
      assertClose(y, sum(expected, of.dy));
      new Winograd(context, x, w, null, null, y).run();
      assertClose(y, NaiveOps.conv2d(of.x, of.w, null, 1, 1));
    }
  }

  @ParameterizedTest
  @MethodSource("operands")
  void addsGradientsOfParametersAndOverwritesThatOfTheInput(Operands of) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor dx = noise(of.x.shape());
      CpuTensor dw = noise(of.w.shape());
      CpuTensor db = noise(of.bias.shape());
      Values expectedDw = sum(Values.of(dw), weightsGradient(of));
      Values expectedDb = sum(Values.of(db), biasGradient(of));
      WinogradGradient gradient =
          new WinogradGradient(
              context, of.x.toTensor(), of.w.toTensor(), of.dy.toTensor(), dx, dw, db);
      gradient.run();
      assertClose(dx, inputGradient(of));
      assertClose(dw, expectedDw);
      assertClose(db, expectedDb);
      gradient.run();
      assertClose(dx, inputGradient(of));
      assertClose(dw, sum(expectedDw, weightsGradient(of)));
      assertClose(db, sum(expectedDb, biasGradient(of)));
    }
  }

  @Test
  void makesThoseGradientsAloneThatAreAskedFor() {
    Operands of = Operands.of(3, 6, 9, 5, 7);
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor x = of.x.toTensor();
      CpuTensor w = of.w.toTensor();
      CpuTensor dy = of.dy.toTensor();
      CpuTensor dx = noise(of.x.shape());
      new WinogradGradient(context, x, w, dy, dx, null, null).run();
      assertClose(dx, inputGradient(of));
      CpuTensor dw = Values.zeros(of.w.shape()).toTensor();
      new WinogradGradient(context, x, w, dy, null, dw, null).run();
      assertClose(dw, weightsGradient(of));
    }
  }

  /** Forward and gradient read the same transformed weights. */
  @Test
  void followsWeightsWhenTheyArePacked() {
    Operands of = Operands.of(2, 5, 6, 6, 4);
    try (Workers workers = new Workers(2);
        PackedWeights weights = new PackedWeights(workers);
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor w = noise(of.w.shape());
      CpuTensor y = noise(of.dy.shape());
      CpuTensor dx = noise(of.x.shape());
      Winograd forward = new Winograd(context, of.x.toTensor(), w, null, null, y);
      WinogradGradient gradient =
          new WinogradGradient(context, of.x.toTensor(), w, of.dy.toTensor(), dx, null, null);
      of.w.writeTo(w);
      forward.run();
      assertThat(NaiveOps.conv2d(of.x, of.w, null, 1, 1).relativeErrorOf(Values.of(y)))
          .isGreaterThan(0.1);
      weights.refresh();
      forward.run();
      gradient.run();
      assertClose(y, NaiveOps.conv2d(of.x, of.w, null, 1, 1));
      assertClose(dx, inputGradient(of));
    }
  }

  /** A small value among large ones would drown in a transform that is not well made. */
  @Test
  void keepsDigitsWhereChannelsDifferInSize() {
    Operands of = Operands.of(2, 12, 12, 32, 32);
    Arrays.setAll(of.x.elements(), i -> (float) Math.scalb(of.x.elements()[i], i % 32 / 4));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor y = noise(of.dy.shape());
      new Winograd(context, of.x.toTensor(), of.w.toTensor(), null, null, y).run();
      assertClose(y, NaiveOps.conv2d(of.x, of.w, null, 1, 1));
    }
  }

  @Test
  void isForManyChannelsAndItsWeightsGradientForManySquares() {
    assertThat(WinogradTiles.isFaster(16, 16, 256, 256)).isTrue();
    assertThat(WinogradTiles.isFaster(16, 16, 3, 8)).isFalse();
    assertThat(WinogradTiles.isFaster(1, 1, 256, 256)).isFalse();
    assertThat(WinogradTiles.isFasterForWeights(noise(8, 16, 16, 4), 256)).isTrue();
    assertThat(WinogradTiles.isFasterForWeights(noise(8, 4, 4, 4), 256)).isFalse();
  }
}
