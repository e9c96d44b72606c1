package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannelGradient;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One number for each image and channel, emulated, against loops in DOUBLE. */
class PerChannelKernelsTest extends OnEmulatedCard {

  PerChannelKernelsTest() {
    super(4);
  }

  private static void check(Precision precision, double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double squares = 0;
    double total = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      total += expected[i] * expected[i];
    }
    double bound = precision == Precision.BFLOAT16 ? 1e-2 : 1e-5;
    assertThat(Math.sqrt(squares / total)).isLessThan(bound);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 2, 5, 7, 1",
    "FLOAT32, 3, 4, 4, 12",
    "FLOAT32, 2, 9, 5, 28",
    "BFLOAT16, 2, 5, 7, 3",
    "BFLOAT16, 3, 14, 14, 56",
    "BFLOAT16, 1, 28, 28, 28",
    "BFLOAT16, 2, 3, 3, 384",
  })
  void agreeWithTheirDefinitions(
      Precision precision, int images, int height, int width, int channels) {
    CudaContext context = new CudaContext(driver, null, precision);
    Tensor x = tensors.randomMap(precision, images, height, width, channels);
    Tensor dy = tensors.randomMap(precision, images, height, width, channels);
    Tensor vector = tensors.randomFloats(1, images, channels);
    Tensor both = tensors.randomFloats(1, images, 2L * channels);
    Tensor sum = tensors.map(precision, images, height, width, channels);
    Tensor shifted = tensors.map(precision, images, height, width, channels);
    Tensor dx = tensors.map(precision, images, height, width, channels);
    Tensor sums = tensors.randomFloats(1, images, channels);
    Tensor dboth = tensors.randomFloats(1, images, 2L * channels);
    PerChannelKernels.add(new AddPerChannel(), context, List.of(x, vector), List.of(sum)).run();
    PerChannelKernels.scaleShift(
            new ScaleShiftPerChannel(), context, List.of(x, both), List.of(shifted))
        .run();
    PerChannelKernels.sum(new SumPerChannel(), context, List.of(x), List.of(sums)).run();
    PerChannelKernels.scaleShiftGradient(
            new ScaleShiftPerChannelGradient(), context, List.of(x, both, dy), List.of(dx, dboth))
        .run();

    double[] xs = tensors.values(x);
    double[] dys = tensors.values(dy);
    double[] scales = tensors.values(both);
    double[] vectors = tensors.values(vector);
    double[] expectedSum = new double[xs.length];
    double[] expectedShifted = new double[xs.length];
    double[] expectedDx = new double[xs.length];
    double[] expectedSums = new double[vectors.length];
    double[] expectedDboth = new double[scales.length];
    for (int i = 0; i < xs.length; i++) {
      int image = i / (height * width * channels);
      int c = i % channels;
      int scale = 2 * image * channels + c;
      expectedSum[i] = xs[i] + vectors[image * channels + c];
      expectedShifted[i] = xs[i] * (1 + scales[scale]) + scales[scale + channels];
      expectedDx[i] = dys[i] * (1 + scales[scale]);
      expectedSums[image * channels + c] += xs[i];
      expectedDboth[scale] += dys[i] * xs[i];
      expectedDboth[scale + channels] += dys[i];
    }
    check(precision, tensors.values(sum), expectedSum);
    check(precision, tensors.values(shifted), expectedShifted);
    check(precision, tensors.values(dx), expectedDx);
    check(precision, tensors.values(sums), expectedSums);
    check(precision, tensors.values(dboth), expectedDboth);
  }

  @ParameterizedTest
  @CsvSource({"0", "1"})
  void gradientsThatNobodyWantsAreLeftOut(int wanted) {
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    Tensor x = tensors.randomMap(Precision.FLOAT32, 2, 3, 3, 12);
    Tensor dy = tensors.randomMap(Precision.FLOAT32, 2, 3, 3, 12);
    Tensor both = tensors.randomFloats(1, 2, 24);
    Tensor dx = tensors.map(Precision.FLOAT32, 2, 3, 3, 12);
    Tensor dboth = tensors.randomFloats(1, 2, 24);
    List<Tensor> inputs = List.of(x, both, dy);
    List<Tensor> all = List.of(dx, dboth);
    PerChannelKernels.scaleShiftGradient(new ScaleShiftPerChannelGradient(), context, inputs, all)
        .run();
    double[] expected = tensors.stored(all.get(wanted));
    driver.zero(all.get(wanted).address(), all.get(wanted).bytes());
    List<Tensor> one = Arrays.asList(null, null);
    one.set(wanted, all.get(wanted));
    PerChannelKernels.scaleShiftGradient(new ScaleShiftPerChannelGradient(), context, inputs, one)
        .run();
    assertThat(tensors.stored(all.get(wanted))).isEqualTo(expected);
  }
}
