package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Winograd's convolution and its gradient against the definition, in double precision. */
class WinogradTest {

  private static final double TOLERANCE = 1e-5;

  @BeforeAll
  static void loadsOnednn() {
    assertThat(Onednn.engine()).isNotNull();
  }

  static Stream<Convolution3x3> operands() {
    return Stream.of(
        Convolution3x3.of(1, 4, 4, 3, 5),
        Convolution3x3.of(2, 1, 1, 4, 4),
        Convolution3x3.of(3, 5, 7, 8, 16),
        Convolution3x3.of(7, 9, 6, 17, 9),
        Convolution3x3.of(2, 3, 13, 1, 2),
        // several runs over some images, the last over fewer
        Convolution3x3.of(20, 8, 8, 16, 24),
        Convolution3x3.of(33, 7, 8, 4, 4),
        // the gradient of the weights in several parts, the last of fewer channels
        Convolution3x3.of(1, 4, 5, 40, 800));
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
  void convolves(Convolution3x3 of) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor y = noise(of.dy().shape());
      CpuTensor x = of.x().toTensor();
      CpuTensor w = of.w().toTensor();
      new Winograd(context, x, w, of.bias().toTensor(), null, y).run();
      Values expected = NaiveOps.conv2d(of.x(), of.w(), of.bias(), 1, 1);
      assertClose(y, expected);
      new Winograd(context, x, w, of.bias().toTensor(), of.dy().toTensor(), y).run();
      assertClose(y, sum(expected, of.dy()));
      new Winograd(context, x, w, null, null, y).run();
      assertClose(y, NaiveOps.conv2d(of.x(), of.w(), null, 1, 1));
    }
  }

  @ParameterizedTest
  @MethodSource("operands")
  void addsGradientsOfParametersAndOverwritesThatOfTheInput(Convolution3x3 of) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor dx = noise(of.x().shape());
      CpuTensor dw = noise(of.w().shape());
      CpuTensor db = noise(of.bias().shape());
      Values expectedDw = sum(Values.of(dw), of.weightsGradient());
      Values expectedDb = sum(Values.of(db), of.biasGradient());
      WinogradGradient gradient =
          new WinogradGradient(
              context, of.x().toTensor(), of.w().toTensor(), of.dy().toTensor(), dx, dw, db);
      gradient.run();
      assertClose(dx, of.inputGradient());
      assertClose(dw, expectedDw);
      assertClose(db, expectedDb);
      gradient.run();
      assertClose(dx, of.inputGradient());
      assertClose(dw, sum(expectedDw, of.weightsGradient()));
      assertClose(db, sum(expectedDb, of.biasGradient()));
      // Whatever is there.
      new WinogradGradient(
              context,
              of.x().toTensor(),
              of.w().toTensor(),
              of.dy().toTensor(),
              dx,
              dw.blank(),
              db.blank())
          .run();
      assertClose(dw, of.weightsGradient());
      assertClose(db, of.biasGradient());
    }
  }

  @Test
  void makesThoseGradientsAloneThatAreAskedFor() {
    Convolution3x3 of = Convolution3x3.of(3, 6, 9, 5, 7);
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor x = of.x().toTensor();
      CpuTensor w = of.w().toTensor();
      CpuTensor dy = of.dy().toTensor();
      CpuTensor dx = noise(of.x().shape());
      new WinogradGradient(context, x, w, dy, dx, null, null).run();
      assertClose(dx, of.inputGradient());
      CpuTensor dw = Values.zeros(of.w().shape()).toTensor();
      new WinogradGradient(context, x, w, dy, null, dw, null).run();
      assertClose(dw, of.weightsGradient());
    }
  }

  /** Forward and gradient read the same transformed weights. */
  @Test
  void followsWeightsWhenTheyArePacked() {
    Convolution3x3 of = Convolution3x3.of(2, 5, 6, 6, 4);
    try (Workers workers = new Workers(2);
        PackedWeights weights = new PackedWeights(workers);
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor w = noise(of.w().shape());
      CpuTensor y = noise(of.dy().shape());
      CpuTensor dx = noise(of.x().shape());
      Winograd forward = new Winograd(context, of.x().toTensor(), w, null, null, y);
      WinogradGradient gradient =
          new WinogradGradient(context, of.x().toTensor(), w, of.dy().toTensor(), dx, null, null);
      of.w().writeTo(w);
      forward.run();
      assertThat(NaiveOps.conv2d(of.x(), of.w(), null, 1, 1).relativeErrorOf(Values.of(y)))
          .isGreaterThan(0.1);
      weights.refresh();
      forward.run();
      gradient.run();
      assertClose(y, NaiveOps.conv2d(of.x(), of.w(), null, 1, 1));
      assertClose(dx, of.inputGradient());
    }
  }

  /** A small value among large ones would drown in a transform that is not well made. */
  @Test
  void keepsDigitsWhereChannelsDifferInSize() {
    Convolution3x3 of = Convolution3x3.of(2, 12, 12, 32, 32);
    Arrays.setAll(of.x().elements(), i -> (float) Math.scalb(of.x().elements()[i], i % 32 / 4));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor y = noise(of.dy().shape());
      new Winograd(context, of.x().toTensor(), of.w().toTensor(), null, null, y).run();
      assertClose(y, NaiveOps.conv2d(of.x(), of.w(), null, 1, 1));
    }
  }

  static Stream<Arguments> wideImages() {
    return Stream.of(
        Arguments.of(1, 8, 8, 128, 144), // four squares, many weights
        Arguments.of(3, 15, 18, 128, 128), // one and two images at a time
        Arguments.of(1, 61, 50, 48, 40)); // more rows of squares than parts
  }

  /** How many there are depends on what else a machine does. */
  @ParameterizedTest
  @MethodSource("wideImages")
  void hasTheSameBitsByHoweverManyThreads(int images, int height, int width, int in, int out) {
    Convolution3x3 of = Convolution3x3.of(images, height, width, in, out);
    double[] alone = byThreads(1, of);
    for (int threads : new int[] {2, 5, 20}) {
      assertThat(byThreads(threads, of)).as("%d threads", threads).isEqualTo(alone);
    }
  }

  private static double[] byThreads(int threads, Convolution3x3 of) {
    try (Workers workers = new Workers(threads);
        PackedWeights weights = new PackedWeights(workers);
        CpuContext context = CpuContexts.of(weights)) {
      CpuTensor y = noise(of.dy().shape());
      Winograd convolution =
          new Winograd(
              context,
              of.x().toTensor(),
              of.w().toTensor(),
              of.bias().toTensor(),
              of.dy().toTensor(),
              y);
      workers.forEachWithHelp(
          1,
          i -> {
            if (threads > 1) {
              Teams.awaitSize(workers, Divisors.largest(Team.MOST, threads));
            }
            OpenMp.singleThreaded(convolution::run);
          });
      return Values.of(y).elements();
    }
  }

  @Test
  void isForManyChannelsAndItsWeightsGradientForManySquares() {
    assertThat(WinogradTiles.isFaster(16, 16, 256, 256)).isTrue();
    assertThat(WinogradTiles.isFaster(5, 4, 256, 256)).isTrue();
    assertThat(WinogradTiles.isFaster(4, 4, 256, 256)).isFalse();
    assertThat(WinogradTiles.isFaster(16, 16, 3, 8)).isFalse();
    assertThat(WinogradTiles.isFaster(1, 1, 256, 256)).isFalse();
    assertThat(WinogradTiles.isFasterForWeights(noise(8, 16, 16, 4), 256)).isTrue();
    assertThat(WinogradTiles.isFasterForWeights(noise(8, 2, 2, 4), 256)).isFalse();
  }
}
