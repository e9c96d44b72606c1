package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.EltwiseGradient;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.LossPerImageGradient;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.MaxPoolGradient;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.ops.MeanGradient;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.PointwiseLoss;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/** Operations on elements, axes, channels and squares, and losses, emulated, against loops. */
class MapKernelsTest extends OnEmulatedCard {

  MapKernelsTest() {
    super(6);
  }

  private CudaContext context(Precision precision) {
    return new CudaContext(driver, null, precision);
  }

  private static void check(Precision precision, double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double squares = 0;
    double total = 1e-12;
    for (int i = 0; i < expected.length; i++) {
      squares += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      total += expected[i] * expected[i];
    }
    double bound = precision == Precision.BFLOAT16 ? 1e-2 : 1e-5;
    assertThat(Math.sqrt(squares / total)).isLessThan(bound);
  }

  private static double[] combine(double[] a, double[] b, DoubleBinaryOperator operator) {
    double[] result = new double[a.length];
    Arrays.setAll(result, i -> operator.applyAsDouble(a[i], b[i]));
    return result;
  }

  private static double silu(double x) {
    return x / (1 + Math.exp(-x));
  }

  private static double siluSlope(double x) {
    double h = 1e-6;
    return (silu(x + h) - silu(x - h)) / (2 * h);
  }

  private static <T extends DynamicCustomOp> T set(T op, int... settings) {
    for (int setting : settings) {
      op.addIArgument(setting);
    }
    return op;
  }

  /** Of maps that lie alike, of dense arrays, and of one with the other. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, true, true, 28",
    "BFLOAT16, true, true, 28",
    "BFLOAT16, false, false, 5",
    "BFLOAT16, true, false, 12",
    "FLOAT32, false, true, 3"
  })
  void elements(Precision precision, boolean firstIsMap, boolean secondIsMap, int channels) {
    CudaContext context = context(precision);
    Tensor a = operand(precision, firstIsMap, channels);
    Tensor b = operand(precision, secondIsMap, channels);
    Tensor y = operand(precision, secondIsMap, channels);
    double[] as = tensors.values(a);
    double[] bs = tensors.values(b);
    Affine affine = new Affine();
    affine.addTArgument(2, 0.5);
    int silu = Activation.SILU.ordinal();
    ElementwiseKernels.add(new Add(), context, List.of(a, b), List.of(y)).run();
    check(precision, tensors.values(y), combine(as, bs, Double::sum));
    ElementwiseKernels.multiply(new Multiply(), context, List.of(a, b), List.of(y)).run();
    check(precision, tensors.values(y), combine(as, bs, (u, v) -> u * v));
    ElementwiseKernels.affine(affine, context, List.of(a), List.of(y)).run();
    check(precision, tensors.values(y), combine(as, bs, (u, v) -> 2 * u + 0.5));
    ElementwiseKernels.eltwise(set(new Eltwise(), silu), context, List.of(a), List.of(y)).run();
    check(precision, tensors.values(y), combine(as, bs, (u, v) -> silu(u)));
    ElementwiseKernels.eltwiseGradient(
            set(new EltwiseGradient(), silu), context, List.of(a, b), List.of(y))
        .run();
    check(precision, tensors.values(y), combine(as, bs, (u, v) -> v * siluSlope(u)));
  }

  private Tensor operand(Precision precision, boolean isMap, int channels) {
    return isMap
        ? tensors.randomMap(precision, 2, 3, 5, channels)
        : tensors.randomFloats(1, 2, 3, 5, channels);
  }

  @Test
  void sumsGrowWhereverTheyBegin() {
    Tensor all = tensors.randomFloats(1, 50);
    Tensor sum = all.part(7, 31);
    Tensor summand = tensors.randomFloats(1, 31);
    double[] before = tensors.values(all);
    double[] summands = tensors.values(summand);
    ElementwiseKernels.adding(context(Precision.BFLOAT16), summand, sum).run();
    for (int i = 0; i < 31; i++) {
      before[7 + i] += summands[i];
    }
    check(Precision.FLOAT32, tensors.values(all), before);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 3", "BFLOAT16, 1", "BFLOAT16, 28"})
  void axesChangePlaces(Precision precision, int channels) {
    Tensor first = tensors.randomFloats(1, 2, channels, 5, 7);
    Tensor last = tensors.map(precision, 2, 5, 7, channels);
    Tensor back = tensors.randomFloats(1, 2, channels, 5, 7);
    CudaContext context = context(precision);
    ElementwiseKernels.channelsLast(new ChannelsLast(), context, List.of(first), List.of(last))
        .run();
    ElementwiseKernels.channelsFirst(new ChannelsFirst(), context, List.of(last), List.of(back))
        .run();
    double[] images = tensors.values(first);
    double[] expected = new double[images.length];
    for (int i = 0; i < images.length; i++) {
      int image = i / (35 * channels);
      int channel = i / 35 % channels;
      expected[(image * 35 + i % 35) * channels + channel] = images[i];
    }
    check(precision, tensors.values(last), expected);
    check(precision, tensors.values(back), images);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 28, 28", "BFLOAT16, 28, 28", "BFLOAT16, 3, 6", "BFLOAT16, 32, 5"})
  void channelsAreJoinedAndTakenApart(Precision precision, int a, int b) {
    CudaContext context = context(precision);
    Tensor first = tensors.randomMap(precision, 2, 3, 5, a);
    Tensor second = tensors.randomMap(precision, 2, 3, 5, b);
    Tensor both = tensors.map(precision, 2, 3, 5, a + b);
    Tensor one = tensors.map(precision, 2, 3, 5, a);
    Tensor other = tensors.map(precision, 2, 3, 5, b);
    ConcatKernels.concat(
            set(new ConcatChannels(), a), context, List.of(first, second), List.of(both))
        .run();
    ConcatKernels.split(set(new SplitChannels(), a), context, List.of(both), List.of(one, other))
        .run();
    double[] firsts = tensors.values(first);
    double[] seconds = tensors.values(second);
    double[] joined = tensors.values(both);
    for (int i = 0; i < joined.length; i++) {
      int row = i / (a + b);
      int c = i % (a + b);
      assertThat(joined[i]).isEqualTo(c < a ? firsts[row * a + c] : seconds[row * b + c - a]);
    }
    assertThat(tensors.values(one)).isEqualTo(firsts);
    assertThat(tensors.values(other)).isEqualTo(seconds);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 12", "BFLOAT16, 28"})
  void squares(Precision precision, int channels) {
    CudaContext context = context(precision);
    Tensor fine = tensors.randomMap(precision, 2, 6, 4, channels);
    Tensor coarse = tensors.randomMap(precision, 2, 3, 2, channels);
    Tensor toFine = tensors.map(precision, 2, 6, 4, channels);
    Tensor toCoarse = tensors.map(precision, 2, 3, 2, channels);
    double[] fines = tensors.values(fine);
    double[] coarses = tensors.values(coarse);
    double[] sums = new double[coarses.length];
    double[] largest = new double[coarses.length];
    Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    double[] spread = new double[fines.length];
    int[] squareOf = new int[fines.length];
    for (int i = 0; i < fines.length; i++) {
      int position = i / channels;
      int square = (position / 24 * 3 + position % 24 / 8) * 2 + position % 4 / 2;
      squareOf[i] = square * channels + i % channels;
      sums[squareOf[i]] += fines[i];
      largest[squareOf[i]] = Math.max(largest[squareOf[i]], fines[i]);
      spread[i] = coarses[squareOf[i]];
    }
    double[] toLargest = new double[fines.length];
    Arrays.setAll(toLargest, i -> fines[i] == largest[squareOf[i]] ? spread[i] : 0);
    PoolingKernels.averagePool(new AveragePool(), context, List.of(fine), List.of(toCoarse)).run();
    check(precision, tensors.values(toCoarse), combine(sums, sums, (u, v) -> u / 4));
    PoolingKernels.upsampleNearestGradient(
            new UpsampleNearestGradient(), context, List.of(fine), List.of(toCoarse))
        .run();
    check(precision, tensors.values(toCoarse), sums);
    PoolingKernels.maxPool(new MaxPool(), context, List.of(fine), List.of(toCoarse)).run();
    assertThat(tensors.values(toCoarse)).isEqualTo(largest);
    PoolingKernels.upsampleNearest(new UpsampleNearest(), context, List.of(coarse), List.of(toFine))
        .run();
    assertThat(tensors.values(toFine)).isEqualTo(spread);
    PoolingKernels.averagePoolGradient(
            new AveragePoolGradient(), context, List.of(coarse), List.of(toFine))
        .run();
    check(precision, tensors.values(toFine), combine(spread, spread, (u, v) -> u / 4));
    PoolingKernels.maxPoolGradient(
            new MaxPoolGradient(), context, List.of(fine, coarse), List.of(toFine))
        .run();
    // Rounded numbers may be equal; then the first of a square has it all.
    double total = Arrays.stream(tensors.values(toFine)).sum();
    assertThat(total).isCloseTo(Arrays.stream(coarses).sum(), within(1e-4));
    if (precision == Precision.FLOAT32) {
      assertThat(tensors.values(toFine)).isEqualTo(toLargest);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void losses(int code) {
    PointwiseLoss loss = PointwiseLoss.of(code);
    CudaContext context = context(Precision.BFLOAT16);
    Tensor prediction = tensors.randomFloats(1, 3, 2, 5, 7);
    Tensor target = tensors.randomFloats(1, 3, 2, 5, 7);
    Tensor losses = tensors.randomFloats(1, 3);
    Tensor gradient = tensors.randomFloats(1, 3);
    Tensor dPrediction = tensors.randomFloats(1, 3, 2, 5, 7);
    Tensor dTarget = tensors.map(Precision.BFLOAT16, 3, 2, 5, 7);
    Tensor mean = tensors.randomFloats(1);
    Tensor dLosses = tensors.randomFloats(1, 3);
    LossKernels.perImage(
            set(new LossPerImage(), code), context, List.of(prediction, target), List.of(losses))
        .run();
    LossKernels.perImageGradient(
            set(new LossPerImageGradient(), code),
            context,
            List.of(prediction, target, gradient),
            List.of(dPrediction, dTarget))
        .run();
    LossKernels.mean(new Mean(), context, List.of(losses), List.of(mean)).run();
    LossKernels.meanGradient(new MeanGradient(), context, List.of(losses, mean), List.of(dLosses))
        .run();
    double[] p = tensors.values(prediction);
    double[] t = tensors.values(target);
    double[] g = tensors.values(gradient);
    double[] expected = new double[3];
    double[] ofPrediction = new double[p.length];
    double[] ofTarget = new double[p.length];
    for (int i = 0; i < p.length; i++) {
      expected[i / 70] += loss.value(p[i], t[i]) / 70;
      ofPrediction[i] = g[i / 70] * loss.predictionSlope(p[i], t[i]) / 70;
      ofTarget[i] = g[i / 70] * loss.targetSlope(p[i], t[i]) / 70;
    }
    check(Precision.FLOAT32, tensors.values(losses), expected);
    check(Precision.FLOAT32, tensors.values(dPrediction), ofPrediction);
    check(Precision.BFLOAT16, tensors.values(dTarget), ofTarget);
    double average = Arrays.stream(expected).average().orElseThrow();
    check(Precision.FLOAT32, tensors.stored(mean), new double[] {average});
    double third = average / 3;
    check(Precision.FLOAT32, tensors.values(dLosses), new double[] {third, third, third});
  }
}
