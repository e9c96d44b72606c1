package org.ddpm4j.evaluation;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32C;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.Pooling2D;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The graph of InceptionV3 (Szegedy et al. 2015), as the papers that report FIDs use it: the
 * network of 2015-12-05 with 1008 outputs, whose average pooling does not count the padding and
 * whose last block pools by the maximum.
 *
 * <p>Nothing is trained, so every normalisation is folded into its convolution. The operations are
 * SameDiff's own: kernels that are not square, and pooling of three by three, are nowhere else in
 * this library.
 */
final class InceptionV3 {

  /** Side of the images that the network sees. */
  static final int SIZE = 299;

  /** Features of an image: the means of the last block's channels. */
  static final int FEATURES = 2048;

  /** Outputs, of which 1000 are ImageNet's classes. */
  static final int CLASSES = 1008;

  private static final String INPUT = "pixels";
  private static final String POOLED = "pool_3";
  private static final double EPSILON = 1e-3;

  /** Where weights come from. */
  @FunctionalInterface
  interface Weights {
    /**
     * A weight.
     *
     * @param name PyTorch's
     * @param shape which it must have
     * @return an array of that shape
     */
    INDArray get(String name, long... shape);
  }

  /** Height and width of a kernel with the paddings that go with it. */
  private record Kernel(int height, int width, int stride, int padHeight, int padWidth) {

    static Kernel of(int size) {
      return new Kernel(size, size, 1, 0, 0);
    }

    static Kernel same(int height, int width) {
      return new Kernel(height, width, 1, height / 2, width / 2);
    }

    static Kernel halving(int size) {
      return new Kernel(size, size, 2, 0, 0);
    }
  }

  /** Feature maps {@code [N,C,H,W]}. */
  private record Maps(SDVariable values, int channels) {

    Maps with(SDVariable newValues) {
      return new Maps(newValues, channels);
    }
  }

  private final SameDiff graph = SameDiff.create();
  private final Weights weights;
  private final CRC32C checksum = new CRC32C();

  /**
   * Builds the graph.
   *
   * @param weights by PyTorch's names: {@code NAME.conv.weight} {@code [oC,iC,kH,kW]}, {@code
   *     NAME.bn.weight}, {@code .bias}, {@code .running_mean} and {@code .running_var} {@code [oC]}
   */
  InceptionV3(Weights weights) {
    this.weights = weights;
    Maps x = new Maps(graph.placeHolder(INPUT, DataType.FLOAT, -1, 3, SIZE, SIZE), 3);
    x = conv("Conv2d_1a_3x3", x, 32, Kernel.halving(3));
    x = conv("Conv2d_2a_3x3", x, 32, Kernel.of(3));
    x = conv("Conv2d_2b_3x3", x, 64, Kernel.same(3, 3));
    x = maxPool(x, 2, 0);
    x = conv("Conv2d_3b_1x1", x, 80, Kernel.of(1));
    x = conv("Conv2d_4a_3x3", x, 192, Kernel.of(3));
    x = maxPool(x, 2, 0);
    x = blockA("Mixed_5b", x, 32);
    x = blockA("Mixed_5c", x, 64);
    x = blockA("Mixed_5d", x, 64);
    x = blockB("Mixed_6a", x);
    x = blockC("Mixed_6b", x, 128);
    x = blockC("Mixed_6c", x, 160);
    x = blockC("Mixed_6d", x, 160);
    x = blockC("Mixed_6e", x, 192);
    x = blockD("Mixed_7a", x);
    x = blockE("Mixed_7b", x, averagePool(x));
    x = blockE("Mixed_7c", x, maxPool(x, 1, 1));
    graph.mean(POOLED, x.values(), 2, 3);
  }

  /**
   * The features of images.
   *
   * @param images {@code [N,3,299,299]}, about -1 to 1
   * @return {@code [N,2048]}
   */
  INDArray features(INDArray images) {
    return graph.outputSingle(Map.of(INPUT, images), POOLED);
  }

  /** A checksum of all weights. */
  long checksum() {
    return checksum.getValue();
  }

  private Maps blockA(String name, Maps x, int poolChannels) {
    Maps five = conv(name + ".branch5x5_1", x, 48, Kernel.of(1));
    Maps three = conv(name + ".branch3x3dbl_1", x, 64, Kernel.of(1));
    three = conv(name + ".branch3x3dbl_2", three, 96, Kernel.same(3, 3));
    return concat(
        conv(name + ".branch1x1", x, 64, Kernel.of(1)),
        conv(name + ".branch5x5_2", five, 64, Kernel.same(5, 5)),
        conv(name + ".branch3x3dbl_3", three, 96, Kernel.same(3, 3)),
        conv(name + ".branch_pool", averagePool(x), poolChannels, Kernel.of(1)));
  }

  private Maps blockB(String name, Maps x) {
    Maps three = conv(name + ".branch3x3dbl_1", x, 64, Kernel.of(1));
    three = conv(name + ".branch3x3dbl_2", three, 96, Kernel.same(3, 3));
    return concat(
        conv(name + ".branch3x3", x, 384, Kernel.halving(3)),
        conv(name + ".branch3x3dbl_3", three, 96, Kernel.halving(3)),
        maxPool(x, 2, 0));
  }

  private Maps blockC(String name, Maps x, int width) {
    Maps seven = conv(name + ".branch7x7_1", x, width, Kernel.of(1));
    seven = conv(name + ".branch7x7_2", seven, width, Kernel.same(1, 7));
    Maps twice = conv(name + ".branch7x7dbl_1", x, width, Kernel.of(1));
    twice = conv(name + ".branch7x7dbl_2", twice, width, Kernel.same(7, 1));
    twice = conv(name + ".branch7x7dbl_3", twice, width, Kernel.same(1, 7));
    twice = conv(name + ".branch7x7dbl_4", twice, width, Kernel.same(7, 1));
    return concat(
        conv(name + ".branch1x1", x, 192, Kernel.of(1)),
        conv(name + ".branch7x7_3", seven, 192, Kernel.same(7, 1)),
        conv(name + ".branch7x7dbl_5", twice, 192, Kernel.same(1, 7)),
        conv(name + ".branch_pool", averagePool(x), 192, Kernel.of(1)));
  }

  private Maps blockD(String name, Maps x) {
    Maps three = conv(name + ".branch3x3_1", x, 192, Kernel.of(1));
    Maps seven = conv(name + ".branch7x7x3_1", x, 192, Kernel.of(1));
    seven = conv(name + ".branch7x7x3_2", seven, 192, Kernel.same(1, 7));
    seven = conv(name + ".branch7x7x3_3", seven, 192, Kernel.same(7, 1));
    return concat(
        conv(name + ".branch3x3_2", three, 320, Kernel.halving(3)),
        conv(name + ".branch7x7x3_4", seven, 192, Kernel.halving(3)),
        maxPool(x, 2, 0));
  }

  private Maps blockE(String name, Maps x, Maps pooled) {
    Maps three = conv(name + ".branch3x3_1", x, 384, Kernel.of(1));
    Maps twice = conv(name + ".branch3x3dbl_1", x, 448, Kernel.of(1));
    twice = conv(name + ".branch3x3dbl_2", twice, 384, Kernel.same(3, 3));
    return concat(
        conv(name + ".branch1x1", x, 320, Kernel.of(1)),
        conv(name + ".branch3x3_2a", three, 384, Kernel.same(1, 3)),
        conv(name + ".branch3x3_2b", three, 384, Kernel.same(3, 1)),
        conv(name + ".branch3x3dbl_3a", twice, 384, Kernel.same(1, 3)),
        conv(name + ".branch3x3dbl_3b", twice, 384, Kernel.same(3, 1)),
        conv(name + ".branch_pool", pooled, 192, Kernel.of(1)));
  }

  /** Convolution without bias, batch normalisation with its running statistics, ReLU. */
  private Maps conv(String name, Maps x, int outChannels, Kernel kernel) {
    INDArray weight =
        weight(name + ".conv.weight", outChannels, x.channels(), kernel.height(), kernel.width());
    INDArray scale =
        weight(name + ".bn.weight", outChannels)
            .div(Nd4j.math().sqrt(weight(name + ".bn.running_var", outChannels).add(EPSILON)));
    INDArray shift =
        weight(name + ".bn.bias", outChannels)
            .sub(weight(name + ".bn.running_mean", outChannels).mul(scale));
    INDArray scaled = weight.mul(scale.reshape(outChannels, 1, 1, 1));
    Conv2DConfig config =
        Conv2DConfig.builder()
            .kH(kernel.height())
            .kW(kernel.width())
            .sH(kernel.stride())
            .sW(kernel.stride())
            .pH(kernel.padHeight())
            .pW(kernel.padWidth())
            .dataFormat(Conv2DConfig.NCHW)
            .build();
    SDVariable convolved =
        graph
            .cnn()
            .conv2d(
                x.values(),
                graph.constant(name + ".weight", single(scaled.permute(2, 3, 1, 0))),
                graph.constant(name + ".bias", single(shift)),
                config);
    return new Maps(graph.nn().relu(convolved, 0), outChannels);
  }

  private static INDArray single(INDArray array) {
    return array.castTo(DataType.FLOAT).dup('c');
  }

  private INDArray weight(String name, long... shape) {
    INDArray weight = weights.get(name, shape);
    INDArray exact = weight.castTo(DataType.DOUBLE).dup('c');
    float[] values = exact.castTo(DataType.FLOAT).data().asFloat();
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
    bytes.asFloatBuffer().put(values);
    checksum.update(bytes);
    return exact;
  }

  /** Means of three by three positions, or of those of them that are there. */
  private Maps averagePool(Maps x) {
    return x.with(graph.cnn().avgPooling2d(x.values(), pooling(1, 1)));
  }

  private Maps maxPool(Maps x, int stride, int padding) {
    return x.with(graph.cnn().maxPooling2d(x.values(), pooling(stride, padding)));
  }

  private static Pooling2DConfig pooling(int stride, int padding) {
    return Pooling2DConfig.builder()
        .kH(3)
        .kW(3)
        .sH(stride)
        .sW(stride)
        .pH(padding)
        .pW(padding)
        .divisor(Pooling2D.Divisor.EXCLUDE_PADDING)
        .isNHWC(false)
        .build();
  }

  private Maps concat(Maps... parts) {
    SDVariable[] values = Arrays.stream(parts).map(Maps::values).toArray(SDVariable[]::new);
    int channels = Arrays.stream(parts).mapToInt(Maps::channels).sum();
    return new Maps(graph.concat(1, values), channels);
  }
}
