package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Winograd's convolution along the height in bfloat16, and its gradient, against the definition in
 * double precision.
 */
class Winograd1dTest {

  /** Transformed numbers have eight bits each, and transforms magnify their rounding threefold. */
  private static final double TOLERANCE = 8e-3;

  /** As they are added in float32. */
  private static final double FLOAT_TOLERANCE = 1e-5;

  private final KernelTensors tensors = new KernelTensors();

  @BeforeAll
  static void needsInstructions() {
    assertThat(Onednn.engine()).isNotNull();
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
  }

  static Stream<Convolution3x3> convolutions() {
    return Stream.of(
        Convolution3x3.of(1, 4, 4, 3, 5),
        Convolution3x3.of(2, 1, 1, 4, 4),
        Convolution3x3.of(3, 5, 7, 8, 16),
        Convolution3x3.of(7, 9, 6, 17, 9),
        Convolution3x3.of(2, 3, 13, 1, 2),
        Convolution3x3.of(4, 6, 5, 32, 64),
        // rows of several pieces, images of several groups
        Convolution3x3.of(6, 8, 34, 40, 33),
        // the gradient of the weights in several parts, the last of fewer channels
        Convolution3x3.of(1, 4, 5, 70, 600));
  }

  /** With x and dy as bfloat16 holds them. */
  private Convolution3x3 rounded(Convolution3x3 of) {
    return new Convolution3x3(rounded(of.x()), of.w(), of.bias(), rounded(of.dy()));
  }

  private Values rounded(Values values) {
    return withContext(
        context -> tensors.values(context, tensors.of(context, values, ElementType.BFLOAT16)));
  }

  private static <T> T withContext(Function<CpuContext, T> work) {
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = new CpuContext(weights, Precision.BFLOAT16)) {
      return work.apply(context);
    }
  }

  private static Values noise(long... shape) {
    return Values.gaussian(new SplittableRandom(8), 1, shape);
  }

  private static void assertClose(Values actual, Values expected) {
    assertThat(expected.relativeErrorOf(actual)).isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void convolvesBfloat16(Convolution3x3 of) {
    convolves(rounded(of), ElementType.BFLOAT16);
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void convolvesFloats(Convolution3x3 of) {
    convolves(of, ElementType.FLOAT32);
  }

  private void convolves(Convolution3x3 of, ElementType type) {
    withContext(
        context -> {
          KernelTensors.poison(context);
          CpuTensor x = tensors.of(context, of.x(), type);
          CpuTensor w = tensors.floats(of.w());
          CpuTensor bias = tensors.floats(of.bias());
          CpuTensor residual = tensors.of(context, of.dy(), type);
          CpuTensor y = tensors.of(context, noise(of.dy().shape()), type);
          Values expected = NaiveOps.conv2d(of.x(), of.w(), of.bias(), 1, 1);
          winograd1d(context, x, w, bias, null, y).run();
          assertClose(tensors.values(context, y), expected);
          winograd1d(context, x, w, bias, residual, y).run();
          assertClose(tensors.values(context, y), NaiveOps.add(expected, of.dy()));
          winograd1d(context, x, w, null, null, y).run();
          assertClose(tensors.values(context, y), NaiveOps.conv2d(of.x(), of.w(), null, 1, 1));
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void addsGradientsOfParametersAndOverwritesThatOfTheInput(Convolution3x3 drawn) {
    Convolution3x3 of = rounded(drawn);
    Values dwBefore = noise(of.w().shape());
    Values dbBefore = noise(of.bias().shape());
    withContext(
        context -> {
          KernelTensors.poison(context);
          CpuTensor x = tensors.of(context, of.x(), ElementType.BFLOAT16);
          CpuTensor w = tensors.floats(of.w());
          CpuTensor dy = tensors.of(context, of.dy(), ElementType.BFLOAT16);
          CpuTensor dx = tensors.of(context, noise(of.x().shape()), ElementType.BFLOAT16);
          CpuTensor dw = tensors.floats(dwBefore);
          CpuTensor db = tensors.floats(dbBefore);
          Winograd1dGradient gradient = new Winograd1dGradient(context, x, w, dy, dx, dw, db);
          Values expectedDw = dwBefore;
          Values expectedDb = dbBefore;
          for (int run = 0; run < 2; run++) {
            gradient.run();
            expectedDw = NaiveOps.add(expectedDw, of.weightsGradient());
            expectedDb = NaiveOps.add(expectedDb, of.biasGradient());
            assertClose(tensors.values(context, dx), of.inputGradient());
            assertClose(Values.of(dw), expectedDw);
            assertThat(expectedDb.relativeErrorOf(Values.of(db))).isLessThan(FLOAT_TOLERANCE);
          }
          // Whatever is there.
          new Winograd1dGradient(context, x, w, dy, dx, dw.blank(), db.blank()).run();
          assertClose(Values.of(dw), of.weightsGradient());
          assertThat(of.biasGradient().relativeErrorOf(Values.of(db))).isLessThan(FLOAT_TOLERANCE);
          return null;
        });
  }

  /** What is not asked for may not be made. */
  @ParameterizedTest
  @EnumSource
  void makesThoseGradientsAloneThatAreAskedFor(ElementType type) {
    Convolution3x3 of = rounded(Convolution3x3.of(3, 6, 9, 5, 7));
    withContext(
        context -> {
          KernelTensors.poison(context);
          CpuTensor x = tensors.of(context, of.x(), type);
          CpuTensor w = tensors.floats(of.w());
          CpuTensor dy = tensors.of(context, of.dy(), type);
          CpuTensor dw = tensors.floats(Values.zeros(of.w().shape()));
          new Winograd1dGradient(context, x, w, dy, null, dw, null).run();
          assertClose(Values.of(dw), of.weightsGradient());
          CpuTensor dx = tensors.of(context, noise(of.x().shape()), type);
          new Winograd1dGradient(context, x, w, dy, dx, null, null).run();
          assertClose(tensors.values(context, dx), of.inputGradient());
          return null;
        });
  }

  /** A plan's own descriptions are gone by then. */
  @Test
  void followsWeightsWhenTheyArePackedAfterAPlanWasClosed() {
    Convolution3x3 of = rounded(Convolution3x3.of(2, 5, 6, 6, 4));
    CpuTensor w = tensors.floats(noise(of.w().shape()));
    try (Workers workers = new Workers(2);
        PackedWeights weights = new PackedWeights(workers)) {
      try (CpuContext closed = new CpuContext(weights, Precision.BFLOAT16)) {
        CpuTensor x = tensors.of(closed, of.x(), ElementType.BFLOAT16);
        CpuTensor y = tensors.of(closed, of.dy(), ElementType.BFLOAT16);
        closed.preparing(() -> winograd1d(closed, x, w, null, null, y)).run();
      }
      try (CpuContext context = new CpuContext(weights, Precision.BFLOAT16)) {
        CpuTensor x = tensors.of(context, of.x(), ElementType.BFLOAT16);
        CpuTensor y = tensors.of(context, noise(of.dy().shape()), ElementType.BFLOAT16);
        CpuTensor dy = tensors.of(context, of.dy(), ElementType.BFLOAT16);
        CpuTensor dx = tensors.of(context, noise(of.x().shape()), ElementType.BFLOAT16);
        Kernel forward = context.preparing(() -> winograd1d(context, x, w, null, null, y));
        Winograd1dGradient gradient =
            context.preparing(() -> new Winograd1dGradient(context, x, w, dy, dx, null, null));
        of.w().writeTo(w);
        Values expected = NaiveOps.conv2d(of.x(), of.w(), null, 1, 1);
        forward.run();
        assertThat(expected.relativeErrorOf(tensors.values(context, y))).isGreaterThan(0.1);
        weights.refresh();
        forward.run();
        gradient.run();
        assertClose(tensors.values(context, y), expected);
        assertClose(tensors.values(context, dx), of.inputGradient());
      }
    }
  }

  /** The same bits, however many images there are beside it. */
  @Test
  void imagesDoNotDependOnEachOther() {
    Convolution3x3 of = rounded(Convolution3x3.of(7, 9, 20, 48, 72));
    Values together = convolved(of.x(), of.w());
    int perImage = of.x().elements().length / 7;
    int perResult = together.elements().length / 7;
    for (int count : new int[] {1, 2, 3, 5}) {
      double[] last = Arrays.copyOfRange(of.x().elements(), (7 - count) * perImage, 7 * perImage);
      Values alone = convolved(new Values(last, count, 9, 20, 48), of.w());
      assertThat(alone.elements())
          .isEqualTo(
              Arrays.copyOfRange(together.elements(), (7 - count) * perResult, 7 * perResult));
    }
  }

  private static Kernel winograd1d(
      CpuContext context,
      CpuTensor x,
      CpuTensor w,
      CpuTensor bias,
      CpuTensor residual,
      CpuTensor y) {
    ConvolutionRows all = ConvolutionRows.all(x, y, residual, ConvolutionGeometry.symmetric(1, 1));
    Winograd1d.Algorithm algorithm = new Winograd1d.Algorithm(w, bias);
    return algorithm.kernel(context, all, algorithm.code(all, algorithm.anyLayout(all)));
  }

  private Values convolved(Values x, Values w) {
    return withContext(
        context -> {
          CpuTensor y = tensors.floats(noise(x.size(0), x.size(1), x.size(2), w.size(3)));
          winograd1d(
                  context,
                  tensors.of(context, x, ElementType.BFLOAT16),
                  tensors.floats(w),
                  null,
                  null,
                  y)
              .run();
          return Values.of(y);
        });
  }

  @Test
  void isForManyChannelsAndItsWeightsGradientForLargeMaps() {
    assertThat(Winograd1dTiles.isFaster(16, 16, 256, 256)).isTrue();
    assertThat(Winograd1dTiles.isFaster(32, 32, 128, 128)).isTrue();
    assertThat(Winograd1dTiles.isFaster(28, 28, 28, 28)).isFalse();
    assertThat(Winograd1dTiles.isFaster(1, 1, 256, 256)).isFalse();
    assertThat(Winograd1dTiles.isFasterForWeights(noise(8, 16, 16, 4).toTensor(), 256)).isTrue();
    assertThat(Winograd1dTiles.isFasterForWeights(noise(8, 4, 4, 4).toTensor(), 256)).isFalse();
  }
}
