package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Group normalisation, its gradient and sums per channel for channels below, at and above a pack
 * and a padded row, in one group, two and one for each channel: against plain loops in DOUBLE, in
 * place, and with each gradient that nobody wants left out.
 */
class NormalisationGridTest extends OnEmulatedCard {

  private static final double EPSILON = 1e-5;

  NormalisationGridTest() {
    super(11);
  }

  /** The functions take turns. */
  record Case(
      Precision precision,
      int images,
      int height,
      int width,
      int channels,
      int groups,
      Activation function) {

    int positions() {
      return height * width;
    }

    int index(int image, int position, int channel) {
      return (image * positions() + position) * channels + channel;
    }
  }

  static Stream<Case> cases() {
    Stream.Builder<Case> cases = Stream.builder();
    Activation[] functions = Activation.values();
    int turn = 0;
    for (Precision precision : List.of(Precision.FLOAT32, Precision.BFLOAT16)) {
      for (int channels : new int[] {1, 3, 12, 28, 56, 128}) {
        for (int groups : new TreeSet<>(List.of(1, channels % 2 == 0 ? 2 : 1, channels))) {
          for (int images : new int[] {1, 3}) {
            Activation function = functions[turn++ % functions.length];
            cases.add(new Case(precision, images, 5, 7, channels, groups, function));
            cases.add(new Case(precision, images, 28, 28, channels, groups, function));
          }
        }
      }
    }
    return cases.build();
  }

  /** By a series of positive terms. */
  private static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  private static double apply(Activation function, double z) {
    return switch (function) {
      case IDENTITY -> z;
      case SILU -> z / (1 + Math.exp(-z));
      case GELU -> z * (1 + erf(z / Math.sqrt(2))) / 2;
      case RELU -> Math.max(z, 0);
      case MISH -> z * Math.tanh(Math.log1p(Math.exp(z)));
      case GELU_TANH ->
          z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z))) / 2;
    };
  }

  /** By the difference of close neighbours. */
  private static double slope(Activation function, double z) {
    double h = 1e-6;
    return (apply(function, z + h) - apply(function, z - h)) / (2 * h);
  }

  /** What is expected, by double loops. */
  private static final class Expected {
    final double[] y;
    final double[] dx;
    final double[] dscale;
    final double[] dshift;
    final double[] sums;

    Expected(Case c, double[] x, double[] scale, double[] shift, double[] dy) {
      y = new double[x.length];
      dx = new double[x.length];
      dscale = new double[c.channels()];
      dshift = new double[c.channels()];
      sums = new double[c.images() * c.channels()];
      for (int image = 0; image < c.images(); image++) {
        for (int group = 0; group < c.groups(); group++) {
          normalise(c, image, group, x, scale, shift, dy);
        }
      }
    }

    private void normalise(
        Case c, int image, int group, double[] x, double[] scale, double[] shift, double[] dy) {
      int perGroup = c.channels() / c.groups();
      int first = group * perGroup;
      double elements = (double) c.positions() * perGroup;
      double mean = 0;
      double variance = 0;
      for (int k = first; k < first + perGroup; k++) {
        for (int p = 0; p < c.positions(); p++) {
          mean += x[c.index(image, p, k)] / elements;
          sums[image * c.channels() + k] += x[c.index(image, p, k)];
        }
      }
      for (int k = first; k < first + perGroup; k++) {
        for (int p = 0; p < c.positions(); p++) {
          variance += Math.pow(x[c.index(image, p, k)] - mean, 2) / elements;
        }
      }
      double rstd = 1 / Math.sqrt(variance + EPSILON);
      double meanOfScaled = 0;
      double meanOfProducts = 0;
      for (int k = first; k < first + perGroup; k++) {
        for (int p = 0; p < c.positions(); p++) {
          int i = c.index(image, p, k);
          double normalised = (x[i] - mean) * rstd;
          double z = scale[k] * normalised + shift[k];
          double dz = dy[i] * slope(c.function(), z);
          y[i] = apply(c.function(), z);
          dx[i] = scale[k] * dz;
          dscale[k] += dz * normalised;
          dshift[k] += dz;
          meanOfScaled += dx[i] / elements;
          meanOfProducts += dx[i] * normalised / elements;
        }
      }
      for (int k = first; k < first + perGroup; k++) {
        for (int p = 0; p < c.positions(); p++) {
          int i = c.index(image, p, k);
          dx[i] = rstd * (dx[i] - meanOfScaled - (x[i] - mean) * rstd * meanOfProducts);
        }
      }
    }
  }

  private static void check(Case c, String what, double[] actual, double[] expected) {
    double squares = 0;
    double total = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      total += expected[i] * expected[i];
    }
    assertThat(actual).hasSameSizeAs(expected);
    assertThat(Math.sqrt(squares / total))
        .as(what)
        .isLessThan(c.precision() == Precision.BFLOAT16 ? 1e-2 : 1e-5);
  }

  private static double[] plus(double[] a, double[] b) {
    double[] sum = a.clone();
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  private Tensor map(Case c) {
    return tensors.map(c.precision(), c.images(), c.height(), c.width(), c.channels());
  }

  private Tensor randomMap(Case c) {
    return tensors.randomMap(c.precision(), c.images(), c.height(), c.width(), c.channels());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithLoops(Case c) {
    CudaContext context = new CudaContext(driver, null, c.precision());
    var settings = new GroupNormKernels.Settings(c.groups(), (float) EPSILON, c.function());
    Tensor x = randomMap(c);
    Tensor dy = randomMap(c);
    Tensor scale = tensors.randomFloats(1, c.channels());
    Tensor shift = tensors.randomFloats(1, c.channels());
    var operands = new GroupNormKernels.Operands(x, null, scale, shift);
    Expected expected =
        new Expected(
            c, tensors.values(x), tensors.values(scale), tensors.values(shift), tensors.values(dy));

    Tensor sums = tensors.randomFloats(1, c.images(), c.channels());
    PerChannelKernels.sum(new SumPerChannel(), context, List.of(x), List.of(sums)).run();
    check(c, "sums", tensors.values(sums), expected.sums);

    Tensor dx = map(c);
    Tensor dscale = tensors.randomFloats(1, c.channels());
    Tensor dshift = tensors.randomFloats(1, c.channels());
    double[] dscaleBefore = tensors.values(dscale);
    double[] dshiftBefore = tensors.values(dshift);
    var all = new GroupNormKernels.Gradients(dx, null, dscale, dshift);
    GroupNormKernels.backward(context, settings, operands, dy, null, all).run();
    check(c, "dx", tensors.values(dx), expected.dx);
    check(c, "dscale", tensors.values(dscale), plus(dscaleBefore, expected.dscale));
    check(c, "dshift", tensors.values(dshift), plus(dshiftBefore, expected.dshift));

    // Each parameter's gradient alone, added to zeros.
    Tensor alone = tensors.randomFloats(0, c.channels());
    var scaleAlone = new GroupNormKernels.Gradients(null, null, alone, null);
    GroupNormKernels.backward(context, settings, operands, dy, null, scaleAlone).run();
    check(c, "dscale alone", tensors.values(alone), expected.dscale);
    driver.zero(alone.address(), alone.bytes());
    var shiftAlone = new GroupNormKernels.Gradients(null, null, null, alone);
    GroupNormKernels.backward(context, settings, operands, dy, null, shiftAlone).run();
    check(c, "dshift alone", tensors.values(alone), expected.dshift);

    // In place there must be the same bits.
    double[] dxBefore = tensors.stored(dx);
    var inPlace = new GroupNormKernels.Gradients(dy, null, null, null);
    GroupNormKernels.backward(context, settings, operands, dy, null, inPlace).run();
    assertThat(tensors.stored(dy)).isEqualTo(dxBefore);

    Tensor y = map(c);
    forward(context, settings, operands, y);
    check(c, "y", tensors.values(y), expected.y);
    forward(context, settings, operands, x);
    assertThat(tensors.stored(x)).isEqualTo(tensors.stored(y));
  }

  private static void forward(
      CudaContext context,
      GroupNormKernels.Settings settings,
      GroupNormKernels.Operands operands,
      Tensor y) {
    GroupNormKernels.forward(context, settings, operands, GroupNormKernels.Ending.NONE, y).run();
  }
}
