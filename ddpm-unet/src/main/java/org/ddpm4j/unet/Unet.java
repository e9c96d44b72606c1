package org.ddpm4j.unet;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.ddpm4j.kernels.Workers;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A U-Net with its parameters. Takes images of any size that its architecture accepts; the graph
 * for a size is built when it is first met.
 *
 * <p>Several threads may use a network as long as nobody writes to the parameters. With reference
 * layers those with images of one size take turns.
 *
 * <p>A network of fused layers holds memory outside the Java heap; what is not closed is given back
 * when the garbage collector finds it.
 */
public final class Unet implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Unet.class);

  private final UnetConfig config;
  private final Parameters parameters;
  private final Execution execution;
  private final Map<GraphKey, UnetExecutor> executors = new ConcurrentHashMap<>();
  private final Workers workers;
  private final PlanWeights planWeights;

  /** {@code loss} is null for the graph of prediction alone. */
  private record GraphKey(int height, int width, LossFunction loss) {}

  Unet(UnetConfig config, Parameters parameters, Execution execution) {
    this.config = config;
    this.parameters = parameters;
    this.execution = execution;
    boolean fused = execution.isFused(dataType());
    workers = fused ? new Workers(execution.threads()) : null;
    planWeights = fused ? new PlanWeights(parameters) : null;
    log.debug("{} computes with {} layers", config, fused ? "fused" : "reference");
  }

  /**
   * A network with freshly drawn weights.
   *
   * @param config the architecture
   * @param dataType FLOAT or DOUBLE
   * @param seed of the weights
   * @return the network
   */
  public static Unet create(UnetConfig config, DataType dataType, long seed) {
    Parameters parameters = Parameters.zeros(declarations(config, dataType), dataType);
    parameters.initialize(seed);
    return new Unet(config, parameters, Execution.automatic());
  }

  /**
   * A network with given weights.
   *
   * @param config the architecture
   * @param parameters its parameters; the network reads them, it does not copy them
   * @return the network
   * @throws IllegalArgumentException if these are the parameters of another architecture
   */
  public static Unet of(UnetConfig config, Parameters parameters) {
    return of(config, parameters, Execution.automatic());
  }

  /**
   * A network with given weights that computes in a given way.
   *
   * @param config the architecture
   * @param parameters its parameters; the network reads them, it does not copy them
   * @param execution how it computes
   * @return the network
   * @throws IllegalArgumentException if these are the parameters of another architecture, or of a
   *     data type in which it cannot compute so
   */
  public static Unet of(UnetConfig config, Parameters parameters, Execution execution) {
    if (!declarations(config, parameters.flat().dataType()).equals(parameters.declarations())) {
      throw new IllegalArgumentException(
          "The parameters belong to another network than %s.".formatted(config));
    }
    return new Unet(config, parameters, execution);
  }

  static List<Parameter> declarations(UnetConfig config, DataType dataType) {
    if (dataType != DataType.FLOAT && dataType != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          "A U-Net cannot compute in %s; choose FLOAT or DOUBLE.".formatted(dataType));
    }
    int size = config.sizeDivisor();
    return UnetGraph.forward(
            config, size, size, dataType, graph -> new ReferenceLayers(graph, dataType))
        .declarations();
  }

  /**
   * The architecture.
   *
   * @return the configuration
   */
  public UnetConfig config() {
    return config;
  }

  /**
   * The weights.
   *
   * @return the parameters that the network reads; writing to them changes the network
   */
  public Parameters parameters() {
    return parameters;
  }

  /**
   * The type in which the network computes.
   *
   * @return FLOAT or DOUBLE
   */
  public DataType dataType() {
    return parameters.flat().dataType();
  }

  /**
   * Runs the network.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @return the network's output, {@code [N,outChannels,H,W]}
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public INDArray predict(INDArray x, INDArray t) {
    checkShapes(x, t);
    return executor(x, null).output(cast(x), cast(t));
  }

  /**
   * The mean loss over a batch and its gradient.
   *
   * @param loss what an error costs
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @param gradient receives the gradient of the mean over all elements
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double lossAndGradient(
      LossFunction loss, INDArray x, INDArray t, INDArray target, Parameters gradient) {
    Objects.requireNonNull(loss, "loss");
    checkShapes(x, t);
    checkTarget(x, target);
    return executor(x, loss).gradients(cast(x), cast(t), cast(target), gradient);
  }

  /**
   * The mean loss over a batch.
   *
   * @param loss what an error costs
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double loss(LossFunction loss, INDArray x, INDArray t, INDArray target) {
    Objects.requireNonNull(loss, "loss");
    checkShapes(x, t);
    checkTarget(x, target);
    return executor(x, loss).loss(cast(x), cast(t), cast(target));
  }

  private UnetExecutor executor(INDArray x, LossFunction loss) {
    GraphKey key = new GraphKey((int) x.size(2), (int) x.size(3), loss);
    return executors.computeIfAbsent(key, this::build);
  }

  private UnetExecutor build(GraphKey key) {
    boolean fused = planWeights != null;
    Function<SameDiff, Layers> layers =
        fused ? FusedLayers::new : graph -> new ReferenceLayers(graph, dataType());
    UnetGraph graph =
        key.loss() == null
            ? UnetGraph.forward(config, key.height(), key.width(), dataType(), layers)
            : UnetGraph.withLoss(config, key.height(), key.width(), dataType(), key.loss(), layers);
    return fused
        ? new PlanExecutor(
            graph,
            config,
            key.height(),
            key.width(),
            parameters,
            planWeights,
            workers,
            execution.precision())
        : new SessionExecutor(graph, parameters);
  }

  private INDArray cast(INDArray array) {
    return array.dataType() == dataType() ? array : array.castTo(dataType());
  }

  private void checkShapes(INDArray x, INDArray t) {
    if (x.rank() != 4 || x.size(0) < 1 || x.size(1) != config.inChannels()) {
      throw new IllegalArgumentException(
          "The images have the shape %s where this U-Net takes [N,%d,H,W] with N at least 1."
              .formatted(Arrays.toString(x.shape()), config.inChannels()));
    }
    config.checkImageSize((int) x.size(2), (int) x.size(3));
    if (t.rank() != 1 || t.length() != x.size(0)) {
      throw new IllegalArgumentException(
          "The timesteps have the shape %s where %d images need [%d]."
              .formatted(Arrays.toString(t.shape()), x.size(0), x.size(0)));
    }
  }

  private void checkTarget(INDArray x, INDArray target) {
    long[] expected = {x.size(0), config.outChannels(), x.size(2), x.size(3)};
    if (!Arrays.equals(target.shape(), expected)) {
      throw new IllegalArgumentException(
          "The target has the shape %s where the network's output has %s."
              .formatted(Arrays.toString(target.shape()), Arrays.toString(expected)));
    }
  }

  /** Gives back the memory outside the Java heap and ends the threads. */
  @Override
  public void close() {
    executors.values().forEach(UnetExecutor::close);
    executors.clear();
    if (planWeights != null) {
      planWeights.close();
      workers.close();
    }
  }
}
