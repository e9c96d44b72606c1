package org.ddpm4j.unet.layers;

import java.util.Objects;
import java.util.function.Function;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.Activation;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Layers with named parameters: what {@code torch.nn} is to {@code torch.nn.functional}. Each
 * method declares the parameters that PyTorch's module of that kind has, with its names, shapes and
 * initialisation, and applies the layer.
 */
public final class Modules {

  private final Layers layers;
  private final Function<Parameter, SDVariable> declare;

  /** Null where nothing is dropped. */
  private final SDVariable dropoutKeys;

  private int dropouts;

  /**
   * Modules in one graph.
   *
   * @param layers the operations
   * @param declare turns the declaration of a parameter into the graph's variable for it
   */
  public Modules(Layers layers, Function<Parameter, SDVariable> declare) {
    this(layers, declare, null);
  }

  /**
   * Modules in one graph, for training.
   *
   * @param layers the operations
   * @param declare turns the declaration of a parameter into the graph's variable for it
   * @param dropoutKeys of the images' masks, {@code [N,9]}; null where nothing is dropped
   */
  public Modules(Layers layers, Function<Parameter, SDVariable> declare, SDVariable dropoutKeys) {
    this.layers = Objects.requireNonNull(layers, "layers");
    this.declare = Objects.requireNonNull(declare, "declare");
    this.dropoutKeys = dropoutKeys;
  }

  /**
   * The operations without parameters.
   *
   * @return the layers of this graph
   */
  public Layers layers() {
    return layers;
  }

  /**
   * {@code Conv2d} with bias.
   *
   * @param name of the module
   * @param x {@code [N,H,W,iC]}
   * @param outChannels oC
   * @param shape the geometry
   * @return {@code [N,H',W',oC]}
   */
  public FeatureMap conv2d(String name, FeatureMap x, int outChannels, Convolution shape) {
    SDVariable weight = convolutionWeight(name, x.channels(), outChannels, shape.kernel());
    long fanIn = (long) x.channels() * shape.kernel() * shape.kernel();
    return layers.conv2d(x, weight, bias(name, outChannels, fanIn), shape, outChannels);
  }

  /**
   * {@code Conv2d} of kernel 1 without bias.
   *
   * @param name of the module
   * @param x {@code [N,H,W,iC]}
   * @param outChannels oC
   * @return {@code [N,H,W,oC]}
   */
  public FeatureMap pointwiseWithoutBias(String name, FeatureMap x, int outChannels) {
    SDVariable weight = convolutionWeight(name, x.channels(), outChannels, 1);
    return layers.conv2d(x, weight, null, Convolution.same(1), outChannels);
  }

  private SDVariable convolutionWeight(String name, int in, int out, int kernel) {
    return declare(
        name + ".weight",
        WeightLayout.CONVOLUTION,
        Initialization.fanIn((long) in * kernel * kernel),
        kernel,
        kernel,
        in,
        out);
  }

  /**
   * {@code ConvTranspose2d} with bias.
   *
   * @param name of the module
   * @param x {@code [N,H,W,iC]}
   * @param outChannels oC
   * @param shape the geometry
   * @return {@code [N,H',W',oC]}
   */
  public FeatureMap convTranspose2d(String name, FeatureMap x, int outChannels, Convolution shape) {
    int kernel = shape.kernel();
    // PyTorch counts the fan of a transposed convolution on the side of its output.
    long fanIn = (long) outChannels * kernel * kernel;
    SDVariable weight =
        declare(
            name + ".weight",
            WeightLayout.TRANSPOSED_CONVOLUTION,
            Initialization.fanIn(fanIn),
            kernel,
            kernel,
            outChannels,
            x.channels());
    return layers.convTranspose2d(x, weight, bias(name, outChannels, fanIn), shape, outChannels);
  }

  /**
   * {@code Conv2d} with as many groups as channels, and bias.
   *
   * @param name of the module
   * @param x {@code [N,H,W,C]}
   * @param shape the geometry
   * @return {@code [N,H',W',C]}
   */
  public FeatureMap depthwiseConv2d(String name, FeatureMap x, Convolution shape) {
    int kernel = shape.kernel();
    long fanIn = (long) kernel * kernel;
    SDVariable weight =
        declare(
            name + ".weight",
            WeightLayout.DEPTHWISE_CONVOLUTION,
            Initialization.fanIn(fanIn),
            kernel,
            kernel,
            x.channels(),
            1);
    return layers.depthwiseConv2d(x, weight, bias(name, x.channels(), fanIn), shape);
  }

  /**
   * {@code GroupNorm}, followed by an activation.
   *
   * @param name of the module
   * @param x {@code [N,H,W,C]}
   * @param groups a divisor of C
   * @param epsilon added to the variance
   * @param activation applied last
   * @return {@code [N,H,W,C]}
   */
  public FeatureMap groupNorm(
      String name, FeatureMap x, int groups, double epsilon, Activation activation) {
    if (groups < 1 || x.channels() % groups != 0) {
      throw new IllegalArgumentException(
          Text.format(
              "%d groups do not divide the %d channel(s) of %s; choose a divisor.",
              groups, x.channels(), name));
    }
    SDVariable weight =
        declare(name + ".weight", WeightLayout.VECTOR, Initialization.ONES, x.channels());
    SDVariable bias =
        declare(name + ".bias", WeightLayout.VECTOR, Initialization.ZEROS, x.channels());
    return layers.groupNorm(x, weight, bias, groups, epsilon, activation);
  }

  /**
   * lucidrains' {@code RMSNorm}, whose parameter is {@code g}.
   *
   * @param name of the module
   * @param x {@code [N,H,W,C]}
   * @return {@code [N,H,W,C]}
   */
  public FeatureMap rmsNorm(String name, FeatureMap x) {
    return layers.rmsNorm(
        x, declare(name + ".g", WeightLayout.GAIN, Initialization.ONES, x.channels()));
  }

  /**
   * A parameter {@code mem_kv}: keys and values that attention has learned, put before those of the
   * images.
   *
   * @param name of the attention
   * @param qkv {@code [N,H,W,3·heads·d]}
   * @param rows M, how many
   * @param heads of the attention
   * @param layout {@link WeightLayout#MEMORY} or {@link WeightLayout#TRANSPOSED_MEMORY}
   * @return {@code [N,1,M+H·W,3·heads·d]}, whose first queries are zero
   */
  public FeatureMap prependMemory(
      String name, FeatureMap qkv, int rows, int heads, WeightLayout layout) {
    SDVariable memory =
        declare(
            name + ".mem_kv",
            layout,
            Initialization.STANDARD_NORMAL,
            rows,
            2,
            heads,
            qkv.channels() / (3 * heads));
    return layers.prependMemory(qkv, memory, rows, 2 * qkv.channels() / 3);
  }

  /**
   * lucidrains' {@code RandomOrLearnedSinusoidalPosEmb}.
   *
   * @param name of the module
   * @param t timesteps, {@code [N]}
   * @param count of frequencies
   * @param learning whether they are learned
   * @return {@code [N,1+2·count]}
   */
  public SDVariable learnedSinusoids(
      String name, SDVariable t, int count, Parameter.Learning learning) {
    Parameter frequencies =
        new Parameter(
            name + ".weights",
            WeightLayout.VECTOR,
            new long[] {count},
            Initialization.STANDARD_NORMAL,
            learning);
    return layers.learnedSinusoids(t, declare.apply(frequencies));
  }

  /**
   * {@code Dropout}, where the graph is one of training; elsewhere, and with a probability of 0, it
   * is nothing. Dropouts of a network are numbered in the order in which it adds them.
   *
   * @param x {@code [N,H,W,C]}
   * @param probability of an element to be dropped, in [0,1)
   * @return {@code [N,H,W,C]}
   */
  public FeatureMap dropout(FeatureMap x, double probability) {
    return dropoutKeys == null || probability == 0
        ? x
        : layers.dropout(x, dropoutKeys, dropouts++, probability);
  }

  /**
   * {@code Linear} with bias, followed by an activation.
   *
   * @param name of the module
   * @param x {@code [N,in]}
   * @param in width of x
   * @param out width of the result
   * @param activation applied last
   * @return {@code [N,out]}
   */
  public SDVariable linear(String name, SDVariable x, int in, int out, Activation activation) {
    SDVariable weight =
        declare(name + ".weight", WeightLayout.LINEAR, Initialization.fanIn(in), in, out);
    return layers.linear(x, weight, bias(name, out, in), activation);
  }

  /**
   * {@code Linear} with bias on the channels of every position.
   *
   * @param name of the module
   * @param x {@code [N,H,W,iC]}
   * @param outChannels oC
   * @return {@code [N,H,W,oC]}
   */
  public FeatureMap linear(String name, FeatureMap x, int outChannels) {
    SDVariable weight =
        declare(
            name + ".weight",
            WeightLayout.POSITIONWISE,
            Initialization.fanIn(x.channels()),
            1,
            1,
            x.channels(),
            outChannels);
    SDVariable bias = bias(name, outChannels, x.channels());
    return layers.conv2d(x, weight, bias, Convolution.same(1), outChannels);
  }

  /**
   * {@code Conv2d} of kernel 1 with bias on maps of one position.
   *
   * @param name of the module
   * @param x {@code [N,in]}
   * @param in width of x
   * @param out width of the result
   * @return {@code [N,out]}
   */
  public SDVariable pointwise(String name, SDVariable x, int in, int out) {
    SDVariable weight =
        declare(name + ".weight", WeightLayout.POINTWISE, Initialization.fanIn(in), in, out);
    return layers.linear(x, weight, bias(name, out, in), Activation.IDENTITY);
  }

  /**
   * {@code Embedding}.
   *
   * @param name of the module
   * @param labels whole numbers from 0 to count-1, {@code [N]}
   * @param count number of rows
   * @param width of each row
   * @return {@code [N,width]}
   */
  public SDVariable embedding(String name, SDVariable labels, int count, int width) {
    SDVariable weight =
        declare(
            name + ".weight", WeightLayout.EMBEDDING, Initialization.STANDARD_NORMAL, count, width);
    return layers.embedding(labels, weight, count);
  }

  /**
   * diffusers' {@code GaussianFourierProjection} of logarithms: frequencies that are drawn once and
   * never trained.
   *
   * @param name of the module
   * @param t noise levels above 0, {@code [N]}
   * @param count of frequencies
   * @param scale their standard deviation
   * @return {@code [N,2·count]}, the sines first
   */
  public SDVariable fourierEmbedding(String name, SDVariable t, int count, double scale) {
    Parameter frequencies =
        new Parameter(
            name + ".weight",
            WeightLayout.VECTOR,
            new long[] {count},
            Initialization.normal(0, scale),
            Parameter.Learning.FROZEN);
    return layers.fourierEmbedding(t, declare.apply(frequencies));
  }

  private SDVariable bias(String name, int channels, long fanIn) {
    return declare(name + ".bias", WeightLayout.VECTOR, Initialization.fanIn(fanIn), channels);
  }

  private SDVariable declare(
      String name, WeightLayout layout, Initialization initialization, long... shape) {
    return declare.apply(new Parameter(name, layout, shape, initialization));
  }
}
