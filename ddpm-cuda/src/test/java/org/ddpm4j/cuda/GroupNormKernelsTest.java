package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.GroupNormGradient;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/** Group normalisation and its gradient, emulated, against loops in DOUBLE. */
class GroupNormKernelsTest extends OnEmulatedCard {

  private static final double EPSILON = 1e-5;

  GroupNormKernelsTest() {
    super(3);
  }

  private static <T extends DynamicCustomOp> T set(T op, int groups, Activation function) {
    op.addIArgument(groups, function.ordinal(), 0, 0, 0);
    op.addTArgument(EPSILON);
    return op;
  }

  private static double apply(Activation function, double z) {
    return switch (function) {
      case IDENTITY -> z;
      case SILU -> z / (1 + Math.exp(-z));
      case RELU -> Math.max(z, 0);
      case MISH -> z * Math.tanh(Math.log1p(Math.exp(z)));
      case GELU_TANH ->
          z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z))) / 2;
      case GELU -> throw new IllegalArgumentException("Java has no error function.");
    };
  }

  /** By the difference of close neighbours. */
  private static double slope(Activation function, double z) {
    double h = 1e-6;
    return (apply(function, z + h) - apply(function, z - h)) / (2 * h);
  }

  /** A normalisation in DOUBLE, by its definition. */
  private static final class Reference {
    final int images;
    final int positions;
    final int channels;
    final int groups;
    final double[] normalised;
    final double[] z;
    final double[] inverseDeviation;
    final double[] scale;

    Reference(double[] x, double[] scale, double[] shift, int images, int channels, int groups) {
      this.images = images;
      this.channels = channels;
      this.groups = groups;
      this.scale = scale;
      positions = x.length / images / channels;
      normalised = new double[x.length];
      z = new double[x.length];
      inverseDeviation = new double[images * groups];
      for (int group = 0; group < images * groups; group++) {
        double mean = mean(x, group);
        double[] squares = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).toArray();
        inverseDeviation[group] = 1 / Math.sqrt(mean(squares, group) + EPSILON);
        for (int i : members(group)) {
          normalised[i] = (x[i] - mean) * inverseDeviation[group];
          z[i] = scale[i % channels] * normalised[i] + shift[i % channels];
        }
      }
    }

    /** The elements of a group of an image. */
    int[] members(int group) {
      int perGroup = channels / groups;
      int[] members = new int[positions * perGroup];
      int first = group / groups * positions * channels + group % groups * perGroup;
      for (int i = 0; i < members.length; i++) {
        members[i] = first + i / perGroup * channels + i % perGroup;
      }
      return members;
    }

    double mean(double[] values, int group) {
      return Arrays.stream(members(group)).mapToDouble(i -> values[i]).average().orElseThrow();
    }

    double[] gradient(double[] dz) {
      double[] scaled = new double[dz.length];
      double[] products = new double[dz.length];
      for (int i = 0; i < dz.length; i++) {
        scaled[i] = scale[i % channels] * dz[i];
        products[i] = scaled[i] * normalised[i];
      }
      double[] dx = new double[dz.length];
      for (int group = 0; group < images * groups; group++) {
        double meanOfScaled = mean(scaled, group);
        double meanOfProducts = mean(products, group);
        for (int i : members(group)) {
          dx[i] =
              inverseDeviation[group] * (scaled[i] - meanOfScaled - normalised[i] * meanOfProducts);
        }
      }
      return dx;
    }
  }

  private static double distance(double[] actual, double[] expected) {
    double squares = 0;
    double total = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      total += expected[i] * expected[i];
    }
    return Math.sqrt(squares / total);
  }

  private static void check(Precision precision, double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    assertThat(distance(actual, expected))
        .isLessThan(precision == Precision.BFLOAT16 ? 1e-2 : 1e-5);
  }

  private double[] sumPerChannel(double[] values, int channels) {
    double[] sums = new double[channels];
    for (int i = 0; i < values.length; i++) {
      sums[i % channels] += values[i];
    }
    return sums;
  }

  /** The largest images are cut in chunks. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 2, 7, 5, 28, 1, SILU",
    "FLOAT32, 2, 5, 5, 3, 3, IDENTITY",
    "FLOAT32, 1, 4, 9, 36, 9, MISH",
    "FLOAT32, 2, 4, 4, 60, 5, SILU",
    "FLOAT32, 1, 8, 8, 128, 32, SILU",
    "FLOAT32, 3, 5, 3, 1, 1, RELU",
    "FLOAT32, 1, 56, 56, 32, 2, SILU",
    "BFLOAT16, 2, 14, 14, 56, 1, SILU",
    "BFLOAT16, 1, 16, 16, 128, 32, SILU",
    "BFLOAT16, 2, 5, 7, 96, 8, IDENTITY",
    "BFLOAT16, 2, 3, 3, 12, 3, MISH",
    "BFLOAT16, 1, 64, 72, 28, 1, SILU",
    "BFLOAT16, 1, 100, 90, 64, 32, SILU",
  })
  void agreeWithTheirDefinition(
      Precision precision,
      int images,
      int height,
      int width,
      int channels,
      int groups,
      Activation function) {
    CudaContext context = new CudaContext(driver, null, precision);
    Tensor x = tensors.randomMap(precision, images, height, width, channels);
    Tensor dy = tensors.randomMap(precision, images, height, width, channels);
    Tensor scale = tensors.randomFloats(1, channels);
    Tensor shift = tensors.randomFloats(1, channels);
    Tensor y = tensors.map(precision, images, height, width, channels);
    Tensor dscale = tensors.randomFloats(1, channels);
    Tensor dshift = tensors.randomFloats(1, channels);
    double[] dscaleBefore = tensors.values(dscale);
    double[] dshiftBefore = tensors.values(dshift);
    double[] gradients = tensors.values(dy);

    GroupNormKernels.forward(
            set(new GroupNorm(), groups, function), context, List.of(x, scale, shift), List.of(y))
        .run();
    // The gradient of x takes the memory of dy, as in plans.
    GroupNormKernels.backward(
            set(new GroupNormGradient(), groups, function),
            context,
            List.of(x, scale, shift, dy),
            List.of(dy, dscale, dshift))
        .run();

    Reference reference =
        new Reference(
            tensors.values(x),
            tensors.values(scale),
            tensors.values(shift),
            images,
            channels,
            groups);
    double[] dz = new double[gradients.length];
    double[] products = new double[gradients.length];
    for (int i = 0; i < dz.length; i++) {
      dz[i] = gradients[i] * slope(function, reference.z[i]);
      products[i] = dz[i] * reference.normalised[i];
    }
    double[] expected = Arrays.stream(reference.z).map(z -> apply(function, z)).toArray();
    check(precision, tensors.values(y), expected);
    check(precision, tensors.values(dy), reference.gradient(dz));
    check(precision, tensors.values(dscale), sum(dscaleBefore, sumPerChannel(products, channels)));
    check(precision, tensors.values(dshift), sum(dshiftBefore, sumPerChannel(dz, channels)));
  }

  /** Whole and in chunks, whose backward pass is another one. */
  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 2, 5, 5, 12, 3, 1",
    "FLOAT32, 1, 56, 56, 32, 2, 2",
    "BFLOAT16, 3, 6, 6, 28, 1, 2",
    "BFLOAT16, 2, 8, 9, 128, 32, 1",
    "BFLOAT16, 1, 100, 90, 64, 32, 1",
  })
  void addsInTheEnd(
      Precision precision,
      int images,
      int height,
      int width,
      int channels,
      int groups,
      int inputs) {
    CudaContext context = new CudaContext(driver, null, precision);
    Tensor x = tensors.randomMap(precision, images, height, width, channels);
    Tensor residual = tensors.randomMap(precision, images, height, width, channels);
    Tensor vector = tensors.randomFloats(1, images, channels);
    Tensor dy = tensors.randomMap(precision, images, height, width, channels);
    Tensor scale = tensors.randomFloats(1, channels);
    Tensor shift = tensors.randomFloats(1, channels);
    Tensor y = tensors.map(precision, images, height, width, channels);
    Tensor dx = tensors.map(precision, images, height, width, channels);
    GroupNorm op = set(new GroupNorm(), groups, Activation.SILU).withPerChannel();
    List<Tensor> operands = List.of(x, scale, shift, vector, residual);
    GroupNormKernels.forward(
            inputs == 1 ? op : op.withResidual(),
            context,
            operands.subList(0, 3 + inputs),
            List.of(y))
        .run();
    GroupNormKernels.backward(
            set(new GroupNormGradient(), groups, Activation.SILU).withResidual(),
            context,
            List.of(x, scale, shift, dy, residual),
            Arrays.asList(dx, null, null))
        .run();

    Reference reference =
        new Reference(
            tensors.values(x),
            tensors.values(scale),
            tensors.values(shift),
            images,
            channels,
            groups);
    double[] residuals = tensors.values(residual);
    double[] vectors = tensors.values(vector);
    double[] gradients = tensors.values(dy);
    double[] expected = new double[residuals.length];
    double[] dz = new double[residuals.length];
    for (int i = 0; i < expected.length; i++) {
      int image = i / (height * width * channels);
      expected[i] =
          apply(Activation.SILU, reference.z[i])
              + vectors[image * channels + i % channels]
              + (inputs == 1 ? 0 : residuals[i]);
      dz[i] = gradients[i] * slope(Activation.SILU, reference.z[i]);
    }
    check(precision, tensors.values(y), expected);
    check(precision, tensors.values(dx), sum(reference.gradient(dz), residuals));
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = a.clone();
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  @Test
  void aVectorIsAddedBefore() {
    CudaContext context = new CudaContext(driver, null, Precision.FLOAT32);
    Tensor x = tensors.randomMap(Precision.FLOAT32, 2, 5, 5, 12);
    Tensor vector = tensors.randomFloats(1, 2, 12);
    Tensor scale = tensors.randomFloats(1, 12);
    Tensor shift = tensors.randomFloats(1, 12);
    Tensor dy = tensors.randomMap(Precision.FLOAT32, 2, 5, 5, 12);
    Tensor y = tensors.map(Precision.FLOAT32, 2, 5, 5, 12);
    Tensor dx = tensors.map(Precision.FLOAT32, 2, 5, 5, 12);
    Tensor dvector = tensors.randomFloats(1, 2, 12);
    var settings = new GroupNormKernels.Settings(3, (float) EPSILON, Activation.IDENTITY);
    var operands = new GroupNormKernels.Operands(x, vector, scale, shift);
    GroupNormKernels.forward(context, settings, operands, GroupNormKernels.Ending.NONE, y).run();
    GroupNormKernels.backward(
            context,
            settings,
            operands,
            dy,
            null,
            new GroupNormKernels.Gradients(dx, dvector, null, null))
        .run();

    double[] sum = tensors.values(x);
    double[] vectors = tensors.values(vector);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += vectors[i / (25 * 12) * 12 + i % 12];
    }
    Reference reference =
        new Reference(sum, tensors.values(scale), tensors.values(shift), 2, 12, 3);
    double[] gradient = reference.gradient(tensors.values(dy));
    check(Precision.FLOAT32, tensors.values(y), reference.z);
    check(Precision.FLOAT32, tensors.values(dx), gradient);
    double[] ofVector = new double[24];
    for (int i = 0; i < gradient.length; i++) {
      ofVector[i / (25 * 12) * 12 + i % 12] += gradient[i];
    }
    check(Precision.FLOAT32, tensors.values(dvector), ofVector);
  }

  @Test
  void anImageDoesNotDependOnTheOthers() {
    CudaContext context = new CudaContext(driver, null, Precision.BFLOAT16);
    Tensor x = tensors.randomMap(Precision.BFLOAT16, 3, 6, 6, 28);
    Tensor scale = tensors.randomFloats(1, 28);
    Tensor shift = tensors.randomFloats(1, 28);
    Tensor y = tensors.map(Precision.BFLOAT16, 3, 6, 6, 28);
    Tensor alone = tensors.map(Precision.BFLOAT16, 1, 6, 6, 28);
    GroupNorm op = set(new GroupNorm(), 1, Activation.SILU);
    GroupNormKernels.forward(op, context, List.of(x, scale, shift), List.of(y)).run();
    Tensor second = new Tensor(x.address() + x.bytes() / 3, alone.shape(), alone.format());
    GroupNormKernels.forward(op, context, List.of(second, scale, shift), List.of(alone)).run();
    double[] all = tensors.stored(y);
    assertThat(tensors.stored(alone))
        .isEqualTo(Arrays.copyOfRange(all, all.length / 3, 2 * all.length / 3));
  }
}
