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

/** Gradients of convolutions of kernel 1, against the definition in double precision. */
class PointwiseParameterGradientsTest {

  private static final ConvolutionGeometry POINTWISE = ConvolutionGeometry.symmetric(1, 0);

  private final KernelTensors tensors = new KernelTensors();

  private final SplittableRandom random = new SplittableRandom(5);

  /** By the definition: sums over all positions. */
  private static Values weightsGradient(Values x, Values dy) {
    int in = x.size(3);
    int out = dy.size(3);
    Values dw = Values.zeros(1, 1, in, out);
    for (int position = 0; position < x.elements().length / in; position++) {
      for (int i = 0; i < in; i++) {
        for (int o = 0; o < out; o++) {
          dw.elements()[i * out + o] +=
              x.elements()[position * in + i] * dy.elements()[position * out + o];
        }
      }
    }
    return dw;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1, 1",
    "1, 1, 1, 70, 3",
    "2, 3, 5, 3, 17",
    "3, 7, 7, 33, 16",
    "2, 8, 8, 128, 56",
    "5, 4, 6, 64, 200",
    "2, 5, 6, 28, 120",
    "3, 7, 7, 16, 64",
    "2, 3, 3, 500, 600"
  })
  void addsToWhatIsThere(int n, int h, int w, int in, int out) {
    check(Precision.FLOAT32, ElementType.FLOAT32, 1e-5, n, h, w, in, out);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 1, 1, 1, 1, 1",
    "BFLOAT16, 1, 1, 1, 70, 3",
    "FLOAT32, 2, 3, 5, 3, 17",
    "BFLOAT16, 3, 7, 7, 33, 16",
    "FLOAT32, 2, 8, 8, 128, 56",
    "BFLOAT16, 5, 4, 6, 64, 200",
    "BFLOAT16, 2, 5, 6, 28, 120",
    "FLOAT32, 2, 5, 6, 28, 120"
  })
  void addsProductsOfBfloat16(ElementType maps, int n, int h, int w, int in, int out) {
    assertThat(Onednn.engine()).isNotNull();
    Assumptions.assumeTrue(Onednn.hasBfloat16(), "the processor has no bfloat16");
    check(Precision.BFLOAT16, maps, 5e-3, n, h, w, in, out);
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
    Values x = Values.gaussian(random, 1, n, h, w, in);
    Values dy = Values.gaussian(random, 1, n, h, w, out);
    try (PackedWeights weights = new PackedWeights(new Workers(1));
        CpuContext context = new CpuContext(weights, precision)) {
      CpuTensor xs = tensors.of(context, x, maps);
      CpuTensor slopes = tensors.of(context, dy, maps);
      CpuTensor ws = tensors.floats(Values.zeros(1, 1, in, out));
      assertThat(
              PointwiseParameterGradients.isFor(ConvolutionOperands.Weights.DENSE, POINTWISE, ws))
          .isTrue();
      new ParameterGradientsCheck(
              weightsGradient(x, dy), ParameterGradientsCheck.biasGradient(dy), tolerance)
          .run(random, tensors, context, (dw, db) -> gradients(context, xs, ws, slopes, dw, db));
    }
  }

  private static Kernel gradients(
      CpuContext context, CpuTensor x, CpuTensor w, CpuTensor dy, CpuTensor dw, CpuTensor db) {
    return context.preparing(
        () ->
            Conv2dGradientKernel.kernel(
                context,
                ConvolutionOperands.Weights.DENSE,
                POINTWISE,
                List.of(x, w, dy),
                Arrays.asList(null, dw, db)));
  }
}
