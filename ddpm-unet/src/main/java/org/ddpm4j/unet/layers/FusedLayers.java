package org.ddpm4j.unet.layers;

import java.util.Objects;
import org.ddpm4j.kernels.ops.Activation;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.ops.AddPositions;
import org.ddpm4j.kernels.ops.Affine;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.ops.ChannelsFirst;
import org.ddpm4j.kernels.ops.ChannelsLast;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.ops.Conv2d;
import org.ddpm4j.kernels.ops.ConvTranspose2d;
import org.ddpm4j.kernels.ops.DepthwiseConv2d;
import org.ddpm4j.kernels.ops.DividePerImage;
import org.ddpm4j.kernels.ops.DropMemory;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.ops.Eltwise;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.ops.FourierEmbedding;
import org.ddpm4j.kernels.ops.GroupNorm;
import org.ddpm4j.kernels.ops.InnerProduct;
import org.ddpm4j.kernels.ops.LayerNorm;
import org.ddpm4j.kernels.ops.LearnedSinusoids;
import org.ddpm4j.kernels.ops.Linear;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.ops.Multiply;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.ops.PrependMemory;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The layers in fused operations, in FLOAT, for compiled plans on a CPU. */
public final class FusedLayers implements Layers {

  private final SameDiff graph;

  /**
   * Layers that add their operations to a graph.
   *
   * @param graph where the operations go
   */
  public FusedLayers(SameDiff graph) {
    this.graph = Objects.requireNonNull(graph, "graph");
  }

  @Override
  public FeatureMap conv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    return new FeatureMap(
        new Conv2d(
                graph,
                x.values(),
                weight,
                bias,
                shape.stride(),
                shape.padding(),
                shape.endPadding())
            .outputVariable(),
        shape.outputSize(x.height()),
        shape.outputSize(x.width()),
        outChannels);
  }

  @Override
  public FeatureMap convTranspose2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape, int outChannels) {
    checkSymmetric(shape);
    return new FeatureMap(
        new ConvTranspose2d(graph, x.values(), weight, bias, shape.stride(), shape.padding())
            .outputVariable(),
        shape.transposedOutputSize(x.height()),
        shape.transposedOutputSize(x.width()),
        outChannels);
  }

  @Override
  public FeatureMap depthwiseConv2d(
      FeatureMap x, SDVariable weight, SDVariable bias, Convolution shape) {
    checkSymmetric(shape);
    return new FeatureMap(
        new DepthwiseConv2d(graph, x.values(), weight, bias, shape.stride(), shape.padding())
            .outputVariable(),
        shape.outputSize(x.height()),
        shape.outputSize(x.width()),
        x.channels());
  }

  @Override
  public FeatureMap groupNorm(
      FeatureMap x,
      SDVariable weight,
      SDVariable bias,
      int groups,
      double epsilon,
      Activation activation) {
    return x.with(
        new GroupNorm(graph, x.values(), weight, bias, groups, epsilon, activation)
            .outputVariable());
  }

  @Override
  public FeatureMap rmsNorm(FeatureMap x, SDVariable gain) {
    return x.with(new RmsNorm(graph, x.values(), gain).outputVariable());
  }

  @Override
  public SDVariable linear(
      SDVariable x, SDVariable weight, SDVariable bias, Activation activation) {
    return activation(new Linear(graph, x, weight, bias).outputVariable(), activation);
  }

  @Override
  public SDVariable embedding(SDVariable labels, SDVariable weight, int count) {
    return new Embedding(graph, labels, weight).outputVariable();
  }

  @Override
  public SDVariable activation(SDVariable x, Activation activation) {
    return activation == Activation.IDENTITY
        ? x
        : new Eltwise(graph, x, activation).outputVariable();
  }

  @Override
  public FeatureMap dropout(FeatureMap x, SDVariable keys, int layer, double probability) {
    return x.with(new Dropout(graph, x.values(), keys, layer, probability).outputVariable());
  }

  @Override
  public FeatureMap addPerChannel(FeatureMap x, SDVariable perChannel) {
    return x.with(new AddPerChannel(graph, x.values(), perChannel).outputVariable());
  }

  @Override
  public FeatureMap scaleShiftPerChannel(FeatureMap x, SDVariable scalesAndShifts) {
    return x.with(new ScaleShiftPerChannel(graph, x.values(), scalesAndShifts).outputVariable());
  }

  @Override
  public SDVariable affine(SDVariable x, double factor, double summand) {
    return new Affine(graph, x, factor, summand).outputVariable();
  }

  @Override
  public SDVariable add(SDVariable a, SDVariable b) {
    return new Add(graph, a, b).outputVariable();
  }

  @Override
  public SDVariable multiply(SDVariable a, SDVariable b) {
    return new Multiply(graph, a, b).outputVariable();
  }

  @Override
  public FeatureMap concatChannels(FeatureMap a, FeatureMap b) {
    return new FeatureMap(
        new ConcatChannels(graph, a.values(), b.values(), a.channels()).outputVariable(),
        a.height(),
        a.width(),
        a.channels() + b.channels());
  }

  @Override
  public FeatureMap prependMemory(FeatureMap x, SDVariable memory, int rows, int width) {
    return new FeatureMap(
        new PrependMemory(graph, x.values(), memory, x.height(), x.width()).outputVariable(),
        1,
        rows + x.positions(),
        x.channels());
  }

  @Override
  public FeatureMap dropMemory(FeatureMap x, int height, int width) {
    return new FeatureMap(
        new DropMemory(graph, x.values(), height, width).outputVariable(),
        height,
        width,
        x.channels());
  }

  @Override
  public FeatureMap avgPool2(FeatureMap x) {
    checkHalves(x);
    return x.halved(new AveragePool(graph, x.values()).outputVariable());
  }

  @Override
  public FeatureMap maxPool2(FeatureMap x) {
    checkHalves(x);
    return x.halved(new MaxPool(graph, x.values()).outputVariable());
  }

  @Override
  public FeatureMap upsampleNearest2(FeatureMap x) {
    return x.doubled(new UpsampleNearest(graph, x.values()).outputVariable());
  }

  @Override
  public FeatureMap attention(FeatureMap qkv, int heads) {
    return mixed(qkv, new PackedAttention(graph, qkv.values(), heads).outputVariable());
  }

  @Override
  public FeatureMap attention(FeatureMap queries, FeatureMap keys, FeatureMap values, int heads) {
    return queries.with(
        new Attention(graph, queries.values(), keys.values(), values.values(), heads)
            .outputVariable());
  }

  @Override
  public FeatureMap linearAttention(FeatureMap qkv, int heads) {
    return mixed(qkv, new LinearAttention(graph, qkv.values(), heads).outputVariable());
  }

  private static FeatureMap mixed(FeatureMap qkv, SDVariable values) {
    return new FeatureMap(values, qkv.height(), qkv.width(), qkv.channels() / 3);
  }

  @Override
  public SDVariable sinusoidalEmbedding(SDVariable t, Frequencies frequencies) {
    int sinesAt =
        switch (frequencies.order()) {
          case SINES_FIRST -> 0;
          case COSINES_FIRST -> frequencies.count();
        };
    return new SinusoidalEmbedding(graph, t, frequencies.width(), frequencies.shift(), sinesAt)
        .outputVariable();
  }

  @Override
  public FeatureMap layerNorm(FeatureMap x, double epsilon) {
    return x.with(new LayerNorm(graph, x.values(), epsilon).outputVariable());
  }

  @Override
  public FeatureMap addPositions(FeatureMap x, INDArray table) {
    SDVariable constant = graph.constant(table.castTo(DataType.FLOAT));
    return x.with(new AddPositions(graph, x.values(), constant).outputVariable());
  }

  @Override
  public SDVariable[] split(SDVariable x, int parts, int width) {
    SDVariable[] all = new SDVariable[parts];
    SDVariable rest = x;
    for (int i = 0; i + 1 < parts; i++) {
      SDVariable[] both = new SplitChannels(graph, rest, width).outputVariables();
      all[i] = both[0];
      rest = both[1];
    }
    all[parts - 1] = rest;
    return all;
  }

  @Override
  public SDVariable concat(SDVariable a, SDVariable b, int widthOfA) {
    return new ConcatChannels(graph, a, b, widthOfA).outputVariable();
  }

  /** As the transposed convolution whose weights put every channel where it belongs. */
  @Override
  public FeatureMap unpatchify(FeatureMap x, int size, int channels) {
    INDArray weight = Nd4j.zeros(DataType.FLOAT, size, size, channels, x.channels());
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        for (int c = 0; c < channels; c++) {
          weight.putScalar(new int[] {i, j, c, (i * size + j) * channels + c}, 1);
        }
      }
    }
    return convTranspose2d(
        x,
        graph.constant(weight),
        graph.constant(Nd4j.zeros(DataType.FLOAT, channels)),
        new Convolution(size, size, 0),
        channels);
  }

  @Override
  public SDVariable fourierEmbedding(SDVariable t, SDVariable frequencies) {
    return new FourierEmbedding(graph, t, frequencies).outputVariable();
  }

  @Override
  public SDVariable learnedSinusoids(SDVariable t, SDVariable frequencies) {
    return new LearnedSinusoids(graph, t, frequencies).outputVariable();
  }

  @Override
  public FeatureMap dividePerImage(FeatureMap x, SDVariable divisors) {
    return x.with(new DividePerImage(graph, x.values(), divisors).outputVariable());
  }

  @Override
  public FeatureMap blur(FeatureMap x) {
    return depthwiseConv2d(
        x,
        graph.constant(BlurFilter.ofChannels(x.channels(), DataType.FLOAT)),
        graph.constant(Nd4j.zeros(DataType.FLOAT, x.channels())),
        BlurFilter.SHAPE);
  }

  @Override
  public SDVariable timeFraction(SDVariable t, int timesteps) {
    return new TimeFraction(graph, t, timesteps).outputVariable();
  }

  @Override
  public FeatureMap toChannelsLast(SDVariable x, int channels, int height, int width) {
    return new FeatureMap(new ChannelsLast(graph, x).outputVariable(), height, width, channels);
  }

  @Override
  public SDVariable toChannelsFirst(FeatureMap x) {
    return new ChannelsFirst(graph, x.values()).outputVariable();
  }

  @Override
  public SDVariable lossPerImage(FeatureMap prediction, FeatureMap target, LossFunction function) {
    return new LossPerImage(graph, prediction.values(), target.values(), function).outputVariable();
  }

  @Override
  public SDVariable innerProductPerImage(FeatureMap x, FeatureMap y) {
    return new LossPerImage(graph, x.values(), y.values(), InnerProduct.INSTANCE).outputVariable();
  }

  @Override
  public SDVariable mean(SDVariable x) {
    return new Mean(graph, x).outputVariable();
  }
}
