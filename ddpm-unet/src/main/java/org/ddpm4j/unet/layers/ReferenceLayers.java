package org.ddpm4j.unet.layers;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Conv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.DeConv2DConfig;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.PaddingMode;
import org.nd4j.linalg.api.ops.impl.layers.convolution.config.Pooling2DConfig;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The layers in stock SameDiff operations, for any ND4J backend, in FLOAT or DOUBLE. Written to be
 * checked: every other implementation is compared with this one.
 */
public final class ReferenceLayers implements Layers {

  private static final Pooling2DConfig SQUARES =
      Pooling2DConfig.builder().kH(2).kW(2).sH(2).sW(2).isNHWC(true).build();

  private final SameDiff graph;
  private final DataType dataType;

  /**
   * Layers that add their operations to a graph.
   *
   * @param graph where the operations go
   * @param dataType of all variables, FLOAT or DOUBLE
   */
  public ReferenceLayers(SameDiff graph, DataType dataType) {
    this.graph = Objects.requireNonNull(graph, "graph");
    this.dataType = Objects.requireNonNull(dataType, "dataType");
  }

  @Override
  public FeatureMap conv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    Convolution symmetric = shape;
    SDVariable kernel = weight;
    if (!shape.isSymmetric()) {
      symmetric = symmetric(shape);
      kernel = kernelOf(symmetric, weight, shape, x.channels(), outChannels);
    }
    Conv2DConfig config = config(symmetric);
    SDVariable y =
        bias == null
            ? graph.cnn().conv2d(x.values(), kernel, config)
            : graph.cnn().conv2d(x.values(), kernel, bias, config);
    return new FeatureMap(
        y, shape.outputSize(x.height()), shape.outputSize(x.width()), outChannels);
  }

  /** SameDiff pads symmetrically: a larger kernel with zeros at one end does what is asked for. */
  private static Convolution symmetric(Convolution shape) {
    int more = Math.abs(shape.endPadding() - shape.padding());
    return new Convolution(
        shape.kernel() + more, shape.stride(), Math.max(shape.padding(), shape.endPadding()));
  }

  private SDVariable kernelOf(
      Convolution symmetric, SDVariable weight, Convolution shape, int in, int out) {
    int more = symmetric.kernel() - shape.kernel();
    boolean zerosFirst = shape.endPadding() > shape.padding();
    SDVariable rows = graph.constant(Nd4j.zeros(dataType, more, shape.kernel(), in, out));
    SDVariable columns = graph.constant(Nd4j.zeros(dataType, symmetric.kernel(), more, in, out));
    return zerosFirst
        ? graph.concat(1, columns, graph.concat(0, rows, weight))
        : graph.concat(1, graph.concat(0, weight, rows), columns);
  }

  @Override
  public FeatureMap convTranspose2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    checkSymmetric(shape);
    DeConv2DConfig config =
        DeConv2DConfig.builder()
            .kH(shape.kernel())
            .kW(shape.kernel())
            .sH(shape.stride())
            .sW(shape.stride())
            .pH(shape.padding())
            .pW(shape.padding())
            .isSameMode(false)
            .dataFormat("NHWC")
            .build();
    return new FeatureMap(
        graph.cnn().deconv2d(x.values(), weight, bias, config),
        shape.transposedOutputSize(x.height()),
        shape.transposedOutputSize(x.width()),
        outChannels);
  }

  @Override
  public FeatureMap depthwiseConv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape) {
    checkSymmetric(shape);
    return new FeatureMap(
        graph.cnn().depthWiseConv2d(x.values(), weight, bias, config(shape)),
        shape.outputSize(x.height()),
        shape.outputSize(x.width()),
        x.channels());
  }

  private static Conv2DConfig config(Convolution shape) {
    return Conv2DConfig.builder()
        .kH(shape.kernel())
        .kW(shape.kernel())
        .sH(shape.stride())
        .sW(shape.stride())
        .pH(shape.padding())
        .pW(shape.padding())
        .dH(1)
        .dW(1)
        .paddingMode(PaddingMode.VALID)
        .dataFormat("NHWC")
        .build();
  }

  @Override
  public FeatureMap groupNorm(
      FeatureMap x,
      SDVariable weight,
      SDVariable bias,
      int groups,
      double epsilon,
      Activation activation) {
    int perGroup = x.channels() / groups;
    SDVariable grouped = x.values().reshape(-1, x.positions(), groups, perGroup);
    SDVariable centred = grouped.sub(grouped.mean(true, 1, 3));
    SDVariable variance = graph.math().square(centred).mean(true, 1, 3);
    SDVariable normalised = centred.mul(graph.math().rsqrt(variance.add(epsilon)));
    SDVariable y =
        normalised
            .reshape(-1, x.height(), x.width(), x.channels())
            .mul(weight.reshape(1, 1, 1, x.channels()))
            .add(bias.reshape(1, 1, 1, x.channels()));
    return x.with(activation(y, activation));
  }

  @Override
  public FeatureMap rmsNorm(FeatureMap x, SDVariable gain) {
    SDVariable squares = graph.math().square(x.values()).sum(true, 3);
    // The root of the greater square, whose gradient is finite at 0 as that of the root is not.
    SDVariable lengths =
        graph
            .math()
            .sqrt(
                graph
                    .math()
                    .max(squares, squares.mul(0).add(RmsNorm.LEAST_NORM * RmsNorm.LEAST_NORM)));
    SDVariable directions = x.values().div(lengths);
    SDVariable gains = gain.reshape(1, 1, 1, x.channels()).mul(Math.sqrt(x.channels()));
    return x.with(directions.mul(gains));
  }

  @Override
  public SDVariable linear(
      SDVariable x, SDVariable weight, SDVariable bias, Activation activation) {
    return activation(graph.mmul(x, weight).add(bias), activation);
  }

  /** As a matrix product: the gradient of SameDiff's own gather does not run. */
  @Override
  public SDVariable embedding(SDVariable labels, SDVariable weight, int count) {
    SDVariable rows = graph.constant(Nd4j.arange(count).castTo(dataType).reshape(1, count));
    SDVariable oneHot = labels.reshape(-1, 1).eq(rows).castTo(dataType);
    return graph.mmul(oneHot, weight);
  }

  @Override
  public SDVariable activation(SDVariable x, Activation activation) {
    return switch (activation) {
      case IDENTITY -> x;
      case SILU -> graph.nn().swish(x);
      case RELU -> graph.nn().relu(x, 0);
      case GELU_TANH -> {
        SDVariable cubic = graph.math().square(x).mul(0.044715).add(1.0).mul(x);
        yield x.mul(graph.nn().sigmoid(cubic.mul(2 * Math.sqrt(2 / Math.PI))));
      }
      case MISH -> x.mul(graph.math().tanh(graph.nn().softplus(x)));
      // SameDiff's own gelu is an approximation.
      case GELU -> x.mul(graph.math().erf(x.mul(Math.sqrt(0.5))).add(1.0)).mul(0.5);
    };
  }

  @Override
  public FeatureMap dropout(FeatureMap x, SDVariable keys, int layer, double probability) {
    int elements = x.positions() * x.channels();
    SDVariable words = new PhiloxGraph(graph, keys).words(layer, elements);
    // The lowest bit does not count.
    SDVariable least = graph.constant(Nd4j.scalar(2L * Dropout.threshold(probability)));
    SDVariable mask = words.gte(least).castTo(dataType).div(1 - probability);
    return x.with(x.values().mul(mask.reshape(-1, x.height(), x.width(), x.channels())));
  }

  @Override
  public FeatureMap addPerChannel(FeatureMap x, SDVariable perChannel) {
    return x.with(x.values().add(perChannel.reshape(-1, 1, 1, x.channels())));
  }

  @Override
  public FeatureMap scaleShiftPerChannel(FeatureMap x, SDVariable scalesAndShifts) {
    SDVariable[] parts = graph.split(scalesAndShifts.reshape(-1, 1, 1, 2 * x.channels()), 2, 3);
    return x.with(x.values().mul(parts[0].add(1.0)).add(parts[1]));
  }

  @Override
  public SDVariable affine(SDVariable x, double factor, double summand) {
    return x.mul(factor).add(summand);
  }

  @Override
  public SDVariable add(SDVariable a, SDVariable b) {
    return a.add(b);
  }

  @Override
  public SDVariable multiply(SDVariable a, SDVariable b) {
    return a.mul(b);
  }

  @Override
  public FeatureMap concatChannels(FeatureMap a, FeatureMap b) {
    return new FeatureMap(
        graph.concat(3, a.values(), b.values()),
        a.height(),
        a.width(),
        a.channels() + b.channels());
  }

  @Override
  public FeatureMap prependMemory(FeatureMap x, SDVariable memory, int rows, int width) {
    SDVariable positions = x.values().reshape(-1, x.positions(), x.channels());
    SDVariable row = memory.reshape(1, rows, width);
    if (width < x.channels()) {
      INDArray queries = Nd4j.zeros(dataType, 1, rows, x.channels() - width);
      row = graph.concat(2, graph.constant(queries), row);
    }
    // As many zeros for each image, of which only the images are repeated by addition.
    SDVariable[] zeros = new SDVariable[rows];
    Arrays.fill(zeros, positions.sum(true, 1).mul(0));
    SDVariable first = rows == 1 ? zeros[0] : graph.concat(1, zeros);
    int length = rows + x.positions();
    return new FeatureMap(
        graph.concat(1, first.add(row), positions).reshape(-1, 1, length, x.channels()),
        1,
        length,
        x.channels());
  }

  @Override
  public FeatureMap dropMemory(FeatureMap x, int height, int width) {
    int rows = x.positions() - height * width;
    SDVariable left =
        x.values()
            .reshape(-1, x.positions(), x.channels())
            .get(SDIndex.all(), SDIndex.interval(rows, x.positions()), SDIndex.all());
    return new FeatureMap(
        left.reshape(-1, height, width, x.channels()), height, width, x.channels());
  }

  @Override
  public FeatureMap avgPool2(FeatureMap x) {
    checkHalves(x);
    return x.halved(graph.cnn().avgPooling2d(x.values(), SQUARES));
  }

  @Override
  public FeatureMap maxPool2(FeatureMap x) {
    checkHalves(x);
    return x.halved(graph.cnn().maxPooling2d(x.values(), SQUARES));
  }

  /** By concatenations: the gradient of SameDiff's own upsampling is wrong in this layout. */
  @Override
  public FeatureMap upsampleNearest2(FeatureMap x) {
    int row = 2 * x.width() * x.channels();
    SDVariable rows = graph.concat(3, x.values(), x.values()).reshape(-1, x.height(), row);
    SDVariable doubled = graph.concat(2, rows, rows);
    return x.doubled(doubled.reshape(-1, 2 * x.height(), 2 * x.width(), x.channels()));
  }

  @Override
  public FeatureMap attention(FeatureMap qkv, int heads) {
    return attention(Heads.split(graph, qkv, heads), qkv);
  }

  @Override
  public FeatureMap attention(FeatureMap queries, FeatureMap keys, FeatureMap values, int heads) {
    return attention(Heads.of(queries, keys, values, heads), queries);
  }

  private FeatureMap attention(Heads h, FeatureMap positions) {
    SDVariable scores = graph.mmul(h.q, h.k, false, true, false).mul(1 / Math.sqrt(h.width));
    return h.merge(graph.mmul(graph.nn().softmax(scores, -1), h.v), positions);
  }

  @Override
  public FeatureMap linearAttention(FeatureMap qkv, int heads) {
    Heads h = Heads.split(graph, qkv, heads);
    SDVariable q = graph.nn().softmax(h.q, -1).mul(1 / Math.sqrt(h.width));
    SDVariable k = graph.nn().softmax(h.k, 1);
    SDVariable context = graph.mmul(k, h.v, true, false, false);
    return h.merge(graph.mmul(q, context), qkv);
  }

  /** Queries, keys and values, each {@code [N·heads, H·W, width]}. */
  private record Heads(SDVariable q, SDVariable k, SDVariable v, int heads, int width) {

    static Heads split(SameDiff graph, FeatureMap qkv, int heads) {
      int width = qkv.channels() / (3 * heads);
      SDVariable[] parts =
          graph.split(
              qkv.values().reshape(-1, qkv.positions(), 3 * heads, width).permute(0, 2, 1, 3),
              3,
              1);
      return new Heads(
          parts[0].reshape(-1, qkv.positions(), width),
          parts[1].reshape(-1, qkv.positions(), width),
          parts[2].reshape(-1, qkv.positions(), width),
          heads,
          width);
    }

    static Heads of(FeatureMap queries, FeatureMap keys, FeatureMap values, int heads) {
      return new Heads(
          rows(queries, heads),
          rows(keys, heads),
          rows(values, heads),
          heads,
          queries.channels() / heads);
    }

    private static SDVariable rows(FeatureMap x, int heads) {
      int width = x.channels() / heads;
      return x.values()
          .reshape(-1, x.positions(), heads, width)
          .permute(0, 2, 1, 3)
          .reshape(-1, x.positions(), width);
    }

    FeatureMap merge(SDVariable values, FeatureMap qkv) {
      SDVariable merged =
          values
              .reshape(-1, heads, qkv.positions(), width)
              .permute(0, 2, 1, 3)
              .reshape(-1, qkv.height(), qkv.width(), heads * width);
      return new FeatureMap(merged, qkv.height(), qkv.width(), heads * width);
    }
  }

  @Override
  public SDVariable sinusoidalEmbedding(SDVariable t, Frequencies frequencies) {
    INDArray row = Nd4j.create(dataType, 1, frequencies.count());
    for (int i = 0; i < frequencies.count(); i++) {
      row.putScalar(0, i, frequencies.get(i));
    }
    SDVariable angles = t.reshape(-1, 1).mul(graph.constant(row));
    SDVariable sines = graph.math().sin(angles);
    SDVariable cosines = graph.math().cos(angles);
    return switch (frequencies.order()) {
      case SINES_FIRST -> graph.concat(1, sines, cosines);
      case COSINES_FIRST -> graph.concat(1, cosines, sines);
    };
  }

  @Override
  public FeatureMap layerNorm(FeatureMap x, double epsilon) {
    SDVariable centred = x.values().sub(x.values().mean(true, 3));
    SDVariable variance = graph.math().square(centred).mean(true, 3);
    return x.with(centred.mul(graph.math().rsqrt(variance.add(epsilon))));
  }

  @Override
  public FeatureMap addPositions(FeatureMap x, INDArray table) {
    return x.with(x.values().add(graph.constant(table.castTo(dataType))));
  }

  @Override
  public SDVariable[] split(SDVariable x, int parts, int width) {
    return graph.split(x, parts, 1);
  }

  @Override
  public SDVariable concat(SDVariable a, SDVariable b, int widthOfA) {
    return graph.concat(1, a, b);
  }

  @Override
  public FeatureMap unpatchify(FeatureMap x, int size, int channels) {
    SDVariable y =
        x.values()
            .reshape(-1, x.height(), x.width(), size, size, channels)
            .permute(0, 1, 3, 2, 4, 5)
            .reshape(-1, size * x.height(), size * x.width(), channels);
    return new FeatureMap(y, size * x.height(), size * x.width(), channels);
  }

  @Override
  public SDVariable fourierEmbedding(SDVariable t, SDVariable frequencies) {
    SDVariable turns = graph.math().log(t).reshape(-1, 1).mul(2 * Math.PI);
    SDVariable angles = turns.mul(frequencies.reshape(1, -1));
    return graph.concat(1, graph.math().sin(angles), graph.math().cos(angles));
  }

  @Override
  public SDVariable learnedSinusoids(SDVariable t, SDVariable frequencies) {
    SDVariable times = t.reshape(-1, 1);
    SDVariable angles = times.mul(2 * Math.PI).mul(frequencies.reshape(1, -1));
    return graph.concat(1, times, graph.math().sin(angles), graph.math().cos(angles));
  }

  @Override
  public FeatureMap dividePerImage(FeatureMap x, SDVariable divisors) {
    return x.with(x.values().div(divisors.reshape(-1, 1, 1, 1)));
  }

  @Override
  public FeatureMap blur(FeatureMap x) {
    SDVariable kernel = graph.constant(BlurFilter.ofChannels(x.channels(), dataType));
    return x.with(graph.cnn().depthWiseConv2d(x.values(), kernel, config(BlurFilter.SHAPE)));
  }

  @Override
  public SDVariable timeFraction(SDVariable t, int timesteps) {
    return t.reshape(-1, 1).div(timesteps);
  }

  @Override
  public FeatureMap toChannelsLast(SDVariable x, int channels, int height, int width) {
    return new FeatureMap(x.permute(0, 2, 3, 1), height, width, channels);
  }

  @Override
  public SDVariable toChannelsFirst(FeatureMap x) {
    return x.values().permute(0, 3, 1, 2);
  }

  @Override
  public SDVariable lossPerImage(FeatureMap prediction, FeatureMap target, LossFunction function) {
    return cost(prediction.values().sub(target.values()), function).mean(1, 2, 3);
  }

  @Override
  public SDVariable innerProductPerImage(FeatureMap x, FeatureMap y) {
    return x.values().mul(y.values()).mean(1, 2, 3);
  }

  @Override
  public SDVariable mean(SDVariable x) {
    return x.mean();
  }

  private SDVariable cost(SDVariable error, LossFunction function) {
    return switch (function) {
      case L1 -> graph.math().abs(error);
      case L2 -> graph.math().square(error);
      // SameDiff's own huberLoss has a wrong gradient. With c = min(|d|, 1): c²/2 + (|d| - c).
      case HUBER -> {
        SDVariable magnitude = graph.math().abs(error);
        SDVariable clipped = graph.math().clipByValue(magnitude, 0, 1);
        yield graph.math().square(clipped).mul(0.5).add(magnitude.sub(clipped));
      }
    };
  }
}
