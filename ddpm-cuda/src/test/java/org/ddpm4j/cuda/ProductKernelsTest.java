package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.cuda.ProductKernels.Operand;
import org.ddpm4j.cuda.ProductKernels.Sizes;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Batched products and fully connected layers, emulated, against loops in DOUBLE. */
class ProductKernelsTest extends OnEmulatedCard {

  ProductKernelsTest() {
    super(5);
  }

  private CudaContext context(Precision precision) {
    return new CudaContext(driver, new CudaWeightCache(driver), precision);
  }

  private static void assertClose(double[] found, double[] expected, double bound) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    assertThat(found).hasSameSizeAs(expected);
    assertThat(Math.sqrt(error)).isLessThanOrEqualTo(bound * Math.sqrt(norm));
  }

  private static double bound(Precision precision) {
    return switch (precision) {
      case FLOAT32 -> 1e-6;
      case TFLOAT32 -> 1e-3;
      case BFLOAT16 -> 5e-3;
    };
  }

  /** Scores of all pairs of positions and what attention makes of them, without softmax. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 2, 9, 8, 2, 28",
    "TFLOAT32, 1, 7, 7, 4, 32",
    "BFLOAT16, 2, 9, 8, 2, 28",
    "BFLOAT16, 1, 9, 9, 1, 96",
    "BFLOAT16, 3, 3, 3, 3, 5",
  })
  void headsOfMaps(Precision precision, int images, int height, int width, int heads, int ofHead) {
    CudaContext context = context(precision);
    int positions = height * width;
    int channels = heads * ofHead;
    Tensor q = tensors.randomMap(precision, images, height, width, channels);
    Tensor k = tensors.randomMap(precision, images, height, width, channels);
    Tensor v = tensors.randomMap(precision, images, height, width, channels);
    Tensor y = tensors.map(precision, images, height, width, channels);
    Tensor scores = tensors.randomFloats(1, images, heads, positions, positions);
    Operand allScores =
        Operand.packed(scores.address(), ElementType.FLOAT32, heads, positions, positions);
    ProductKernels.batched(
            context,
            Operand.ofMap(q, 0, ofHead),
            Operand.ofMap(k, 0, ofHead).transpose(),
            allScores,
            Sizes.of(images, heads, positions, positions, ofHead),
            0.25f,
            false)
        .run();
    double[] foundScores = tensors.values(scores);
    ProductKernels.batched(
            context,
            allScores.transpose(),
            Operand.ofMap(v, 0, ofHead),
            Operand.ofMap(y, 0, ofHead),
            new Sizes(images, heads, positions, ofHead, positions, (int) y.rowLength() - channels),
            1f,
            false)
        .run();
    double[] queries = tensors.values(q);
    double[] keys = tensors.values(k);
    double[] values = tensors.values(v);
    double[] expectedScores = new double[foundScores.length];
    double[] expected = new double[queries.length];
    for (int head = 0; head < images * heads; head++) {
      int first = head / heads * positions * channels + head % heads * ofHead;
      for (int i = 0; i < positions; i++) {
        for (int j = 0; j < positions; j++) {
          int at = (head * positions + i) * positions + j;
          for (int c = 0; c < ofHead; c++) {
            expectedScores[at] +=
                0.25 * queries[first + i * channels + c] * keys[first + j * channels + c];
            expected[first + j * channels + c] +=
                foundScores[at] * values[first + i * channels + c];
          }
        }
      }
    }
    assertClose(foundScores, expectedScores, bound(precision));
    assertClose(tensors.values(y), expected, bound(precision));
    context.close();
  }

  @Test
  void addsToWhatIsThere() {
    CudaContext context = context(Precision.FLOAT32);
    Tensor a = tensors.randomFloats(1, 70, 9);
    Tensor b = tensors.randomFloats(1, 9, 66);
    Tensor c = tensors.randomFloats(1, 70, 66);
    double[] expected = tensors.values(c);
    ProductKernels.batched(
            context,
            Operand.packed(a.address(), ElementType.FLOAT32, 1, 70, 9),
            Operand.packed(b.address(), ElementType.FLOAT32, 1, 9, 66),
            Operand.packed(c.address(), ElementType.FLOAT32, 1, 70, 66),
            Sizes.of(1, 1, 70, 66, 9),
            -2f,
            true)
        .run();
    double[] left = tensors.values(a);
    double[] right = tensors.values(b);
    for (int i = 0; i < expected.length; i++) {
      for (int k = 0; k < 9; k++) {
        expected[i] -= 2 * left[i / 66 * 9 + k] * right[k * 66 + i % 66];
      }
    }
    assertClose(tensors.values(c), expected, 1e-6);
    context.close();
  }

  private static LinearGradient linearGradient() {
    LinearGradient op = new LinearGradient();
    op.addIArgument(0);
    return op;
  }

  /** In every precision as exact as float; rows that are whole packs and others, few and many. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 19, 45, 66",
    "TFLOAT32, 19, 45, 66",
    "BFLOAT16, 19, 45, 66",
    "BFLOAT16, 1, 128, 512",
    "FLOAT32, 9, 648, 28",
    "FLOAT32, 300, 36, 33",
    "FLOAT32, 8, 30, 516",
  })
  void linearAndGradients(Precision precision, int n, int in, int out) {
    CudaContext context = context(precision);
    Tensor x = tensors.randomFloats(1, n, in);
    Tensor weights = tensors.randomFloats(1, in, out);
    Tensor bias = tensors.randomFloats(1, out);
    Tensor y = tensors.randomFloats(1, n, out);
    Tensor dy = tensors.randomFloats(1, n, out);
    Tensor dx = tensors.randomFloats(1, n, in);
    Tensor dw = tensors.randomFloats(1, in, out);
    Tensor db = tensors.randomFloats(1, out);
    double[] expectedWeights = tensors.values(dw);
    double[] expectedBias = tensors.values(db);
    LinearKernels.forward(new Linear(), context, List.of(x, weights, bias), List.of(y)).run();
    LinearKernels.backward(linearGradient(), context, List.of(x, weights, dy), List.of(dx, dw, db))
        .run();
    Tensor sum = tensors.randomFloats(1, n, in);
    double[] expectedSum = tensors.values(sum);
    LinearKernels.backward(
            linearGradient().withResidual(),
            context,
            List.of(x, weights, dy, sum),
            Arrays.asList(sum, null, null))
        .run();
    double[] inputs = tensors.values(x);
    double[] factors = tensors.values(weights);
    double[] slopes = tensors.values(dy);
    double[] shifts = tensors.values(bias);
    double[] expected = new double[n * out];
    double[] expectedInput = new double[n * in];
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < out; o++) {
        double slope = slopes[i * out + o];
        expected[i * out + o] += shifts[o];
        expectedBias[o] += slope;
        for (int c = 0; c < in; c++) {
          expected[i * out + o] += inputs[i * in + c] * factors[c * out + o];
          expectedInput[i * in + c] += slope * factors[c * out + o];
          expectedSum[i * in + c] += slope * factors[c * out + o];
          expectedWeights[c * out + o] += slope * inputs[i * in + c];
        }
      }
    }
    assertClose(tensors.values(y), expected, 1e-6);
    assertClose(tensors.values(dx), expectedInput, 1e-6);
    assertClose(tensors.values(sum), expectedSum, 1e-6);
    assertClose(tensors.values(dw), expectedWeights, 1e-6);
    assertClose(tensors.values(db), expectedBias, 1e-6);
    context.close();
  }

  /** To the last bit the same whatever else is in the batch. */
  @Test
  void linearOfOneRowOfMany() {
    int in = 700;
    int out = 40;
    CudaContext context = context(Precision.FLOAT32);
    Tensor all = tensors.randomFloats(1, 21, in);
    Tensor weights = tensors.randomFloats(1, in, out);
    Tensor bias = tensors.randomFloats(1, out);
    Tensor y = tensors.randomFloats(1, 21, out);
    Tensor ofLast = tensors.randomFloats(1, 1, out);
    long lastRow = all.address() + 20L * in * Float.BYTES;
    Tensor last = Tensor.dense(lastRow, 1, in);
    LinearKernels.forward(new Linear(), context, List.of(all, weights, bias), List.of(y)).run();
    LinearKernels.forward(new Linear(), context, List.of(last, weights, bias), List.of(ofLast))
        .run();
    double[] found = tensors.values(y);
    assertThat(tensors.values(ofLast))
        .containsExactly(Arrays.copyOfRange(found, 20 * out, 21 * out));
    context.close();
  }

  @Test
  void gradientsThatNobodyWants() {
    CudaContext context = context(Precision.FLOAT32);
    Tensor x = tensors.randomFloats(1, 3, 5);
    Tensor weights = tensors.randomFloats(1, 5, 4);
    Tensor dy = tensors.randomFloats(1, 3, 4);
    Tensor db = tensors.randomFloats(1, 4);
    double[] expected = tensors.values(db);
    LinearKernels.backward(
            linearGradient(), context, List.of(x, weights, dy), Arrays.asList(null, null, db))
        .run();
    double[] slopes = tensors.values(dy);
    for (int i = 0; i < slopes.length; i++) {
      expected[i % 4] += slopes[i];
    }
    assertClose(tensors.values(db), expected, 1e-6);
    context.close();
  }
}
