package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients of transposed convolutions, against the definition in double precision. */
class ConvTranspose2dGradientTest {

  private static final int KERNEL = 4;
  private static final int STRIDE = 2;
  private static final int PADDING = 1;

  private final KernelTensors tensors = new KernelTensors();

  private final SplittableRandom random = new SplittableRandom(8);

  /** What a transposed convolution and its gradients are made of, by the definition. */
  private record Oracle(Values x, Values w, Values dy) {

    @FunctionalInterface
    private interface Term {
      void at(int x, int w, int dy);
    }

    /** Every product of an input with a weight is added to one output. */
    private void forEach(Term term) {
      int in = x.size(3);
      int out = dy.size(3);
      for (int position = 0; position < x.elements().length / in; position++) {
        int column = position % x.size(2);
        int row = position / x.size(2) % x.size(1);
        int n = position / x.size(2) / x.size(1);
        for (int tap = 0; tap < KERNEL * KERNEL; tap++) {
          int toRow = row * STRIDE + tap / KERNEL - PADDING;
          int toColumn = column * STRIDE + tap % KERNEL - PADDING;
          if (toRow < 0 || toRow >= dy.size(1) || toColumn < 0 || toColumn >= dy.size(2)) {
            continue;
          }
          int to = (n * dy.size(1) + toRow) * dy.size(2) + toColumn;
          for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
              term.at(position * in + i, (tap * out + o) * in + i, to * out + o);
            }
          }
        }
      }
    }

    Values ofInput() {
      Values dx = Values.zeros(x.shape());
      forEach((a, b, c) -> dx.elements()[a] += w.elements()[b] * dy.elements()[c]);
      return dx;
    }

    Values ofWeights() {
      Values dw = Values.zeros(w.shape());
      forEach((a, b, c) -> dw.elements()[b] += x.elements()[a] * dy.elements()[c]);
      return dw;
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1, 1", "2, 3, 2, 5, 3", "3, 7, 7, 28, 28", "5, 2, 4, 16, 40"})
  void addsToWhatIsThere(int n, int h, int w, int in, int out) {
    check(Precision.FLOAT32, ElementType.FLOAT32, 1e-5, n, h, w, in, out);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 1, 1, 1, 1, 1",
    "BFLOAT16, 2, 3, 2, 5, 3",
    "FLOAT32, 3, 7, 7, 28, 28",
    "BFLOAT16, 3, 7, 7, 28, 28",
    "BFLOAT16, 5, 2, 4, 16, 40"
  })
  void addsProductsOfBfloat16(ElementType maps, int n, int h, int w, int in, int out) {
    assertThat(Onednn.engine()).isNotNull();
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    check(Precision.BFLOAT16, maps, 1e-2, n, h, w, in, out);
  }

  private void check(
      Precision precision,
      ElementType maps,
      double tolerance,
      int n,
      int h,
      int w,
      int in,
      int out) {
    Oracle oracle =
        new Oracle(
            Values.gaussian(random, 1, n, h, w, in),
            Values.gaussian(random, 0.3, KERNEL, KERNEL, out, in),
            Values.gaussian(random, 1, n, h * STRIDE, w * STRIDE, out));
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = new CpuContext(weights, precision)) {
      List<CpuTensor> inputs =
          List.of(
              tensors.of(context, oracle.x(), maps),
              tensors.floats(oracle.w()),
              tensors.of(context, oracle.dy(), maps));
      CpuTensor dx = tensors.floats(Values.zeros(oracle.x().shape()));
      new ParameterGradientsCheck(
              oracle.ofWeights(), ParameterGradientsCheck.biasGradient(oracle.dy()), tolerance)
          .run(random, tensors, context, (dw, db) -> gradients(context, inputs, dx, dw, db));
      assertThat(oracle.ofInput().relativeErrorOf(Values.of(dx))).isLessThan(tolerance);
    }
  }

  private static Kernel gradients(
      CpuContext context, List<CpuTensor> inputs, CpuTensor dx, CpuTensor dw, CpuTensor db) {
    return context.preparing(
        () ->
            ConvTranspose2dGradientKernel.kernel(
                context,
                ConvolutionGeometry.symmetric(STRIDE, PADDING),
                inputs,
                Arrays.asList(dx, dw, db)));
  }
}
