package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Layers;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The gradient of every layer against central differences. */
@Tag("gradients")
class LayersGradientTest {

  private final GradientCheck check = new GradientCheck();
  private final Layers layers = check.layers();

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0, 1, true",
    "1, 1, 0, 2, false",
    "3, 1, 1, 1, false",
    "3, 1, 1, 2, true",
    "7, 1, 3, 1, true",
    "7, 1, 3, 2, false",
    "4, 2, 1, 1, true",
    "4, 2, 1, 2, true"
  })
  void conv2d(int kernel, int stride, int padding, int batch, boolean withBias) {
    FeatureMap x = check.featureMap("x", batch, 5, 4, 3);
    SDVariable weight = check.variable("weight", kernel, kernel, 3, 2);
    SDVariable bias = withBias ? check.variable("bias", 2) : null;
    check.check(layers.conv2d(x, weight, bias, new Convolution(kernel, stride, padding), 2));
  }

  @ParameterizedTest
  @CsvSource({"3, 2, 0, 1", "3, 1, 2, 0"})
  void conv2dWithAsymmetricPadding(int kernel, int stride, int padding, int endPadding) {
    FeatureMap x = check.featureMap("x", 2, 6, 4, 3);
    SDVariable weight = check.variable("weight", kernel, kernel, 3, 2);
    SDVariable bias = check.variable("bias", 2);
    Convolution shape = new Convolution(kernel, stride, padding, endPadding);
    check.check(layers.conv2d(x, weight, bias, shape, 2));
  }

  @ParameterizedTest
  @CsvSource({"4, 2, 1, 1", "4, 2, 1, 2", "3, 1, 1, 2", "2, 2, 0, 1"})
  void convTranspose2d(int kernel, int stride, int padding, int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 3);
    SDVariable weight = check.variable("weight", kernel, kernel, 2, 3);
    SDVariable bias = check.variable("bias", 2);
    check.check(
        layers.convTranspose2d(x, weight, bias, new Convolution(kernel, stride, padding), 2));
  }

  @ParameterizedTest
  @CsvSource({"7, 1, 3, 1", "7, 1, 3, 2", "3, 1, 1, 2", "4, 2, 1, 1", "1, 1, 0, 1"})
  void depthwiseConv2d(int kernel, int stride, int padding, int batch) {
    FeatureMap x = check.featureMap("x", batch, 5, 4, 3);
    SDVariable weight = check.variable("weight", kernel, kernel, 3, 1);
    SDVariable bias = check.variable("bias", 3);
    check.check(layers.depthwiseConv2d(x, weight, bias, new Convolution(kernel, stride, padding)));
  }

  @ParameterizedTest
  @CsvSource({
    "1, IDENTITY, 1",
    "1, SILU, 2",
    "1, GELU, 1",
    "2, GELU_TANH, 1",
    "2, IDENTITY, 2",
    "2, SILU, 1",
    "3, SILU, 2",
    "3, GELU, 1",
    "6, IDENTITY, 1",
    "6, SILU, 2"
  })
  void groupNorm(int groups, Activation activation, int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 6);
    SDVariable weight = check.variable("weight", 6);
    SDVariable bias = check.variable("bias", 6);
    check.check(layers.groupNorm(x, weight, bias, groups, 1e-5, activation));
  }

  /** Where the variance is small, epsilon decides. */
  @Test
  void groupNormOfAlmostConstantFeatures() {
    INDArray almostConstant = check.random().gaussian(1e-2, 1, 3, 2, 4).addi(1);
    FeatureMap x = new FeatureMap(check.variable("x", almostConstant), 3, 2, 4);
    SDVariable weight = check.variable("weight", 4);
    SDVariable bias = check.variable("bias", 4);
    check.check(layers.groupNorm(x, weight, bias, 2, 1e-3, Activation.SILU));
  }

  @ParameterizedTest
  @EnumSource
  void linear(Activation activation) {
    SDVariable x = check.variable("x", 2, 3);
    SDVariable weight = check.variable("weight", 3, 4);
    SDVariable bias = check.variable("bias", 4);
    check.check(layers.linear(x, weight, bias, activation));
  }

  @ParameterizedTest
  @EnumSource
  void activation(Activation activation) {
    SDVariable x = check.variable("x", check.random().gaussian(2, 3, 5));
    check.check(layers.activation(x, activation).mul(1.0));
  }

  @ParameterizedTest
  @CsvSource({"1", "2"})
  void addPerChannel(int batch) {
    FeatureMap x = check.featureMap("x", batch, 3, 2, 4);
    check.check(layers.addPerChannel(x, check.variable("perChannel", batch, 4)));
  }

  @Test
  void scaleShiftPerChannel() {
    FeatureMap x = check.featureMap("x", 2, 3, 2, 4);
    check.check(layers.scaleShiftPerChannel(x, check.variable("scalesAndShifts", 2, 8)));
  }

  @Test
  void affine() {
    check.check(layers.affine(check.variable("x", 2, 3), -0.3, 2));
  }

  @Test
  void add() {
    check.check(layers.add(check.featureMap("a", 2, 3, 1, 2), check.featureMap("b", 2, 3, 1, 2)));
  }

  @Test
  void addToItself() {
    FeatureMap x = check.featureMap("x", 1, 2, 2, 2);
    check.check(layers.add(x, x));
  }

  @Test
  void concatChannels() {
    FeatureMap a = check.featureMap("a", 2, 3, 1, 2);
    FeatureMap b = check.featureMap("b", 2, 3, 1, 3);
    check.check(layers.concatChannels(a, b));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 3"})
  void avgPool2(int batch, int channels) {
    check.check(layers.avgPool2(check.featureMap("x", batch, 4, 2, channels)));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 3"})
  void maxPool2(int batch, int channels) {
    check.check(layers.maxPool2(check.featureMap("x", batch, 4, 2, channels)));
  }

  /** As in PyTorch. */
  @Test
  void maxPool2GivesTheGradientToTheFirstOfTheLargest() {
    INDArray x = Nd4j.createFromArray(0.0, 0, 1, 2, 0, 0, 2, 2).reshape(1, 2, 4, 1);
    SDVariable pooled = layers.maxPool2(new FeatureMap(check.variable("x", x), 2, 4, 1)).values();
    check.graph().setLossVariables(pooled.mul(5.0).sum().name());
    StandardOutputFilter.dropLines(
        "Added differentiated op ", () -> check.graph().createGradFunction());
    assertThat(check.graph().calculateGradients(Map.of(), "x").get("x").ravel().toDoubleVector())
        .containsExactly(5, 0, 0, 5, 0, 0, 0, 0);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 3"})
  void upsampleNearest2(int batch, int channels) {
    check.check(layers.upsampleNearest2(check.featureMap("x", batch, 3, 2, channels)));
  }

  /** One row is asked for twice, one never. */
  @Test
  void embedding() {
    SDVariable labels = check.graph().constant(Nd4j.createFromArray(2.0, 0, 2));
    check.check(layers.embedding(labels, check.variable("weight", 4, 3), 4));
  }

  @Test
  void multiply() {
    check.check(layers.multiply(check.variable("a", 2, 3), check.variable("b", 2, 3)));
  }

  @Test
  void timeFraction() {
    check.check(layers.timeFraction(check.variable("t", 3), 7));
  }

  @Test
  void blur() {
    check.check(layers.blur(check.featureMap("x", 2, 3, 4, 2)));
  }

  @Test
  void layerNorm() {
    check.check(layers.layerNorm(check.featureMap("x", 2, 1, 3, 4), 1e-2));
  }

  @Test
  void addPositions() {
    check.check(layers.addPositions(check.featureMap("x", 2, 2, 3, 2), Nd4j.ones(1, 2, 3, 2)));
  }

  @Test
  void splitAndConcat() {
    SDVariable[] parts = layers.split(check.variable("x", 2, 6), 3, 2);
    SDVariable product = layers.multiply(parts[0], parts[2]);
    check.check(layers.concat(parts[1], product, 2));
  }

  @Test
  void unpatchify() {
    check.check(layers.unpatchify(check.featureMap("x", 2, 1, 2, 8), 2, 2));
  }

  @Test
  void rmsNorm() {
    check.check(layers.rmsNorm(check.featureMap("x", 2, 3, 2, 5), check.variable("gain", 5)));
  }

  @Test
  void memories() {
    SDVariable memory = check.variable("memory", 3, 2, 2, 1);
    FeatureMap longer = layers.prependMemory(check.featureMap("x", 2, 2, 3, 6), memory, 3, 4);
    check.check(layers.dropMemory(layers.linearAttention(longer, 2), 2, 3));
  }

  @Test
  void learnedSinusoids() {
    SDVariable t = check.variable("t", Nd4j.createFromArray(0.7, 1.9));
    SDVariable frequencies = check.variable("f", Nd4j.createFromArray(-0.3, 0.2, 0.6));
    check.check(layers.learnedSinusoids(t, frequencies));
  }

  @Test
  void dividePerImage() {
    SDVariable divisors = check.variable("t", Nd4j.createFromArray(0.4, -2.0));
    check.check(layers.dividePerImage(check.featureMap("x", 2, 3, 2, 2), divisors));
  }

  /** A fixed mask: the slopes of what is dropped are exactly zero. */
  @Test
  void dropout() {
    BatchKey key = new BatchKey(5, 12, 3, 7);
    SDVariable keys =
        check
            .graph()
            .constant(Nd4j.createFromArray(key.rows(2)).reshape(2, 9).castTo(DataType.DOUBLE));
    check.check(layers.dropout(check.featureMap("x", 2, 3, 2, 3), keys, 4, 0.4));
  }

  @Test
  void fourierEmbedding() {
    SDVariable t = check.variable("t", Nd4j.createFromArray(0.7, 1.9));
    SDVariable frequencies = check.variable("f", Nd4j.createFromArray(-0.3, 0.2, 0.6));
    check.check(layers.fourierEmbedding(t, frequencies));
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 1", "2, 2, 2", "3, 1, 1"})
  void attention(int heads, int width, int batch) {
    FeatureMap qkv = check.featureMap("qkv", batch, 3, 2, 3 * heads * width);
    check.check(layers.attention(qkv, heads));
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 1", "2, 2, 2"})
  void attentionOfParts(int heads, int width, int batch) {
    FeatureMap q = check.featureMap("q", batch, 3, 2, heads * width);
    FeatureMap k = check.featureMap("k", batch, 3, 2, heads * width);
    FeatureMap v = check.featureMap("v", batch, 3, 2, heads * width);
    check.check(layers.attention(q, k, v, heads));
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 1", "2, 2, 2", "3, 2, 1"})
  void linearAttention(int heads, int width, int batch) {
    FeatureMap qkv = check.featureMap("qkv", batch, 3, 2, 3 * heads * width);
    check.check(layers.linearAttention(qkv, heads));
  }

  @ParameterizedTest
  @CsvSource({"4, 1, 1", "6, 1, 2", "10, 1, 3", "8, 0, 2"})
  void sinusoidalEmbedding(int width, int shift, int batch) {
    SDVariable t = check.variable("t", check.random().gaussian(10, batch));
    check.check(layers.sinusoidalEmbedding(t, new Frequencies(width, shift)));
  }

  @Test
  void changesLayout() {
    SDVariable x = check.variable("x", 2, 3, 4, 5);
    FeatureMap inside = layers.toChannelsLast(x, 3, 4, 5);
    check.check(inside.values(), layers.toChannelsFirst(inside));
  }

  /** The errors keep away from 0 and 1, where L1 and Huber have kinks. */
  @ParameterizedTest
  @CsvSource({"L1, 1", "L1, 2", "L2, 1", "L2, 2", "HUBER, 1", "HUBER, 2"})
  void lossPerImage(LossFunction function, int batch) {
    INDArray target = check.random().gaussian(1, batch, 3, 2, 2);
    INDArray prediction = target.add(check.random().awayFrom0And1(batch, 3, 2, 2));
    check.check(
        layers.lossPerImage(
            new FeatureMap(check.variable("prediction", prediction), 3, 2, 2),
            new FeatureMap(check.variable("target", target), 3, 2, 2),
            function));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void innerProductPerImage(int batch) {
    check.check(
        layers.innerProductPerImage(
            new FeatureMap(
                check.variable("x", check.random().gaussian(1, batch, 3, 2, 2)), 3, 2, 2),
            new FeatureMap(
                check.variable("y", check.random().gaussian(1, batch, 3, 2, 2)), 3, 2, 2)));
  }
}
