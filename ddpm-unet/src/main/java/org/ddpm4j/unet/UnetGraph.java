package org.ddpm4j.unet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.BoundPerImage;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.FeatureMap;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Modules;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.weightinit.BaseWeightInitScheme;
import org.nd4j.weightinit.WeightInit;

/** The SameDiff graph of a U-Net for one size of images, with or without a loss at its end. */
final class UnetGraph {

  /** Noisy images, {@code [N,C,H,W]}. */
  static final String X = "x";

  /** Timesteps, {@code [N]}. */
  static final String T = "t";

  /** Rows of the class embedding, {@code [N]}; only if the network knows classes. */
  static final String LABELS = "labels";

  /** Keys of the images' masks, {@code [N,9]}; only in training, if the network has dropout. */
  static final String DROPOUT = "dropout";

  /** What the network should say, {@code [N,C,H,W]}. */
  static final String TARGET = "target";

  /** The images, {@code [N,C,H,W]}; only where the loss is the bound. */
  static final String X0 = "x0";

  /** What the bound takes from the timesteps, {@code [N,6]}; only where that is the loss. */
  static final String COEFFICIENTS = "coefficients";

  /** What the network says, {@code [N,C,H,W]}. */
  static final String OUTPUT = "y";

  /** What each image counts in the mean loss, {@code [N]}. */
  static final String WEIGHTS = "weights";

  /** The loss of each image, {@code [N]}. */
  static final String LOSSES = "losses";

  /** The weighted mean loss, a scalar. */
  static final String LOSS = "loss";

  /** SameDiff's name for the gradient of the loss with respect to itself. */
  static final String LOSS_GRADIENT = "one-var";

  /** What a graph is for. */
  enum Mode {
    /** Prediction and losses of held-out images: without dropout. */
    INFERENCE,
    /** With dropout, whose masks are an input. */
    TRAINING;

    /** What a network is trained in, which without dropout is no mode of its own. */
    static Mode trainingOf(UnetConfig config) {
      return config.dropout() > 0 ? TRAINING : INFERENCE;
    }
  }

  private final SameDiff graph = SameDiff.create();
  private final DataType dataType;
  private final Layers layers;
  private final Mode mode;
  private final List<Parameter> declarations = new ArrayList<>();

  /** What the loss takes beside the network's answer: shapes of one image each, by name. */
  private final Map<String, long[]> wanted = new LinkedHashMap<>();

  /** What the network says, inside. */
  private FeatureMap output;

  /** The graph's name for the gradient of each parameter; empty until they are made. */
  private Map<String, String> gradientNames = Map.of();

  private UnetGraph(DataType dataType, Function<SameDiff, Layers> layers, Mode mode) {
    this.dataType = dataType;
    this.mode = mode;
    this.layers = layers.apply(graph);
  }

  static UnetGraph forward(
      UnetConfig config,
      int height,
      int width,
      DataType dataType,
      Function<SameDiff, Layers> layers) {
    return forward(config, height, width, dataType, layers, Mode.INFERENCE);
  }

  static UnetGraph forward(
      UnetConfig config,
      int height,
      int width,
      DataType dataType,
      Function<SameDiff, Layers> layers,
      Mode mode) {
    UnetGraph built = new UnetGraph(dataType, layers, mode);
    built.build(config, height, width);
    return built;
  }

  static UnetGraph withLoss(
      UnetConfig config,
      int height,
      int width,
      DataType dataType,
      LossFunction loss,
      Function<SameDiff, Layers> layers,
      Mode mode) {
    return withLosses(
        config,
        height,
        width,
        dataType,
        layers,
        mode,
        (built, y, target) -> built.lossPerImage(y, target, loss));
  }

  /** Its losses are the mean products of outputs and targets. */
  static UnetGraph withInnerProduct(
      UnetConfig config,
      int height,
      int width,
      DataType dataType,
      Function<SameDiff, Layers> layers,
      Mode mode) {
    return withLosses(config, height, width, dataType, layers, mode, Layers::innerProductPerImage);
  }

  /**
   * Its losses are terms of the bound: an operation of ours, that takes fused layers. Stock
   * operations have no distribution function of the normal distribution whose logarithm can be
   * taken far from the mean.
   */
  static UnetGraph withBound(UnetConfig config, int height, int width, BoundLoss bound, Mode mode) {
    int channels = config.imageChannels();
    if (config.outChannels() != channels && config.outChannels() != 2 * channels) {
      throw new IllegalArgumentException(
          Text.format(
              "The network answers images of %d channel(s) with %d; the bound takes %d, or %d with the variance.",
              channels, config.outChannels(), channels, 2 * channels));
    }
    UnetGraph built = new UnetGraph(DataType.FLOAT, FusedLayers::new, mode);
    FeatureMap y = built.build(config, height, width);
    long[] image = {channels, height, width};
    SDVariable losses =
        new BoundPerImage(
                built.graph,
                y.values(),
                built.wanted(TARGET, image),
                built.wanted(X0, image),
                built.wanted(COEFFICIENTS, BoundLoss.Coefficients.COUNT),
                bound)
            .outputVariable();
    built.endIn(losses);
    return built;
  }

  /** What a graph ends in. */
  private interface Losses {
    SDVariable of(Layers layers, FeatureMap y, FeatureMap target);
  }

  private static UnetGraph withLosses(
      UnetConfig config,
      int height,
      int width,
      DataType dataType,
      Function<SameDiff, Layers> layers,
      Mode mode,
      Losses losses) {
    UnetGraph built = new UnetGraph(dataType, layers, mode);
    FeatureMap y = built.build(config, height, width);
    built.endInLoss(y, losses);
    return built;
  }

  private void endInLoss(FeatureMap y, Losses perImage) {
    SDVariable target = wanted(TARGET, y.channels(), y.height(), y.width());
    FeatureMap inside = layers.toChannelsLast(target, y.channels(), y.height(), y.width());
    endIn(perImage.of(layers, y, inside));
  }

  /** An input of the loss, of these sizes for each image. */
  private SDVariable wanted(String name, long... sizes) {
    wanted.put(name, sizes);
    return graph.placeHolder(name, dataType, shape(-1, sizes));
  }

  private static long[] shape(long images, long... sizes) {
    long[] shape = new long[1 + sizes.length];
    shape[0] = images;
    System.arraycopy(sizes, 0, shape, 1, sizes.length);
    return shape;
  }

  private void endIn(SDVariable perImage) {
    SDVariable losses = perImage.rename(LOSSES);
    SDVariable weights = graph.placeHolder(WEIGHTS, dataType, -1);
    layers.mean(layers.multiply(losses, weights)).rename(LOSS);
    graph.setLossVariables(LOSS);
  }

  private FeatureMap build(UnetConfig config, int height, int width) {
    SDVariable x = graph.placeHolder(X, dataType, -1, config.inChannels(), height, width);
    SDVariable t = graph.placeHolder(T, dataType, -1);
    SDVariable labels =
        config.classEmbeddings() == 0 ? null : graph.placeHolder(LABELS, dataType, -1);
    SDVariable keys =
        mode == Mode.TRAINING ? graph.placeHolder(DROPOUT, dataType, -1, BatchKey.PIECES) : null;
    Modules modules = new Modules(layers, this::declare, keys);
    FeatureMap inside = layers.toChannelsLast(x, config.inChannels(), height, width);
    output = config.build(modules, inside, t, labels);
    layers.toChannelsFirst(output).rename(OUTPUT);
    return output;
  }

  private SDVariable declare(Parameter parameter) {
    declarations.add(parameter);
    return switch (parameter.learning()) {
      case TRAINED -> graph.var(parameter.name(), new NoValues(), dataType, parameter.shape());
      // SameDiff makes no gradient for it. The executors bring the values here, too.
      case FROZEN -> graph.constant(parameter.name(), Nd4j.zeros(dataType, parameter.shape()));
    };
  }

  List<Parameter> declarations() {
    return List.copyOf(declarations);
  }

  /** A declaration takes no memory; the executors bring the values. */
  private static final class NoValues extends BaseWeightInitScheme {

    @Override
    public INDArray doCreate(DataType dataType, long[] shape, INDArray paramsView) {
      return Nd4j.empty(dataType);
    }

    @Override
    public WeightInit type() {
      return WeightInit.ZERO;
    }
  }

  /**
   * The shape of what the network says about some images.
   *
   * @param images N
   * @return {@code [N,C,H,W]}
   */
  long[] outputShape(long images) {
    return new long[] {images, output.channels(), output.height(), output.width()};
  }

  SameDiff sameDiff() {
    return graph;
  }

  /** Whether {@link #DROPOUT} is among the inputs. */
  boolean hasDropout() {
    return mode == Mode.TRAINING;
  }

  boolean hasLoss() {
    return !wanted.isEmpty();
  }

  /** Whether {@link #X0} and {@link #COEFFICIENTS} are among the inputs. */
  boolean hasBound() {
    return wanted.containsKey(X0);
  }

  /**
   * The shapes of what the loss takes beside the network's answer.
   *
   * @param images N
   * @return by name
   */
  Map<String, long[]> wantedShapes(long images) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    wanted.forEach((name, sizes) -> shapes.put(name, shape(images, sizes)));
    return shapes;
  }

  /**
   * The graph that computes the loss and the gradient of every parameter; made when first asked,
   * once, however many threads ask at once.
   */
  synchronized SameDiff gradientFunction() {
    if (gradientNames.isEmpty()) {
      OutsideWorkspaces.make(
          () -> {
            // SameDiff reports its progress on the standard output.
            StandardOutputFilter.dropLines("Added differentiated op ", graph::createGradFunction);
            return null;
          });
      Map<String, String> names = new LinkedHashMap<>();
      for (Parameter declaration : declarations) {
        if (declaration.learning() == Parameter.Learning.TRAINED) {
          String name = declaration.name();
          names.put(name, graph.getVariable(name).gradient().name());
        }
      }
      gradientNames = Collections.unmodifiableMap(names);
    }
    return graph.getFunction("grad");
  }

  /**
   * The gradient function's names for the gradients of the parameters that are trained; empty until
   * that function is made.
   */
  synchronized Map<String, String> gradientNames() {
    return gradientNames;
  }
}
