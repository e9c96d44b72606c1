package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.Conv2dGradient;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.ConvTranspose2dGradient;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2dGradient;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions and their gradients, emulated, against loops in DOUBLE. */
class ConvolutionKernelsTest extends OnEmulatedCard {

  ConvolutionKernelsTest() {
    super(5);
  }

  /** One convolution: from x {@code [N,H,W,in]} to y {@code [N,oH,oW,out]}. */
  private record Shape(
      int n, int h, int w, int in, int out, int kernel, int stride, int padding, int endPadding) {

    int outHeight() {
      return (h + padding + endPadding - kernel) / stride + 1;
    }

    int outWidth() {
      return (w + padding + endPadding - kernel) / stride + 1;
    }
  }

  private interface Term {
    /** Pixels of x and y and a tap that meet. */
    void add(int x, int y, int tap);
  }

  private static void forEachTerm(Shape s, Term term) {
    for (int y = 0; y < s.n * s.outHeight() * s.outWidth(); y++) {
      int n = y / s.outWidth() / s.outHeight();
      for (int tap = 0; tap < s.kernel * s.kernel; tap++) {
        int row = y / s.outWidth() % s.outHeight() * s.stride - s.padding + tap / s.kernel;
        int column = y % s.outWidth() * s.stride - s.padding + tap % s.kernel;
        if (row >= 0 && column >= 0 && row < s.h && column < s.w) {
          term.add((n * s.h + row) * s.w + column, y, tap);
        }
      }
    }
  }

  /** Weights [tap][in][out]: y of x. */
  private static double[] forward(Shape s, double[] x, double[] weights) {
    double[] result = new double[s.n * s.outHeight() * s.outWidth() * s.out];
    forEachTerm(
        s,
        (from, to, tap) -> {
          for (int i = 0; i < s.in; i++) {
            for (int o = 0; o < s.out; o++) {
              result[to * s.out + o] += x[from * s.in + i] * weights[(tap * s.in + i) * s.out + o];
            }
          }
        });
    return result;
  }

  /** The gradient by data of {@link #forward}: also the transposed convolution. */
  private static double[] backward(Shape s, double[] dy, double[] weights) {
    double[] result = new double[s.n * s.h * s.w * s.in];
    forEachTerm(
        s,
        (to, from, tap) -> {
          for (int i = 0; i < s.in; i++) {
            for (int o = 0; o < s.out; o++) {
              result[to * s.in + i] += dy[from * s.out + o] * weights[(tap * s.in + i) * s.out + o];
            }
          }
        });
    return result;
  }

  private static double[] weightGradient(Shape s, double[] x, double[] dy) {
    double[] result = new double[s.kernel * s.kernel * s.in * s.out];
    forEachTerm(
        s,
        (from, to, tap) -> {
          for (int i = 0; i < s.in; i++) {
            for (int o = 0; o < s.out; o++) {
              result[(tap * s.in + i) * s.out + o] += x[from * s.in + i] * dy[to * s.out + o];
            }
          }
        });
    return result;
  }

  private static double[] channelSums(double[] map, int channels) {
    double[] sums = new double[channels];
    for (int i = 0; i < map.length; i++) {
      sums[i % channels] += map[i];
    }
    return sums;
  }

  private static double[] plus(double[] a, double[] b) {
    double[] sum = a.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += b[i % b.length];
    }
    return sum;
  }

  private static double[] silu(double[] x) {
    return Arrays.stream(x).map(v -> v / (1 + Math.exp(-v))).toArray();
  }

  private static void assertClose(Precision precision, double[] found, double[] expected) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    double bound =
        switch (precision) {
          case FLOAT32 -> 2e-6;
          case TFLOAT32 -> 1e-3;
          case BFLOAT16 -> 5e-3;
        };
    assertThat(found).hasSameSizeAs(expected);
    assertThat(Math.sqrt(error)).isLessThanOrEqualTo(bound * Math.sqrt(norm));
  }

  private CudaContext context(Precision precision) {
    return new CudaContext(driver, new CudaWeightCache(driver), precision);
  }

  private static <T extends FusedOp> T with(T op, int... settings) {
    for (int setting : settings) {
      op.addIArgument(setting);
    }
    return op;
  }

  private static Conv2d conv(Shape s, boolean bias, Activation function, boolean residual) {
    return with(
        new Conv2d(),
        s.stride,
        s.padding,
        s.endPadding,
        bias ? 1 : 0,
        function.ordinal(),
        residual ? 1 : 0);
  }

  private Tensor weights(Shape s) {
    double scale = 1 / Math.sqrt(s.kernel * s.kernel * s.in);
    return tensors.randomFloats(scale, s.kernel, s.kernel, s.in, s.out);
  }

  private Tensor x(Precision precision, Shape s) {
    return tensors.randomMap(precision, s.n, s.h, s.w, s.in);
  }

  private Tensor y(Precision precision, Shape s) {
    return tensors.map(precision, s.n, s.outHeight(), s.outWidth(), s.out);
  }

  private Tensor dy(Precision precision, Shape s) {
    return tensors.randomMap(precision, s.n, s.outHeight(), s.outWidth(), s.out);
  }

  /** A gradient that holds something already: kernels add to it. */
  private final class Sum {
    final Tensor tensor;
    private final double[] before;

    Sum(long... shape) {
      tensor = tensors.randomFloats(1, shape);
      before = tensors.values(tensor);
    }

    double[] added() {
      double[] values = tensors.values(tensor);
      for (int i = 0; i < values.length; i++) {
        values[i] -= before[i];
      }
      return values;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3,5,7, 28,28, 3,1,1,1",
    "FLOAT32, 1,9,9, 1,28, 7,1,3,3",
    "FLOAT32, 3,8,10, 12,56, 3,2,0,1",
    "FLOAT32, 1,9,9, 128,3, 1,1,0,0",
    "FLOAT32, 2,9,9, 56,128, 3,1,1,1",
    "FLOAT32, 2,7,7, 3,96, 4,2,1,1",
    "TFLOAT32, 3,9,9, 28,56, 3,1,1,1",
    "TFLOAT32, 2,5,7, 56,128, 4,2,1,1",
    "BFLOAT16, 3,9,9, 28,28, 3,1,1,1",
    "BFLOAT16, 1,7,7, 128,128, 3,1,1,1",
    "BFLOAT16, 3,5,7, 12,12, 3,1,1,1",
    "BFLOAT16, 2,9,9, 3,28, 7,1,3,3",
    "BFLOAT16, 1,9,9, 1,28, 1,1,0,0",
    "BFLOAT16, 3,9,9, 128,384, 1,1,0,0",
    "BFLOAT16, 2,8,10, 64,64, 3,2,0,1",
    "BFLOAT16, 2,8,8, 28,56, 4,2,1,1",
    "BFLOAT16, 2,9,9, 96,1, 3,1,1,1",
  })
  void convolutionAndGradients(
      Precision precision,
      int n,
      int h,
      int w,
      int in,
      int out,
      int kernel,
      int stride,
      int padding,
      int endPadding) {
    Shape s = new Shape(n, h, w, in, out, kernel, stride, padding, endPadding);
    CudaContext context = context(precision);
    Tensor x = x(precision, s);
    Tensor weights = weights(s);
    Tensor bias = tensors.randomFloats(1, out);
    Tensor y = y(precision, s);
    ConvolutionKernels.forward(
            conv(s, true, Activation.IDENTITY, false),
            context,
            List.of(x, weights, bias),
            List.of(y))
        .run();
    double[] plainWeights = tensors.values(weights);
    assertClose(
        precision,
        tensors.values(y),
        plus(forward(s, tensors.values(x), plainWeights), tensors.values(bias)));

    Tensor dy = dy(precision, s);
    Tensor dx = tensors.map(precision, n, h, w, in);
    Sum dw = new Sum(kernel, kernel, in, out);
    Sum db = new Sum(out);
    ConvolutionKernels.backward(
            with(new Conv2dGradient(), stride, padding, endPadding, 0),
            context,
            List.of(x, weights, dy),
            List.of(dx, dw.tensor, db.tensor))
        .run();
    double[] slopes = tensors.values(dy);
    assertClose(precision, tensors.values(dx), backward(s, slopes, plainWeights));
    assertClose(precision, dw.added(), weightGradient(s, tensors.values(x), slopes));
    assertClose(precision, db.added(), channelSums(slopes, out));
    context.close();
  }

  @ParameterizedTest
  @EnumSource
  void residualOrFunction(Precision precision) {
    Shape s = new Shape(3, 5, 7, 28, 12, 3, 1, 1, 1);
    CudaContext context = context(precision);
    Tensor x = x(precision, s);
    Tensor weights = weights(s);
    Tensor bias = tensors.randomFloats(1, s.out);
    Tensor residual = dy(precision, s);
    Tensor y = y(precision, s);
    double[] product = forward(s, tensors.values(x), tensors.values(weights));

    ConvolutionKernels.forward(
            conv(s, false, Activation.IDENTITY, true),
            context,
            List.of(x, weights, residual),
            List.of(y))
        .run();
    assertClose(precision, tensors.values(y), plus(product, tensors.values(residual)));

    ConvolutionKernels.forward(
            conv(s, true, Activation.SILU, false), context, List.of(x, weights, bias), List.of(y))
        .run();
    assertClose(precision, tensors.values(y), silu(plus(product, tensors.values(bias))));
    context.close();
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3,5,7, 28,12, 4,2,1",
    "TFLOAT32, 1,3,3, 112,56, 4,2,1",
    "BFLOAT16, 3,5,7, 56,28, 4,2,1",
    "BFLOAT16, 1,4,4, 3,28, 3,2,1",
    "BFLOAT16, 2,4,4, 28,28, 2,2,0",
  })
  void transposedConvolutionAndGradients(
      Precision precision,
      int n,
      int h,
      int w,
      int in,
      int out,
      int kernel,
      int stride,
      int padding) {
    int height = (h - 1) * stride - 2 * padding + kernel;
    int width = (w - 1) * stride - 2 * padding + kernel;
    // The convolution whose gradient by data this is: weights [kH,kW,out,in].
    Shape s = new Shape(n, height, width, out, in, kernel, stride, padding, padding);
    CudaContext context = context(precision);
    Tensor x = dy(precision, s);
    Tensor weights = weights(s);
    Tensor bias = tensors.randomFloats(1, out);
    Tensor y = tensors.map(precision, n, height, width, out);
    ConvolutionKernels.forward(
            with(new ConvTranspose2d(), stride, padding),
            context,
            List.of(x, weights, bias),
            List.of(y))
        .run();
    double[] plainWeights = tensors.values(weights);
    assertClose(
        precision,
        tensors.values(y),
        plus(backward(s, tensors.values(x), plainWeights), tensors.values(bias)));

    Tensor dy = x(precision, s);
    Tensor dx = y(precision, s);
    Sum dw = new Sum(kernel, kernel, out, in);
    Sum db = new Sum(out);
    ConvolutionKernels.backward(
            with(new ConvTranspose2dGradient(), stride, padding, padding),
            context,
            List.of(x, weights, dy),
            List.of(dx, dw.tensor, db.tensor))
        .run();
    double[] slopes = tensors.values(dy);
    assertClose(precision, tensors.values(dx), forward(s, slopes, plainWeights));
    assertClose(precision, dw.added(), weightGradient(s, slopes, tensors.values(x)));
    assertClose(precision, db.added(), channelSums(slopes, out));
    context.close();
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3,9,9, 28, 7,1,3",
    "FLOAT32, 2,5,16, 12, 3,1,1",
    "BFLOAT16, 2,14,14, 56, 7,1,3",
    "BFLOAT16, 3,5,7, 3, 7,1,3",
    "BFLOAT16, 2,9,7, 28, 4,2,1",
  })
  void depthwiseConvolutionAndGradients(
      Precision precision, int n, int h, int w, int channels, int kernel, int stride, int padding) {
    Shape one = new Shape(n, h, w, 1, 1, kernel, stride, padding, padding);
    CudaContext context = context(precision);
    Tensor x = tensors.randomMap(precision, n, h, w, channels);
    Tensor weights = tensors.randomFloats(0.2, kernel, kernel, channels, 1);
    Tensor bias = tensors.randomFloats(1, channels);
    Tensor y = tensors.map(precision, n, one.outHeight(), one.outWidth(), channels);
    Tensor dy = tensors.randomMap(precision, n, one.outHeight(), one.outWidth(), channels);
    Tensor dx = tensors.map(precision, n, h, w, channels);
    Sum dw = new Sum(kernel, kernel, channels, 1);
    Sum db = new Sum(channels);
    DepthwiseKernels.forward(
            with(new DepthwiseConv2d(), stride, padding),
            context,
            List.of(x, weights, bias),
            List.of(y))
        .run();
    DepthwiseKernels.backward(
            with(new DepthwiseConv2dGradient(), stride, padding, padding),
            context,
            List.of(x, weights, dy),
            List.of(dx, dw.tensor, db.tensor))
        .run();
    double[] allWeights = tensors.values(weights);
    double[] slopes = tensors.values(dy);
    for (int c = 0; c < channels; c++) {
      double[] ofChannel = channel(tensors.values(x), c, channels);
      double[] weightsOfChannel = channel(allWeights, c, channels);
      double[] slopesOfChannel = channel(slopes, c, channels);
      double[] shift = {tensors.values(bias)[c]};
      assertClose(
          precision,
          channel(tensors.values(y), c, channels),
          plus(forward(one, ofChannel, weightsOfChannel), shift));
      assertClose(
          precision,
          channel(tensors.values(dx), c, channels),
          backward(one, slopesOfChannel, weightsOfChannel));
      assertClose(
          Precision.FLOAT32,
          channel(dw.added(), c, channels),
          weightGradient(one, ofChannel, slopesOfChannel));
    }
    assertClose(Precision.FLOAT32, db.added(), channelSums(slopes, channels));
    context.close();
  }

  private static double[] channel(double[] map, int c, int channels) {
    double[] values = new double[map.length / channels];
    for (int i = 0; i < values.length; i++) {
      values[i] = map[i * channels + c];
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource
  void anImageDoesNotDependOnTheOthers(Precision precision) {
    Shape batch = new Shape(3, 5, 7, 28, 28, 3, 1, 1, 1);
    Shape single = new Shape(1, 5, 7, 28, 28, 3, 1, 1, 1);
    CudaContext context = context(precision);
    Tensor x = x(precision, batch);
    Tensor weights = weights(batch);
    Tensor together = y(precision, batch);
    Tensor alone = y(precision, single);
    Conv2d op = conv(batch, false, Activation.IDENTITY, false);
    ConvolutionKernels.forward(op, context, List.of(x, weights), List.of(together)).run();
    long image = x.bytes() / 3;
    long[] shape = {1, 5, 7, 28};
    List<Double> images = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Tensor part = new Tensor(x.address() + i * image, shape, x.format());
      ConvolutionKernels.forward(op, context, List.of(part, weights), List.of(alone)).run();
      Arrays.stream(tensors.values(alone)).forEach(images::add);
    }
    assertThat(tensors.values(together))
        .containsExactly(images.stream().mapToDouble(v -> v).toArray());
    context.close();
  }

  /**
   * A tile of every size gives the same: the phases of a transposed lookup have four taps, two or
   * one, and where stages are copied ahead the last ones need the most slabs.
   */
  @ParameterizedTest
  @ValueSource(ints = {23, 31, 35, 39, 43, 47, 51, 59, 67, 99})
  void cardsOfLittleSharedMemory(int kilobytes) {
    Shape s = new Shape(1, 16, 16, 32, 192, 3, 2, 0, 1);
    try (EmulatedDriver small = new EmulatedDriver(kilobytes << 10)) {
      EmulatedTensors maps = new EmulatedTensors(small, new Random(7));
      Tensor dy = maps.randomMap(Precision.BFLOAT16, 1, s.outHeight(), s.outWidth(), s.out);
      Tensor weights = maps.randomFloats(0.1, 3, 3, s.in, s.out);
      Tensor dx = maps.map(Precision.BFLOAT16, 1, s.h, s.w, s.in);
      CudaContext context = new CudaContext(small, new CudaWeightCache(small), Precision.BFLOAT16);
      ConvolutionLookup lookup = ConvolutionLookup.transposed(dy, dx, weights, 2, 0);
      ConvolutionKernels.gather(context, lookup, dy, weights, ConvolutionKernels.Ending.NONE, dx)
          .run();
      assertClose(
          Precision.BFLOAT16, maps.values(dx), backward(s, maps.values(dy), maps.values(weights)));
      context.close();
    }
  }

  /** Nobody may want some of the gradients. */
  @Test
  void gradientsThatNobodyWants() {
    Shape s = new Shape(2, 5, 5, 3, 12, 3, 1, 1, 1);
    CudaContext context = context(Precision.BFLOAT16);
    Tensor x = x(Precision.BFLOAT16, s);
    Tensor weights = weights(s);
    Tensor dy = dy(Precision.BFLOAT16, s);
    Sum dw = new Sum(3, 3, s.in, s.out);
    Sum db = new Sum(s.out);
    Conv2dGradient op = with(new Conv2dGradient(), 1, 1, 1, 0);
    List<Tensor> inputs = List.of(x, weights, dy);
    Kernel onlyWeights =
        ConvolutionKernels.backward(op, context, inputs, Arrays.asList(null, dw.tensor, null));
    Kernel onlyBias =
        ConvolutionKernels.backward(op, context, inputs, Arrays.asList(null, null, db.tensor));
    onlyWeights.run();
    onlyBias.run();
    double[] slopes = tensors.values(dy);
    assertClose(Precision.BFLOAT16, dw.added(), weightGradient(s, tensors.values(x), slopes));
    assertClose(Precision.BFLOAT16, db.added(), channelSums(slopes, s.out));
    context.close();
  }
}
