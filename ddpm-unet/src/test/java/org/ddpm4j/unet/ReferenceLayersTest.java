package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The forward pass of the layers against plain loops and numbers computed by hand. */
class ReferenceLayersTest {

  private final RandomArrays random = new RandomArrays(1);

  static Stream<Arguments> convolutions() {
    return inBothTypes(
        new Convolution(1, 1, 0),
        new Convolution(3, 1, 1),
        new Convolution(7, 1, 3),
        new Convolution(4, 2, 1),
        new Convolution(3, 2, 0),
        new Convolution(2, 2, 0));
  }

  static Stream<Arguments> asymmetricConvolutions() {
    return inBothTypes(
        new Convolution(3, 2, 0, 1), new Convolution(3, 1, 2, 0), new Convolution(4, 2, 1, 2));
  }

  @ParameterizedTest
  @MethodSource({"convolutions", "asymmetricConvolutions"})
  void conv2d(Convolution shape, DataType type) {
    INDArray x = random.gaussian(1, 2, 5, 8, 3);
    INDArray weight = random.gaussian(0.5, shape.kernel(), shape.kernel(), 3, 4);
    INDArray bias = random.gaussian(1, 4);
    check(
        type,
        NaiveLayers.conv2d(x, weight, bias, shape),
        (layers, in) -> layers.conv2d(map(in.get(0)), in.get(1), in.get(2), shape, 4),
        x,
        weight,
        bias);
    check(
        type,
        NaiveLayers.conv2d(x, weight, null, shape),
        (layers, in) -> layers.conv2d(map(in.get(0)), in.get(1), null, shape, 4),
        x,
        weight);
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void convTranspose2d(Convolution shape, DataType type) {
    INDArray x = random.gaussian(1, 2, 4, 5, 3);
    INDArray weight = random.gaussian(0.5, shape.kernel(), shape.kernel(), 2, 3);
    INDArray bias = random.gaussian(1, 2);
    check(
        type,
        NaiveLayers.convTranspose2d(x, weight, bias, shape),
        (layers, in) -> layers.convTranspose2d(map(in.get(0)), in.get(1), in.get(2), shape, 2),
        x,
        weight,
        bias);
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void depthwiseConv2d(Convolution shape, DataType type) {
    INDArray x = random.gaussian(1, 2, 5, 8, 3);
    INDArray weight = random.gaussian(0.5, shape.kernel(), shape.kernel(), 3, 1);
    INDArray bias = random.gaussian(1, 3);
    check(
        type,
        NaiveLayers.depthwiseConv2d(x, weight, bias, shape),
        (layers, in) -> layers.depthwiseConv2d(map(in.get(0)), in.get(1), in.get(2), shape),
        x,
        weight,
        bias);
  }

  static Stream<Arguments> groupsAndActivations() {
    return Stream.of(1, 2, 3, 6)
        .flatMap(
            groups ->
                Stream.of(Activation.values())
                    .flatMap(
                        activation -> types().map(type -> Arguments.of(groups, activation, type))));
  }

  @ParameterizedTest
  @MethodSource("groupsAndActivations")
  void groupNorm(int groups, Activation activation, DataType type) {
    INDArray x = random.gaussian(2, 2, 3, 5, 6).addi(0.5);
    INDArray weight = random.gaussian(1, 6);
    INDArray bias = random.gaussian(1, 6);
    check(
        type,
        NaiveLayers.groupNorm(x, weight, bias, groups, 1e-3, activation),
        (layers, in) ->
            layers.groupNorm(map(in.get(0)), in.get(1), in.get(2), groups, 1e-3, activation),
        x,
        weight,
        bias);
  }

  static Stream<Arguments> activations() {
    return inBothTypes((Object[]) Activation.values());
  }

  @ParameterizedTest
  @MethodSource("activations")
  void linear(Activation activation, DataType type) {
    INDArray x = random.gaussian(1, 3, 4);
    INDArray weight = random.gaussian(1, 4, 5);
    INDArray bias = random.gaussian(1, 5);
    checkVariable(
        type,
        NaiveLayers.linear(x, weight, bias, activation),
        (layers, in) -> layers.linear(in.get(0), in.get(1), in.get(2), activation),
        x,
        weight,
        bias);
  }

  @ParameterizedTest
  @MethodSource("activations")
  void activation(Activation activation, DataType type) {
    INDArray x =
        Nd4j.createFromArray(IntStream.range(0, 49).mapToDouble(i -> -6 + i / 4.0).toArray());
    checkVariable(
        type,
        NaiveLayers.activation(x, activation),
        (layers, in) -> layers.activation(in.get(0), activation),
        x);
  }

  /** GELU and SiLU at 1: Φ(1) and 1/(1 + 1/e), from tables. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void activationsAtOne(DataType type) {
    INDArray one = Nd4j.createFromArray(1.0);
    checkVariable(
        type,
        Nd4j.createFromArray(0.841344746068542949),
        (layers, in) -> layers.activation(in.get(0), Activation.GELU),
        one);
    checkVariable(
        type,
        Nd4j.createFromArray(0.731058578630004879),
        (layers, in) -> layers.activation(in.get(0), Activation.SILU),
        one);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void addPerChannel(DataType type) {
    INDArray x = random.gaussian(1, 2, 3, 5, 4);
    INDArray perChannel = random.gaussian(1, 2, 4);
    check(
        type,
        NaiveLayers.addPerChannel(x, perChannel),
        (layers, in) -> layers.addPerChannel(map(in.get(0)), in.get(1)),
        x,
        perChannel);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void scaleShiftPerChannel(DataType type) {
    INDArray x = random.gaussian(1, 2, 3, 5, 4);
    INDArray scalesAndShifts = random.gaussian(1, 2, 8);
    check(
        type,
        NaiveLayers.scaleShiftPerChannel(x, scalesAndShifts),
        (layers, in) -> layers.scaleShiftPerChannel(map(in.get(0)), in.get(1)),
        x,
        scalesAndShifts);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void affine(DataType type) {
    checkVariable(
        type,
        Nd4j.createFromArray(-1, 0, 0.5),
        (layers, in) -> layers.affine(in.get(0), 2, -1),
        Nd4j.createFromArray(0, 0.5, 0.75));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void add(DataType type) {
    INDArray a = Nd4j.createFromArray(1.0, 2, 3, 4).reshape(1, 2, 1, 2);
    INDArray b = Nd4j.createFromArray(0.5, -2, 0, 10).reshape(1, 2, 1, 2);
    check(
        type,
        Nd4j.createFromArray(1.5, 0, 3, 14).reshape(1, 2, 1, 2),
        (layers, in) -> layers.add(map(in.get(0)), map(in.get(1))),
        a,
        b);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void concatChannels(DataType type) {
    INDArray a = random.gaussian(1, 2, 3, 5, 2);
    INDArray b = random.gaussian(1, 2, 3, 5, 3);
    check(
        type,
        NaiveLayers.concatChannels(a, b),
        (layers, in) -> layers.concatChannels(map(in.get(0)), map(in.get(1))),
        a,
        b);
  }

  static Stream<Arguments> batches() {
    return inBothTypes(1, 3);
  }

  @ParameterizedTest
  @MethodSource("batches")
  void avgPool2(int batch, DataType type) {
    INDArray x = random.gaussian(1, batch, 4, 6, 5);
    check(type, NaiveLayers.avgPool2(x), (layers, in) -> layers.avgPool2(map(in.get(0))), x);
  }

  @ParameterizedTest
  @MethodSource("batches")
  void maxPool2(int batch, DataType type) {
    INDArray x = random.gaussian(1, batch, 4, 6, 5);
    check(type, NaiveLayers.maxPool2(x), (layers, in) -> layers.maxPool2(map(in.get(0))), x);
  }

  @ParameterizedTest
  @MethodSource("batches")
  void upsampleNearest2(int batch, DataType type) {
    INDArray x = random.gaussian(1, batch, 2, 3, 5);
    check(
        type,
        NaiveLayers.upsampleNearest2(x),
        (layers, in) -> layers.upsampleNearest2(map(in.get(0))),
        x);
  }

  @Test
  void refusesToHalveWhatIsOdd() {
    SameDiff graph = SameDiff.create();
    for (Layers layers :
        List.of(new ReferenceLayers(graph, DataType.FLOAT), new FusedLayers(graph))) {
      for (int[] size : new int[][] {{3, 4}, {4, 7}}) {
        FeatureMap x =
            map(graph.placeHolder("x" + size[0] + layers, DataType.FLOAT, -1, size[0], size[1], 2));
        for (UnaryOperator<FeatureMap> pool :
            List.<UnaryOperator<FeatureMap>>of(layers::avgPool2, layers::maxPool2)) {
          assertThatThrownBy(() -> pool.apply(x))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage(
                  "Features of %dx%d cannot be pooled in squares of two by two; height and width must be even.",
                  size[0], size[1]);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void multiplyAndAdd(DataType type) {
    INDArray a = random.gaussian(1, 5);
    INDArray b = random.gaussian(1, 5);
    checkVariable(type, a.mul(b), (layers, in) -> layers.multiply(in.get(0), in.get(1)), a, b);
    checkVariable(type, a.add(b), (layers, in) -> layers.add(in.get(0), in.get(1)), a, b);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void embedding(DataType type) {
    INDArray table = random.gaussian(1, 4, 3);
    INDArray expected = Nd4j.vstack(table.getRow(3), table.getRow(0), table.getRow(3));
    checkVariable(
        type,
        expected,
        (layers, in) -> layers.embedding(in.get(0), in.get(1), 4),
        Nd4j.createFromArray(3.0, 0, 3),
        table);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void timeFraction(DataType type) {
    checkVariable(
        type,
        Nd4j.createFromArray(0.0, 0.25, 0.999).reshape(3, 1),
        (layers, in) -> layers.timeFraction(in.get(0), 1000),
        Nd4j.createFromArray(0.0, 250, 999));
  }

  /** What is repeated and blurred, or blurred and averaged, is filtered by (1,3,3,1)/8. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void blur(DataType type) {
    INDArray x = random.gaussian(1, 2, 3, 5, 2);
    check(type, NaiveLayers.blur(x), (layers, in) -> layers.blur(map(in.get(0))), x);
  }

  /** Of 1, 3 and 5, 1 the means are 2 and 3, the deviations 1 and 2. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void layerNorm(DataType type) {
    check(
        type,
        Nd4j.createFromArray(-1.0, 1, 1, -1).reshape(1, 1, 2, 2),
        (layers, in) -> layers.layerNorm(map(in.get(0)), 0),
        Nd4j.createFromArray(1.0, 3, 5, 1).reshape(1, 1, 2, 2));
  }

  /** Two patches of 2 by 2 positions of one channel. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void unpatchify(DataType type) {
    check(
        type,
        Nd4j.createFromArray(1.0, 2, 5, 6, 3, 4, 7, 8).reshape(1, 2, 4, 1),
        (layers, in) -> layers.unpatchify(map(in.get(0)), 2, 1),
        Nd4j.createFromArray(1.0, 2, 3, 4, 5, 6, 7, 8).reshape(1, 1, 2, 4));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void dividePerImage(DataType type) {
    INDArray x = random.gaussian(1, 2, 1, 2, 1);
    INDArray divisors = Nd4j.createFromArray(0.5, -4.0);
    INDArray expected = x.dup();
    for (int j = 0; j < 2; j++) {
      expected.putScalar(new int[] {0, 0, j, 0}, x.getDouble(0, 0, j, 0) * 2);
      expected.putScalar(new int[] {1, 0, j, 0}, x.getDouble(1, 0, j, 0) / -4);
    }
    check(
        type,
        expected,
        (layers, in) -> layers.dividePerImage(map(in.get(0)), in.get(1)),
        x,
        divisors);
  }

  /** 3, 4 and 0 have the length 5, and so do 0, 3 and -4; a row of zeros stays one. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void rmsNorm(DataType type) {
    double root = Math.sqrt(3);
    double[][] expected = {{0.6 * root, 1.6 * root, 0}, {0, 1.2 * root, 2.4 * root}, {0, 0, 0}};
    INDArray x = Nd4j.createFromArray(new double[][] {{3, 4, 0}, {0, 3, -4}, {0, 0, 0}});
    check(
        type,
        Nd4j.createFromArray(expected).reshape(1, 3, 1, 3),
        (layers, in) -> layers.rmsNorm(map(in.get(0)), in.get(1)),
        x.reshape(1, 3, 1, 3),
        Nd4j.createFromArray(1.0, 2, -3));
  }

  /** A memory of keys and values before four positions of three channels: its query is zero. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void memories(DataType type) {
    INDArray x = Nd4j.arange(24).castTo(DataType.DOUBLE).reshape(2, 2, 2, 3);
    INDArray memory = Nd4j.createFromArray(-1.0, -2, -3, -4).reshape(2, 2, 1, 1);
    double[] first = {0, -1, -2, 0, -3, -4};
    INDArray expected = Nd4j.zeros(DataType.DOUBLE, 2, 1, 6, 3);
    for (int n = 0; n < 2; n++) {
      for (int i = 0; i < 18; i++) {
        double value = i < 6 ? first[i] : 12 * n + i - 6;
        expected.putScalar(new int[] {n, 0, i / 3, i % 3}, value);
      }
    }
    check(
        type,
        expected,
        (layers, in) -> layers.prependMemory(map(in.get(0)), in.get(1), 2, 2),
        x,
        memory);
    check(type, x, (layers, in) -> layers.dropMemory(map(in.get(0)), 2, 2), expected);
  }

  /** A quarter and half a turn, and a turn and a half back. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void learnedSinusoids(DataType type) {
    double[][] expected = {{1, 1, 0, 0, -1}, {-3, 1, 0, 0, -1}};
    checkVariable(
        type,
        Nd4j.createFromArray(expected),
        (layers, in) -> layers.learnedSinusoids(in.get(0), in.get(1)),
        Nd4j.createFromArray(1.0, -3),
        Nd4j.createFromArray(0.25, 0.5));
  }

  /** log t is 1 and -2, so that a frequency of 0.25 makes a quarter turn and half a turn back. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void fourierEmbedding(DataType type) {
    double root = Math.sqrt(0.5);
    double[][] expected = {{1, root, 0, root}, {0, -1, -1, 0}};
    checkVariable(
        type,
        Nd4j.createFromArray(expected),
        (layers, in) -> layers.fourierEmbedding(in.get(0), in.get(1)),
        Nd4j.createFromArray(Math.E, Math.exp(-2)),
        Nd4j.createFromArray(0.25, 0.125));
  }

  static Stream<Arguments> heads() {
    return inBothTypes(1, 2, 3);
  }

  @ParameterizedTest
  @MethodSource("heads")
  void attention(int heads, DataType type) {
    INDArray qkv = random.gaussian(1, 2, 3, 5, 3 * heads * 4);
    check(
        type,
        NaiveLayers.attention(qkv, heads),
        (layers, in) -> layers.attention(map(in.get(0)), heads),
        qkv);
  }

  @ParameterizedTest
  @MethodSource("heads")
  void attentionOfParts(int heads, DataType type) {
    INDArray q = random.gaussian(1, 2, 3, 5, heads * 4);
    INDArray k = random.gaussian(1, 2, 3, 5, heads * 4);
    INDArray v = random.gaussian(1, 2, 3, 5, heads * 4);
    check(
        type,
        NaiveLayers.attention(Nd4j.concat(3, q, k, v), heads),
        (layers, in) -> layers.attention(map(in.get(0)), map(in.get(1)), map(in.get(2)), heads),
        q,
        k,
        v);
  }

  @ParameterizedTest
  @MethodSource("heads")
  void linearAttention(int heads, DataType type) {
    INDArray qkv = random.gaussian(1, 2, 3, 5, 3 * heads * 4);
    check(
        type,
        NaiveLayers.linearAttention(qkv, heads),
        (layers, in) -> layers.linearAttention(map(in.get(0)), heads),
        qkv);
  }

  /** The frequencies of width 6 are 1, 0.01 and 0.0001. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void sinusoidalEmbedding(DataType type) {
    double[][] expected = {
      {0, 0, 0, 1, 1, 1},
      {
        0.8414709848078965,
        0.009999833334166664,
        0.00009999999983333333,
        0.5403023058681398,
        0.9999500004166653,
        0.999999995
      },
      {
        -0.5440211108893698,
        0.09983341664682815,
        0.0009999998333333417,
        -0.8390715290764524,
        0.9950041652780258,
        0.9999995000000417
      }
    };
    checkVariable(
        type,
        Nd4j.createFromArray(expected),
        (layers, in) -> layers.sinusoidalEmbedding(in.get(0), new Frequencies(6, 1)),
        Nd4j.createFromArray(0.0, 1, 10));
  }

  /** Without the shift the frequencies of width 4 are 1 and 0.01. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void sinusoidalEmbeddingWithoutShift(DataType type) {
    checkVariable(
        type,
        Nd4j.createFromArray(
            new double[][] {
              {0.8414709848078965, 0.009999833334166664, 0.5403023058681398, 0.9999500004166653},
              {-0.5440211108893698, 0.09983341664682815, -0.8390715290764524, 0.9950041652780258}
            }),
        (layers, in) -> layers.sinusoidalEmbedding(in.get(0), new Frequencies(4, 0)),
        Nd4j.createFromArray(1.0, 10));
  }

  /** With a shift of -2 the frequencies of width 4 are 1 and 0.1. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void sinusoidalEmbeddingWithCosinesFirst(DataType type) {
    checkVariable(
        type,
        Nd4j.createFromArray(
            new double[][] {
              {0.5403023058681398, 0.9950041652780258, 0.8414709848078965, 0.09983341664682815}
            }),
        (layers, in) ->
            layers.sinusoidalEmbedding(
                in.get(0), new Frequencies(4, -2, Frequencies.Order.COSINES_FIRST)),
        Nd4j.createFromArray(1.0));
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5, Integer.MAX_VALUE})
  void refusesShiftsThatFrequenciesCannotHave(int shift) {
    assertThatThrownBy(() -> new Frequencies(8, shift))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The 4 frequencies of an embedding cannot be shifted by %d; the shift must be less than their number.",
            shift);
  }

  @ParameterizedTest
  @ValueSource(ints = {-2, 0, 1, 5})
  void refusesWidthsThatAnEmbeddingCannotHave(int width) {
    assertThatThrownBy(() -> new Frequencies(width, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "A sinusoidal embedding cannot be %d wide; the width must be even and at least 2.",
            width);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT", "DOUBLE"})
  void changesLayout(DataType type) {
    INDArray outside =
        Nd4j.createFromArray(IntStream.range(0, 12).asDoubleStream().toArray()).reshape(1, 2, 2, 3);
    double[] inside = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11};
    check(
        type,
        Nd4j.createFromArray(inside).reshape(1, 2, 3, 2),
        (layers, in) -> layers.toChannelsLast(in.get(0), 2, 2, 3),
        outside);
    checkVariable(
        type,
        outside,
        (layers, in) -> layers.toChannelsFirst(layers.toChannelsLast(in.get(0), 2, 2, 3)),
        outside);
  }

  static Stream<Arguments> losses() {
    return inBothTypes((Object[]) LossFunction.values());
  }

  @ParameterizedTest
  @MethodSource("losses")
  void lossPerImage(LossFunction function, DataType type) {
    INDArray prediction = random.gaussian(1, 3, 2, 5, 4);
    INDArray target = random.gaussian(1, 3, 2, 5, 4);
    checkVariable(
        type,
        NaiveLayers.lossPerImage(prediction, target, function),
        (layers, in) -> layers.lossPerImage(map(in.get(0)), map(in.get(1)), function),
        prediction,
        target);
  }

  /** Two images with the errors 0.5, -3 and 0, 1. */
  @ParameterizedTest
  @MethodSource("losses")
  void lossPerImageByHand(LossFunction function, DataType type) {
    double[] expected =
        switch (function) {
          case L1 -> new double[] {1.75, 0.5};
          case L2 -> new double[] {4.625, 0.5};
          case HUBER -> new double[] {1.3125, 0.25};
        };
    checkVariable(
        type,
        Nd4j.createFromArray(expected),
        (layers, in) -> layers.lossPerImage(map(in.get(0)), map(in.get(1)), function),
        Nd4j.createFromArray(1.5, -1, 2, 3).reshape(2, 1, 1, 2),
        Nd4j.createFromArray(1.0, 2, 2, 2).reshape(2, 1, 1, 2));
  }

  @ParameterizedTest
  @MethodSource("types")
  void innerProductPerImageByHand(DataType type) {
    checkVariable(
        type,
        Nd4j.createFromArray(-0.25, 5),
        (layers, in) -> layers.innerProductPerImage(map(in.get(0)), map(in.get(1))),
        Nd4j.createFromArray(1.5, -1, 2, 3).reshape(2, 1, 1, 2),
        Nd4j.createFromArray(1.0, 2, 2, 2).reshape(2, 1, 1, 2));
  }

  private static Stream<DataType> types() {
    return Stream.of(DataType.DOUBLE, DataType.FLOAT);
  }

  private static Stream<Arguments> inBothTypes(Object... values) {
    return Stream.of(values).flatMap(value -> types().map(type -> Arguments.of(value, type)));
  }

  private static FeatureMap map(SDVariable values) {
    long[] shape = values.placeholderShape();
    return new FeatureMap(values, (int) shape[1], (int) shape[2], (int) shape[3]);
  }

  /** Also checks that the layer announces the size that its values have. */
  private static void check(
      DataType type,
      INDArray expected,
      BiFunction<Layers, List<SDVariable>, FeatureMap> layer,
      INDArray... inputs) {
    checkVariable(
        type,
        expected,
        (layers, in) -> {
          FeatureMap y = layer.apply(layers, in);
          assertThat(new long[] {y.height(), y.width(), y.channels()})
              .containsExactly(expected.size(1), expected.size(2), expected.size(3));
          return y.values();
        },
        inputs);
  }

  private static void checkVariable(
      DataType type,
      INDArray expected,
      BiFunction<Layers, List<SDVariable>, SDVariable> layer,
      INDArray... inputs) {
    SameDiff graph = SameDiff.create();
    List<SDVariable> variables = new ArrayList<>();
    Map<String, INDArray> values = new HashMap<>();
    for (INDArray input : inputs) {
      String name = "in" + variables.size();
      variables.add(graph.placeHolder(name, type, input.shape()));
      values.put(name, input.castTo(type));
    }
    SDVariable y = layer.apply(new ReferenceLayers(graph, type), variables);
    INDArray actual = graph.outputSingle(values, y.name());
    assertThat(actual.dataType()).isEqualTo(type);
    assertThat(actual.shape()).containsExactly(expected.shape());
    double tolerance = type == DataType.DOUBLE ? 1e-10 : 1e-5;
    double scale = Math.max(1, expected.amaxNumber().doubleValue());
    INDArray found = actual.castTo(DataType.DOUBLE).dup('c');
    INDArray wanted = expected.dup('c');
    for (long i = 0; i < wanted.length(); i++) {
      assertThat(found.getDouble(i)).isCloseTo(wanted.getDouble(i), within(tolerance * scale));
    }
  }
}
