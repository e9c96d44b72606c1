package org.ddpm4j.unet;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import onnx.Onnx;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.unet.layers.Convolution;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.Frequencies;
import org.ddpm4j.unet.layers.Layers;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.shade.protobuf.ByteString;

/**
 * The layers as nodes of an ONNX graph. Variables of SameDiff are names of its values, nothing
 * else; feature maps are {@code [N,C,H,W]} there.
 */
final class OnnxLayers implements Layers {

  /** Of ONNX 1.12, 2022. */
  static final int OPSET = 17;

  private static final float[] BLUR = {0.25f, 0.5f, 0.25f};

  private final SameDiff names;
  private final Function<String, INDArray> parameters;
  private final Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder();
  private final Set<String> initialized = new HashSet<>();
  private int count;

  /** What came last, in the layout of the outside. */
  private FeatureMap output;

  /**
   * Layers that add their nodes to a graph.
   *
   * @param names where values get their names
   * @param parameters in the layouts of {@link org.ddpm4j.unet.layers.WeightLayout}, by name
   */
  OnnxLayers(SameDiff names, Function<String, INDArray> parameters) {
    this.names = names;
    this.parameters = parameters;
  }

  /** The nodes and the weights. */
  Onnx.GraphProto.Builder graph() {
    return graph;
  }

  /** What the network says. */
  FeatureMap output() {
    return output;
  }

  /** Of {@code [N,C,H,W]} the first channels. */
  FeatureMap firstChannels(FeatureMap x, int channels) {
    String first = node("Slice", List.of(x.values().name(), whole(0), whole(channels), whole(1)));
    return new FeatureMap(variable(first), x.height(), x.width(), channels);
  }

  /**
   * The nearest row of a table for every position, the first of several that are as near.
   *
   * @param x {@code [N,C,H,W]}
   * @param vectors {@code [count,C]}
   */
  FeatureMap nearest(FeatureMap x, INDArray vectors) {
    // The least |v - x|² is the greatest v·x - |v|²/2.
    INDArray halfSquares = vectors.mul(vectors).sum(1).muli(0.5);
    String rows =
        node(
            "Transpose",
            List.of(reshape(x.values().name(), -1, x.channels(), x.positions())),
            integers("perm", 0, 2, 1));
    INDArray columns = vectors.transpose();
    String products = node("MatMul", List.of(rows, parameter(newName(), columns, columns.shape())));
    String nearness =
        node("Sub", List.of(products, parameter(newName(), halfSquares, halfSquares.length())));
    String numbers = node("ArgMax", List.of(nearness), integer("axis", -1), integer("keepdims", 0));
    String found =
        node(
            "Gather",
            List.of(parameter(newName(), vectors, vectors.shape()), numbers),
            integer("axis", 0));
    String channels = node("Transpose", List.of(found), integers("perm", 0, 2, 1));
    return x.with(variable(reshape(channels, -1, x.channels(), x.height(), x.width())));
  }

  private String newName() {
    return "value_" + count++;
  }

  /** A node of one output. */
  private String node(String type, List<String> inputs, Onnx.AttributeProto... attributes) {
    String output = newName();
    graph.addNode(
        Onnx.NodeProto.newBuilder()
            .setOpType(type)
            .setName(type + "_" + output)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(Arrays.asList(attributes)));
    return output;
  }

  private SDVariable variable(String value) {
    return names.placeHolder(value, DataType.FLOAT);
  }

  private static Onnx.AttributeProto integers(String name, long... values) {
    Onnx.AttributeProto.Builder attribute =
        Onnx.AttributeProto.newBuilder()
            .setName(name)
            .setType(Onnx.AttributeProto.AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  private static Onnx.AttributeProto integer(String name, long value) {
    return Onnx.AttributeProto.newBuilder()
        .setName(name)
        .setType(Onnx.AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static Onnx.AttributeProto number(String name, double value) {
    return Onnx.AttributeProto.newBuilder()
        .setName(name)
        .setType(Onnx.AttributeProto.AttributeType.FLOAT)
        .setF((float) value)
        .build();
  }

  private static Onnx.AttributeProto text(String name, String value) {
    return Onnx.AttributeProto.newBuilder()
        .setName(name)
        .setType(Onnx.AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  private String floats(String name, long[] shape, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return initializer(name, Onnx.TensorProto.DataType.FLOAT, shape, bytes);
  }

  private String constant(double value) {
    return floats(newName(), new long[0], (float) value);
  }

  private String whole(long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
    return initializer(
        newName(), Onnx.TensorProto.DataType.INT64, new long[] {values.length}, bytes);
  }

  private String initializer(
      String name, Onnx.TensorProto.DataType type, long[] shape, ByteBuffer bytes) {
    Onnx.TensorProto.Builder tensor =
        Onnx.TensorProto.newBuilder()
            .setName(name)
            .setDataType(type.getNumber())
            .setRawData(ByteString.copyFrom(bytes));
    for (long size : shape) {
      tensor.addDims(size);
    }
    graph.addInitializer(tensor);
    return name;
  }

  /** A parameter with its axes in another order, the same wherever it is used. */
  private String parameter(SDVariable variable, int... axes) {
    INDArray values = parameters.apply(variable.name());
    INDArray permuted = axes.length == 0 ? values : values.permute(axes);
    return parameter(variable.name(), permuted, permuted.shape());
  }

  /** A parameter of a number for each channel. */
  private String perChannel(SDVariable variable) {
    INDArray values = parameters.apply(variable.name());
    return parameter(variable.name(), values, values.length(), 1, 1);
  }

  private String parameter(String name, INDArray values, long... shape) {
    if (initialized.add(name)) {
      floats(name, shape, values.castTo(DataType.FLOAT).dup('c').data().asFloat());
    }
    return name;
  }

  private String reshape(String value, long... shape) {
    return node("Reshape", List.of(value, whole(shape)));
  }

  private static Onnx.AttributeProto[] attributes(Convolution shape, long groups) {
    return new Onnx.AttributeProto[] {
      integers("kernel_shape", shape.kernel(), shape.kernel()),
      integers("strides", shape.stride(), shape.stride()),
      integers("pads", shape.padding(), shape.padding(), shape.endPadding(), shape.endPadding()),
      integer("group", groups)
    };
  }

  private List<String> operands(FeatureMap x, String weight, SDVariable bias) {
    String values = x.values().name();
    return bias == null ? List.of(values, weight) : List.of(values, weight, parameter(bias));
  }

  @Override
  public FeatureMap conv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    return new FeatureMap(
        variable(
            node("Conv", operands(x, parameter(weight, 3, 2, 0, 1), bias), attributes(shape, 1))),
        shape.outputSize(x.height()),
        shape.outputSize(x.width()),
        outChannels);
  }

  @Override
  public FeatureMap convTranspose2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    checkSymmetric(shape);
    return new FeatureMap(
        variable(
            node(
                "ConvTranspose",
                operands(x, parameter(weight, 3, 2, 0, 1), bias),
                attributes(shape, 1))),
        shape.transposedOutputSize(x.height()),
        shape.transposedOutputSize(x.width()),
        outChannels);
  }

  @Override
  public FeatureMap depthwiseConv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape) {
    checkSymmetric(shape);
    return new FeatureMap(
        variable(
            node(
                "Conv",
                operands(x, parameter(weight, 2, 3, 0, 1), bias),
                attributes(shape, x.channels()))),
        shape.outputSize(x.height()),
        shape.outputSize(x.width()),
        x.channels());
  }

  /** As InstanceNormalization of the groups, since GroupNormalization is of a later opset. */
  @Override
  public FeatureMap groupNorm(
      FeatureMap x,
      SDVariable weight,
      SDVariable bias,
      int groups,
      double epsilon,
      Activation activation) {
    float[] ones = new float[groups];
    Arrays.fill(ones, 1);
    String normalised =
        node(
            "InstanceNormalization",
            List.of(
                reshape(x.values().name(), 0, groups, -1),
                floats(newName(), new long[] {groups}, ones),
                floats(newName(), new long[] {groups}, new float[groups])),
            number("epsilon", epsilon));
    String back = reshape(normalised, -1, x.channels(), x.height(), x.width());
    String scaled = node("Mul", List.of(back, perChannel(weight)));
    String y = node("Add", List.of(scaled, perChannel(bias)));
    return x.with(variable(activation(y, activation)));
  }

  @Override
  public FeatureMap rmsNorm(FeatureMap x, SDVariable gain) {
    String values = x.values().name();
    String lengths = node("ReduceL2", List.of(values), integers("axes", 1));
    String divisors = node("Max", List.of(lengths, constant(RmsNorm.LEAST_NORM)));
    String scaled = node("Mul", List.of(node("Div", List.of(values, divisors)), perChannel(gain)));
    return x.with(variable(node("Mul", List.of(scaled, constant(Math.sqrt(x.channels()))))));
  }

  @Override
  public SDVariable linear(
      SDVariable x, SDVariable weight, SDVariable bias, Activation activation) {
    String product = node("MatMul", List.of(x.name(), parameter(weight)));
    String y = bias == null ? product : node("Add", List.of(product, parameter(bias)));
    return variable(activation(y, activation));
  }

  @Override
  public SDVariable embedding(SDVariable labels, SDVariable weight, int rows) {
    return variable(node("Gather", List.of(parameter(weight), labels.name()), integer("axis", 0)));
  }

  @Override
  public SDVariable activation(SDVariable x, Activation activation) {
    return activation == Activation.IDENTITY ? x : variable(activation(x.name(), activation));
  }

  private String activation(String x, Activation activation) {
    return switch (activation) {
      case IDENTITY -> x;
      case SILU -> node("Mul", List.of(x, node("Sigmoid", List.of(x))));
      case RELU -> node("Relu", List.of(x));
      case GELU_TANH -> {
        String square = node("Mul", List.of(x, x));
        String factor =
            node("Add", List.of(node("Mul", List.of(square, constant(0.044715))), constant(1)));
        String twice =
            node(
                "Mul",
                List.of(node("Mul", List.of(x, factor)), constant(2 * Math.sqrt(2 / Math.PI))));
        yield node("Mul", List.of(x, node("Sigmoid", List.of(twice))));
      }
      case MISH -> node("Mul", List.of(x, node("Tanh", List.of(node("Softplus", List.of(x))))));
      case GELU -> {
        String error = node("Erf", List.of(node("Mul", List.of(x, constant(Math.sqrt(0.5))))));
        String share = node("Add", List.of(error, constant(1)));
        yield node("Mul", List.of(node("Mul", List.of(x, share)), constant(0.5)));
      }
    };
  }

  @Override
  public FeatureMap addPerChannel(FeatureMap x, SDVariable perChannel) {
    String shift = reshape(perChannel.name(), -1, x.channels(), 1, 1);
    return x.with(variable(node("Add", List.of(x.values().name(), shift))));
  }

  @Override
  public FeatureMap scaleShiftPerChannel(FeatureMap x, SDVariable scalesAndShifts) {
    String both = reshape(scalesAndShifts.name(), -1, 2L * x.channels(), 1, 1);
    List<String> parts = split(both, 2, x.channels());
    String scale = node("Add", List.of(parts.get(0), constant(1)));
    String scaled = node("Mul", List.of(x.values().name(), scale));
    return x.with(variable(node("Add", List.of(scaled, parts.get(1)))));
  }

  /** Parts of one size along the second axis. */
  private List<String> split(String value, int parts, long size) {
    List<String> outputs = IntStream.range(0, parts).mapToObj(i -> newName()).toList();
    long[] sizes = new long[parts];
    Arrays.fill(sizes, size);
    graph.addNode(
        Onnx.NodeProto.newBuilder()
            .setOpType("Split")
            .setName("Split_" + outputs.get(0))
            .addInput(value)
            .addInput(whole(sizes))
            .addAllOutput(outputs)
            .addAttribute(integer("axis", 1)));
    return outputs;
  }

  @Override
  public SDVariable affine(SDVariable x, double factor, double summand) {
    String scaled = node("Mul", List.of(x.name(), constant(factor)));
    return variable(node("Add", List.of(scaled, constant(summand))));
  }

  @Override
  public SDVariable add(SDVariable a, SDVariable b) {
    return variable(node("Add", List.of(a.name(), b.name())));
  }

  @Override
  public SDVariable multiply(SDVariable a, SDVariable b) {
    return variable(node("Mul", List.of(a.name(), b.name())));
  }

  @Override
  public FeatureMap concatChannels(FeatureMap a, FeatureMap b) {
    String both = node("Concat", List.of(a.values().name(), b.values().name()), integer("axis", 1));
    return new FeatureMap(variable(both), a.height(), a.width(), a.channels() + b.channels());
  }

  @Override
  public FeatureMap prependMemory(FeatureMap x, SDVariable memory, int rows, int width) {
    INDArray held = parameters.apply(memory.name()).reshape('c', rows, width);
    INDArray row = Nd4j.zeros(DataType.FLOAT, x.channels(), rows);
    row.get(NDArrayIndex.interval(x.channels() - width, x.channels()), NDArrayIndex.all())
        .assign(held.transpose());
    String first = parameter(memory.name(), row, 1, x.channels(), 1, rows);
    String positions = reshape(x.values().name(), -1, x.channels(), 1, x.positions());
    // Zeros for each image, as many as there are.
    String means = node("GlobalAveragePool", List.of(positions));
    String none = node("Mul", List.of(means, constant(0)));
    String everyFirst = node("Add", List.of(none, first));
    String longer = node("Concat", List.of(everyFirst, positions), integer("axis", 3));
    return new FeatureMap(variable(longer), 1, rows + x.positions(), x.channels());
  }

  @Override
  public FeatureMap dropMemory(FeatureMap x, int height, int width) {
    int rows = x.positions() - height * width;
    String left =
        node("Slice", List.of(x.values().name(), whole(rows), whole(x.positions()), whole(3)));
    String map = reshape(left, -1, x.channels(), height, width);
    return new FeatureMap(variable(map), height, width, x.channels());
  }

  @Override
  public FeatureMap avgPool2(FeatureMap x) {
    return pool("AveragePool", x);
  }

  @Override
  public FeatureMap maxPool2(FeatureMap x) {
    return pool("MaxPool", x);
  }

  private FeatureMap pool(String type, FeatureMap x) {
    checkHalves(x);
    String pooled =
        node(
            type,
            List.of(x.values().name()),
            integers("kernel_shape", 2, 2),
            integers("strides", 2, 2));
    return new FeatureMap(variable(pooled), x.height() / 2, x.width() / 2, x.channels());
  }

  @Override
  public FeatureMap upsampleNearest2(FeatureMap x) {
    String scales = floats(newName(), new long[] {4}, 1, 1, 2, 2);
    String doubled =
        node(
            "Resize",
            List.of(x.values().name(), "", scales),
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"));
    return new FeatureMap(variable(doubled), 2 * x.height(), 2 * x.width(), x.channels());
  }

  @Override
  public FeatureMap attention(FeatureMap qkv, int heads) {
    return attention(heads(qkv, heads), qkv, heads, qkv.channels() / 3);
  }

  @Override
  public FeatureMap attention(FeatureMap queries, FeatureMap keys, FeatureMap values, int heads) {
    List<String> parts =
        IntStream.range(0, 3)
            .mapToObj(i -> List.of(queries, keys, values).get(i))
            .map(
                map ->
                    reshape(
                        map.values().name(), -1, heads, map.channels() / heads, map.positions()))
            .toList();
    return attention(parts, queries, heads, queries.channels());
  }

  /** Queries, keys and values, each {@code [N, heads, width, H·W]}. */
  private List<String> heads(FeatureMap qkv, int heads) {
    int width = qkv.channels() / (3 * heads);
    return split(reshape(qkv.values().name(), -1, 3L * heads, width, qkv.positions()), 3, heads);
  }

  private FeatureMap attention(List<String> qkv, FeatureMap x, int heads, int channels) {
    String keys = node("Mul", List.of(qkv.get(1), constant(1 / Math.sqrt(channels / heads))));
    String scores = node("MatMul", List.of(transposed(qkv.get(0)), keys));
    String weights = node("Softmax", List.of(scores), integer("axis", -1));
    // [N, heads, width, H·W], a column for each query.
    String sums = node("MatMul", List.of(qkv.get(2), transposed(weights)));
    return merged(sums, x, channels);
  }

  @Override
  public FeatureMap linearAttention(FeatureMap qkv, int heads) {
    int channels = qkv.channels() / 3;
    List<String> parts = heads(qkv, heads);
    String shares = node("Softmax", List.of(parts.get(0)), integer("axis", 2));
    String queries = node("Mul", List.of(shares, constant(1 / Math.sqrt(channels / heads))));
    String keys = node("Softmax", List.of(parts.get(1)), integer("axis", 3));
    String context = node("MatMul", List.of(parts.get(2), transposed(keys)));
    return merged(node("MatMul", List.of(context, queries)), qkv, channels);
  }

  private String transposed(String value) {
    return node("Transpose", List.of(value), integers("perm", 0, 1, 3, 2));
  }

  private FeatureMap merged(String value, FeatureMap like, int channels) {
    String map = reshape(value, -1, channels, like.height(), like.width());
    return new FeatureMap(variable(map), like.height(), like.width(), channels);
  }

  @Override
  public SDVariable sinusoidalEmbedding(SDVariable t, Frequencies frequencies) {
    float[] row = new float[frequencies.count()];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) frequencies.get(i);
    }
    String factors = floats(newName(), new long[] {1, row.length}, row);
    // Some networks embed the number of a class as they do a time.
    String numbers =
        t.name().equals(UnetGraph.LABELS)
            ? node(
                "Cast",
                List.of(t.name()),
                integer("to", Onnx.TensorProto.DataType.FLOAT.getNumber()))
            : t.name();
    String angles = node("Mul", List.of(reshape(numbers, -1, 1), factors));
    String sines = node("Sin", List.of(angles));
    String cosines = node("Cos", List.of(angles));
    List<String> both =
        switch (frequencies.order()) {
          case SINES_FIRST -> List.of(sines, cosines);
          case COSINES_FIRST -> List.of(cosines, sines);
        };
    return variable(node("Concat", both, integer("axis", 1)));
  }

  @Override
  public SDVariable fourierEmbedding(SDVariable t, SDVariable frequencies) {
    String logarithms = reshape(node("Log", List.of(t.name())), -1, 1);
    String turns = node("Mul", List.of(logarithms, constant(2 * Math.PI)));
    String row = reshape(parameter(frequencies), 1, -1);
    String angles = node("Mul", List.of(turns, row));
    List<String> both = List.of(node("Sin", List.of(angles)), node("Cos", List.of(angles)));
    return variable(node("Concat", both, integer("axis", 1)));
  }

  @Override
  public SDVariable learnedSinusoids(SDVariable t, SDVariable frequencies) {
    String times = reshape(t.name(), -1, 1);
    String turns = node("Mul", List.of(times, parameter(frequencies)));
    String angles = node("Mul", List.of(turns, constant(2 * Math.PI)));
    String sines = node("Sin", List.of(angles));
    String cosines = node("Cos", List.of(angles));
    return variable(node("Concat", List.of(times, sines, cosines), integer("axis", 1)));
  }

  @Override
  public FeatureMap dividePerImage(FeatureMap x, SDVariable divisors) {
    String perImage = reshape(divisors.name(), -1, 1, 1, 1);
    return x.with(variable(node("Div", List.of(x.values().name(), perImage))));
  }

  @Override
  public FeatureMap blur(FeatureMap x) {
    float[] ofChannel = new float[BLUR.length * BLUR.length];
    for (int i = 0; i < ofChannel.length; i++) {
      ofChannel[i] = BLUR[i / BLUR.length] * BLUR[i % BLUR.length];
    }
    float[] weight = new float[x.channels() * ofChannel.length];
    for (int channel = 0; channel < x.channels(); channel++) {
      System.arraycopy(ofChannel, 0, weight, channel * ofChannel.length, ofChannel.length);
    }
    String filter =
        floats(newName(), new long[] {x.channels(), 1, BLUR.length, BLUR.length}, weight);
    return x.with(
        variable(
            node(
                "Conv",
                List.of(x.values().name(), filter),
                attributes(Convolution.same(BLUR.length), x.channels()))));
  }

  /** In its parts, since LayerNormalization knows the last axes alone. */
  @Override
  public FeatureMap layerNorm(FeatureMap x, double epsilon) {
    String centred = node("Sub", List.of(x.values().name(), channelMean(x.values().name())));
    String variance = channelMean(node("Mul", List.of(centred, centred)));
    String deviation = node("Sqrt", List.of(node("Add", List.of(variance, constant(epsilon)))));
    return x.with(variable(node("Div", List.of(centred, deviation))));
  }

  private String channelMean(String value) {
    return node("ReduceMean", List.of(value), integers("axes", 1), integer("keepdims", 1));
  }

  @Override
  public FeatureMap addPositions(FeatureMap x, INDArray table) {
    INDArray permuted = table.permute(0, 3, 1, 2);
    String positions = parameter(newName(), permuted, permuted.shape());
    return x.with(variable(node("Add", List.of(x.values().name(), positions))));
  }

  @Override
  public SDVariable[] split(SDVariable x, int parts, int width) {
    return split(x.name(), parts, width).stream().map(this::variable).toArray(SDVariable[]::new);
  }

  @Override
  public SDVariable concat(SDVariable a, SDVariable b, int widthOfA) {
    return variable(node("Concat", List.of(a.name(), b.name()), integer("axis", 1)));
  }

  @Override
  public FeatureMap unpatchify(FeatureMap x, int size, int channels) {
    int height = size * x.height();
    int width = size * x.width();
    String patches = reshape(x.values().name(), -1, size, size, channels, x.height(), x.width());
    String rows = node("Transpose", List.of(patches), integers("perm", 0, 3, 4, 1, 5, 2));
    return new FeatureMap(
        variable(reshape(rows, -1, channels, height, width)), height, width, channels);
  }

  /** A model is one of inference. */
  @Override
  public FeatureMap dropout(FeatureMap x, SDVariable keys, int layer, double probability) {
    return x;
  }

  @Override
  public SDVariable timeFraction(SDVariable t, int timesteps) {
    return variable(node("Div", List.of(reshape(t.name(), -1, 1), constant(timesteps))));
  }

  @Override
  public FeatureMap toChannelsLast(SDVariable x, int channels, int height, int width) {
    return new FeatureMap(x, height, width, channels);
  }

  /** The end of the graph. */
  @Override
  public SDVariable toChannelsFirst(FeatureMap x) {
    output = x;
    graph.addNode(
        Onnx.NodeProto.newBuilder()
            .setOpType("Identity")
            .setName("Identity_" + UnetGraph.OUTPUT)
            .addInput(x.values().name())
            .addOutput(UnetGraph.OUTPUT));
    return names.identity(x.values());
  }

  @Override
  public SDVariable lossPerImage(FeatureMap prediction, FeatureMap target, LossFunction function) {
    throw prediction();
  }

  @Override
  public SDVariable innerProductPerImage(FeatureMap x, FeatureMap y) {
    throw prediction();
  }

  @Override
  public SDVariable mean(SDVariable x) {
    throw prediction();
  }

  private static IllegalStateException prediction() {
    return new IllegalStateException("An ONNX graph is the prediction alone.");
  }
}
