package org.ddpm4j.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AttentionGradient;
import org.ddpm4j.kernels.ops.FusedOp;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LinearAttentionGradient;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.ops.PackedAttentionGradient;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TensorFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Both kinds of attention and their gradients, emulated, against loops in DOUBLE. */
class AttentionKernelsTest extends OnEmulatedCard {

  private static final int QUERIES = 0;
  private static final int KEYS = 1;
  private static final int VALUES = 2;
  private static final short NOT_A_NUMBER = (short) 0xFFFF;

  AttentionKernelsTest() {
    super(11);
  }

  /** A map [N,H,W,C], with the values that the card has. */
  private final class FeatureMap {
    final Tensor tensor;
    final int channels;

    FeatureMap(Precision precision, int images, int height, int width, int channels) {
      this.channels = channels;
      long[] shape = {images, height, width, channels};
      ElementType type =
          precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
      TensorFormat format = new TensorFormat(type, CudaDevice.paddedChannels(channels));
      tensor = new Tensor(driver.allocate(format.bytes(shape)), shape, format);
    }

    int rows() {
      return tensor.size(0) * tensor.size(1) * tensor.size(2);
    }

    private ByteBuffer buffer() {
      return ByteBuffer.allocateDirect((int) tensor.bytes()).order(ByteOrder.nativeOrder());
    }

    private boolean isFloat() {
      return tensor.type() == ElementType.FLOAT32;
    }

    /** Random numbers, zeros as padding. */
    FeatureMap fill() {
      ByteBuffer bytes = buffer();
      for (int row = 0; row < rows(); row++) {
        for (int c = 0; c < tensor.rowLength(); c++) {
          float x = c < channels ? (float) random.nextGaussian() + 0.1f * (c % 5) : 0;
          if (isFloat()) {
            bytes.putFloat(x);
          } else {
            bytes.putShort((short) (Float.floatToRawIntBits(x) >> 16));
          }
        }
      }
      driver.upload(bytes.flip(), tensor.address());
      return this;
    }

    /** What no kernel may leave. */
    FeatureMap spoil() {
      ByteBuffer bytes = buffer();
      while (bytes.hasRemaining()) {
        bytes.putShort(NOT_A_NUMBER);
      }
      driver.upload(bytes.flip(), tensor.address());
      return this;
    }

    /** All elements, padding too. */
    double[] values() {
      ByteBuffer bytes = buffer();
      driver.download(tensor.address(), bytes);
      bytes.rewind();
      double[] values = new double[rows() * (int) tensor.rowLength()];
      for (int i = 0; i < values.length; i++) {
        values[i] = isFloat() ? bytes.getFloat() : Float.intBitsToFloat(bytes.getShort() << 16);
      }
      return values;
    }
  }

  /** What one head of one image has in a map. */
  private record Head(double[] map, int start, int stride, int positions, int width) {
    double get(int p, int c) {
      return map[start + p * stride + c];
    }

    void set(int p, int c, double value) {
      map[start + p * stride + c] = value;
    }

    void add(int p, int c, double value) {
      map[start + p * stride + c] += value;
    }
  }

  private interface Loops {
    void run(Head[] qkv, Head y, Head dy, Head[] gradients);
  }

  private static double[] softmax(double[] scores) {
    double most = Arrays.stream(scores).max().orElseThrow();
    double[] exponentials = Arrays.stream(scores).map(x -> Math.exp(x - most)).toArray();
    double sum = Arrays.stream(exponentials).sum();
    return Arrays.stream(exponentials).map(x -> x / sum).toArray();
  }

  private static double[] softmaxSlopes(double[] shares, double[] slopes) {
    double mean = 0;
    for (int i = 0; i < shares.length; i++) {
      mean += shares[i] * slopes[i];
    }
    double[] results = new double[shares.length];
    for (int i = 0; i < shares.length; i++) {
      results[i] = shares[i] * (slopes[i] - mean);
    }
    return results;
  }

  private static void attention(Head[] qkv, Head y, Head dy, Head[] gradients) {
    int positions = y.positions;
    int width = y.width;
    double scale = 1 / Math.sqrt(width);
    for (int p = 0; p < positions; p++) {
      double[] scores = new double[positions];
      double[] slopes = new double[positions];
      for (int j = 0; j < positions; j++) {
        for (int c = 0; c < width; c++) {
          scores[j] += scale * qkv[QUERIES].get(p, c) * qkv[KEYS].get(j, c);
          slopes[j] += dy.get(p, c) * qkv[VALUES].get(j, c);
        }
      }
      double[] weights = softmax(scores);
      double[] slopesOfScores = softmaxSlopes(weights, slopes);
      for (int j = 0; j < positions; j++) {
        for (int c = 0; c < width; c++) {
          y.add(p, c, weights[j] * qkv[VALUES].get(j, c));
          gradients[QUERIES].add(p, c, scale * slopesOfScores[j] * qkv[KEYS].get(j, c));
          gradients[KEYS].add(j, c, scale * slopesOfScores[j] * qkv[QUERIES].get(p, c));
          gradients[VALUES].add(j, c, weights[j] * dy.get(p, c));
        }
      }
    }
  }

  /** The context matrix is never formed: the weights of all pairs of positions are. */
  private static void linearAttention(Head[] qkv, Head y, Head dy, Head[] gradients) {
    int positions = y.positions;
    int width = y.width;
    double[][] q = new double[positions][width];
    double[][] k = new double[width][positions];
    double[][] dq = new double[positions][width];
    double[][] dk = new double[width][positions];
    for (int p = 0; p < positions; p++) {
      for (int c = 0; c < width; c++) {
        q[p][c] = qkv[QUERIES].get(p, c);
        k[c][p] = qkv[KEYS].get(p, c);
      }
      q[p] = softmax(q[p]);
    }
    for (int c = 0; c < width; c++) {
      k[c] = softmax(k[c]);
    }
    double scale = 1 / Math.sqrt(width);
    for (int p = 0; p < positions; p++) {
      for (int j = 0; j < positions; j++) {
        double weight = 0;
        double slope = 0;
        for (int c = 0; c < width; c++) {
          weight += scale * q[p][c] * k[c][j];
          slope += scale * dy.get(p, c) * qkv[VALUES].get(j, c);
        }
        for (int c = 0; c < width; c++) {
          y.add(p, c, weight * qkv[VALUES].get(j, c));
          gradients[VALUES].add(j, c, weight * dy.get(p, c));
          dq[p][c] += slope * k[c][j];
          dk[c][j] += slope * q[p][c];
        }
      }
    }
    for (int p = 0; p < positions; p++) {
      double[] slopes = softmaxSlopes(q[p], dq[p]);
      for (int c = 0; c < width; c++) {
        gradients[QUERIES].set(p, c, slopes[c]);
      }
    }
    for (int c = 0; c < width; c++) {
      double[] slopes = softmaxSlopes(k[c], dk[c]);
      for (int p = 0; p < positions; p++) {
        gradients[KEYS].set(p, c, slopes[p]);
      }
    }
  }

  /** Expected values of y and the gradients of the maps. */
  private static List<double[]> expected(
      Loops loops, List<FeatureMap> maps, FeatureMap dy, int heads) {
    List<double[]> qkv = maps.stream().map(FeatureMap::values).toList();
    List<double[]> results = new ArrayList<>();
    double[] slopes = dy.values();
    results.add(new double[slopes.length]);
    qkv.forEach(map -> results.add(new double[map.length]));
    for (int image = 0; image < dy.tensor.size(0); image++) {
      for (int h = 0; h < heads; h++) {
        Head[] inputs = new Head[3];
        Head[] gradients = new Head[3];
        for (int part = 0; part < 3; part++) {
          int map = maps.size() == 1 ? 0 : part;
          int column = maps.size() == 1 ? part * dy.channels : 0;
          inputs[part] = head(maps.get(map), qkv.get(map), dy, image, h, heads, column);
          gradients[part] = head(maps.get(map), results.get(1 + map), dy, image, h, heads, column);
        }
        loops.run(
            inputs,
            head(dy, results.get(0), dy, image, h, heads, 0),
            head(dy, slopes, dy, image, h, heads, 0),
            gradients);
      }
    }
    return results;
  }

  private static Head head(
      FeatureMap map, double[] values, FeatureMap dy, int image, int h, int heads, int column) {
    int positions = dy.rows() / dy.tensor.size(0);
    int stride = (int) map.tensor.rowLength();
    int width = dy.channels / heads;
    int start = image * positions * stride + column + h * width;
    return new Head(values, start, stride, positions, width);
  }

  private static void assertClose(Precision precision, double[] found, double[] expected) {
    double error = 0;
    double norm = 0;
    for (int i = 0; i < found.length; i++) {
      error += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    double bound = precision == Precision.BFLOAT16 ? 1e-2 : 5e-6;
    assertThat(Math.sqrt(error)).isLessThanOrEqualTo(bound * Math.sqrt(norm));
  }

  private static <T extends FusedOp> T with(T op, int heads) {
    op.addIArgument(heads);
    return op;
  }

  private CudaContext context(Precision precision) {
    return new CudaContext(driver, null, precision);
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3, 5, 7, 4, 4",
    "FLOAT32, 1, 7, 7, 1, 7",
    "FLOAT32, 2, 7, 7, 4, 32",
    "FLOAT32, 1, 14, 14, 2, 12",
    "FLOAT32, 1, 3, 1, 2, 64",
    "FLOAT32, 1, 5, 5, 1, 100",
    "BFLOAT16, 3, 5, 7, 4, 12",
    "BFLOAT16, 3, 7, 7, 4, 32",
    "BFLOAT16, 1, 14, 14, 2, 8",
    "BFLOAT16, 1, 28, 28, 1, 32",
    "BFLOAT16, 1, 48, 48, 1, 32",
    "BFLOAT16, 2, 5, 7, 1, 64",
  })
  void linearAttention(Precision precision, int n, int h, int w, int heads, int width) {
    FeatureMap qkv = new FeatureMap(precision, n, h, w, 3 * heads * width).fill();
    FeatureMap dy = new FeatureMap(precision, n, h, w, heads * width).fill();
    FeatureMap y = new FeatureMap(precision, n, h, w, heads * width).spoil();
    FeatureMap dqkv = new FeatureMap(precision, n, h, w, 3 * heads * width).spoil();
    try (CudaContext context = context(precision)) {
      LinearAttentionKernels.forward(
              with(new LinearAttention(), heads), context, List.of(qkv.tensor), List.of(y.tensor))
          .run();
      LinearAttentionKernels.backward(
              with(new LinearAttentionGradient(), heads),
              context,
              List.of(qkv.tensor, dy.tensor),
              List.of(dqkv.tensor))
          .run();
    }
    List<double[]> expected =
        expected(AttentionKernelsTest::linearAttention, List.of(qkv), dy, heads);
    assertClose(precision, y.values(), expected.get(0));
    assertClose(precision, dqkv.values(), expected.get(1));
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 3, 5, 7, 4, 4",
    "FLOAT32, 1, 7, 7, 1, 7",
    "FLOAT32, 2, 7, 7, 4, 32",
    "FLOAT32, 1, 9, 9, 1, 256",
    "FLOAT32, 1, 5, 5, 1, 300",
    "BFLOAT16, 3, 5, 7, 4, 12",
    "BFLOAT16, 3, 7, 7, 4, 32",
    "BFLOAT16, 1, 14, 14, 2, 8",
    "BFLOAT16, 1, 9, 9, 1, 64",
    "BFLOAT16, 1, 9, 9, 1, 128",
    "BFLOAT16, 1, 16, 16, 1, 256",
  })
  void attention(Precision precision, int n, int h, int w, int heads, int width) {
    FeatureMap qkv = new FeatureMap(precision, n, h, w, 3 * heads * width).fill();
    FeatureMap dy = new FeatureMap(precision, n, h, w, heads * width).fill();
    FeatureMap y = new FeatureMap(precision, n, h, w, heads * width).spoil();
    FeatureMap dqkv = new FeatureMap(precision, n, h, w, 3 * heads * width).spoil();
    try (CudaContext context = context(precision)) {
      AttentionKernels.forward(
              with(new PackedAttention(), heads), context, List.of(qkv.tensor), List.of(y.tensor))
          .run();
      AttentionKernels.backward(
              with(new PackedAttentionGradient(), heads),
              context,
              List.of(qkv.tensor, dy.tensor),
              List.of(dqkv.tensor))
          .run();
    }
    List<double[]> expected = expected(AttentionKernelsTest::attention, List.of(qkv), dy, heads);
    assertClose(precision, y.values(), expected.get(0));
    assertClose(precision, dqkv.values(), expected.get(1));
  }

  /** All gradients, and each of them alone, which writes nothing else. */
  @ParameterizedTest
  @CsvSource({"FLOAT32, 4, 2", "FLOAT32, 32, 2", "BFLOAT16, 5, 2", "BFLOAT16, 32, 1"})
  void attentionOfParts(Precision precision, int width, int heads) {
    List<FeatureMap> maps = new ArrayList<>();
    for (int part = 0; part < 3; part++) {
      maps.add(new FeatureMap(precision, 2, 9, 8, heads * width).fill());
    }
    FeatureMap dy = new FeatureMap(precision, 2, 9, 8, heads * width).fill();
    FeatureMap y = new FeatureMap(precision, 2, 9, 8, heads * width).spoil();
    List<double[]> expected = expected(AttentionKernelsTest::attention, maps, dy, heads);
    List<Tensor> tensors = new ArrayList<>(maps.stream().map(map -> map.tensor).toList());
    try (CudaContext context = context(precision)) {
      AttentionKernels.forward(with(new Attention(), heads), context, tensors, List.of(y.tensor))
          .run();
      assertClose(precision, y.values(), expected.get(0));
      tensors.add(dy.tensor);
      for (int wanted : new int[] {7, 1, 2, 4}) {
        List<FeatureMap> gradients = new ArrayList<>();
        for (int part = 0; part < 3; part++) {
          boolean isWanted = (wanted >> part & 1) == 1;
          gradients.add(
              isWanted ? new FeatureMap(precision, 2, 9, 8, heads * width).spoil() : null);
        }
        AttentionKernels.backward(
                with(new AttentionGradient(), heads),
                context,
                tensors,
                gradients.stream().map(map -> map == null ? null : map.tensor).toList())
            .run();
        for (int part = 0; part < 3; part++) {
          if (gradients.get(part) != null) {
            assertClose(precision, gradients.get(part).values(), expected.get(1 + part));
          }
        }
      }
    }
  }

  /** Large scores, of which only differences matter. */
  @ParameterizedTest
  @EnumSource(
      value = Precision.class,
      names = {"FLOAT32", "BFLOAT16"})
  void largeScoresDoNotOverflow(Precision precision) {
    FeatureMap qkv = new FeatureMap(precision, 1, 5, 5, 96);
    ByteBuffer bytes = qkv.buffer();
    while (bytes.hasRemaining()) {
      float x = 300 + 2 * random.nextInt(2);
      if (precision == Precision.FLOAT32) {
        bytes.putFloat(x);
      } else {
        bytes.putShort((short) (Float.floatToRawIntBits(x) >> 16));
      }
    }
    driver.upload(bytes.flip(), qkv.tensor.address());
    FeatureMap y = new FeatureMap(precision, 1, 5, 5, 32);
    try (CudaContext context = context(precision)) {
      AttentionKernels.forward(
              with(new PackedAttention(), 1), context, List.of(qkv.tensor), List.of(y.tensor))
          .run();
      assertThat(Arrays.stream(y.values())).allMatch(value -> value >= 299 && value <= 303);
      LinearAttentionKernels.forward(
              with(new LinearAttention(), 1), context, List.of(qkv.tensor), List.of(y.tensor))
          .run();
    }
    double scale = Math.sqrt(32);
    assertThat(Arrays.stream(y.values()))
        .allMatch(value -> value * scale >= 297 && value * scale <= 305);
  }

  /** One image alone has the bits that it has among others. */
  @Test
  void imagesDoNotDependOnEachOther() {
    FeatureMap three = new FeatureMap(Precision.BFLOAT16, 3, 7, 7, 3 * 64).fill();
    FeatureMap all = new FeatureMap(Precision.BFLOAT16, 3, 7, 7, 64);
    FeatureMap alone = new FeatureMap(Precision.BFLOAT16, 1, 7, 7, 64);
    long offset = three.tensor.bytes() / 3;
    Tensor second =
        new Tensor(
            three.tensor.address() + offset, new long[] {1, 7, 7, 3 * 64}, three.tensor.format());
    try (CudaContext context = context(Precision.BFLOAT16)) {
      for (FusedOp op : List.of(with(new PackedAttention(), 2), with(new LinearAttention(), 2))) {
        forward(op, context, three.tensor, all.tensor);
        forward(op, context, second, alone.tensor);
        double[] values = all.values();
        int third = values.length / 3;
        assertThat(alone.values()).isEqualTo(Arrays.copyOfRange(values, third, 2 * third));
      }
    }
  }

  private static void forward(FusedOp op, CudaContext context, Tensor qkv, Tensor y) {
    if (op instanceof PackedAttention attention) {
      AttentionKernels.forward(attention, context, List.of(qkv), List.of(y)).run();
    } else {
      LinearAttentionKernels.forward((LinearAttention) op, context, List.of(qkv), List.of(y)).run();
    }
  }
}
