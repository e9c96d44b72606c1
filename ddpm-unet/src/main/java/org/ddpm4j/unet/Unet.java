package org.ddpm4j.unet;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.ops.BoundLoss;
import org.ddpm4j.kernels.ops.ImageLoss;
import org.ddpm4j.kernels.ops.InnerProduct;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceName;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanProfile;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.unet.layers.FusedLayers;
import org.ddpm4j.unet.layers.Layers;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.layers.ReferenceLayers;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A U-Net with its parameters. Takes images of any size that its architecture accepts; the graph
 * for a size is built when it is first met.
 *
 * <p>Any number of threads may use a network as long as nobody writes to the parameters. With
 * reference layers those with images of one size take turns; with fused layers each waits, after a
 * few images, for one of {@link Execution#threads()} plans. An interrupt stops no call and stays
 * set.
 *
 * <p>A network of fused layers holds memory outside the Java heap: for each size of images that it
 * has met, the plans of {@link Execution#threads()} threads, however many call. Of many sizes the
 * sixteen stay that were used last (a loss and a prediction count apart); a size that comes back
 * later is laid out anew. What is not closed is given back when the garbage collector finds it.
 */
public final class Unet implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Unet.class);

  /** More than the sizes of images, times loss and prediction, that a service or a training has. */
  static final int MOST_GRAPHS = 16;

  private final UnetConfig config;
  private final Parameters parameters;
  private final Execution execution;
  private final RecentlyUsed<GraphKey, UnetExecutor> executors =
      new RecentlyUsed<>(MOST_GRAPHS, UnetExecutor::close);

  /** Null where SameDiff's own session computes. */
  private final PlanBackend backend;

  /** Calls read, closing writes. */
  private final ReadWriteLock life = new ReentrantReadWriteLock();

  private boolean closed;

  /** Null unless profiling. */
  private volatile PlanProfile profile;

  /** {@code loss} is null for the graph of prediction alone. */
  private record GraphKey(int height, int width, ImageLoss loss, UnetGraph.Mode mode) {}

  Unet(UnetConfig config, Parameters parameters, Execution execution) {
    requireRowMajor();
    this.config = config;
    this.parameters = parameters;
    this.execution = execution;
    boolean fused = execution.isFused(dataType());
    backend = fused ? PlanBackend.of(config, parameters, execution) : null;
    log.debug(
        "{} computes with {}",
        config,
        fused ? "fused layers on " + backend.description() : "reference layers");
  }

  /**
   * Kernels read rows of arrays that ND4J makes; its own operations by oneDNN even write beyond
   * their memory where it makes columns.
   */
  private static void requireRowMajor() {
    if (Nd4j.order() != 'c') {
      throw new IllegalStateException(
          "ND4J is set to make column-major arrays (-Dndarray.order=f), with which networks cannot compute; leave that setting out.");
    }
  }

  /**
   * A network with freshly drawn weights.
   *
   * @param config the architecture
   * @param dataType FLOAT or DOUBLE
   * @param seed of the weights
   * @return the network
   * @throws IllegalStateException if ND4J is set to make column-major arrays
   */
  public static Unet create(UnetConfig config, DataType dataType, long seed) {
    return create(config, dataType, seed, Execution.automatic());
  }

  /**
   * A network with freshly drawn weights that computes in a given way.
   *
   * @param config the architecture
   * @param dataType FLOAT or DOUBLE
   * @param seed of the weights
   * @param execution how it computes
   * @return the network
   * @throws IllegalArgumentException if it cannot compute so in that data type
   */
  public static Unet create(UnetConfig config, DataType dataType, long seed, Execution execution) {
    Parameters parameters = Parameters.zeros(declarations(config, dataType), dataType);
    parameters.initialize(seed);
    return new Unet(config, parameters, execution);
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
    Objects.requireNonNull(parameters, "parameters");
    if (!declarations(config, parameters.values().dataType()).equals(parameters.declarations())) {
      throw new IllegalArgumentException(
          Text.format("The parameters belong to another network than %s.", config));
    }
    return new Unet(config, parameters, execution);
  }

  static List<Parameter> declarations(UnetConfig config, DataType dataType) {
    if (dataType != DataType.FLOAT && dataType != DataType.DOUBLE) {
      throw new IllegalArgumentException(
          Text.format("A U-Net cannot compute in %s; choose FLOAT or DOUBLE.", dataType));
    }
    int size = Objects.requireNonNull(config, "config").sizeDivisor();
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
   * How the network computes.
   *
   * @return layers, precision and threads
   */
  public Execution execution() {
    return execution;
  }

  /**
   * The type in which the network computes.
   *
   * @return FLOAT or DOUBLE
   */
  public DataType dataType() {
    return parameters.values().dataType();
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
    return predict(UnetInput.of(x, t));
  }

  /**
   * Runs the network.
   *
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t the timestep of each image, N of them, zero-based
   * @return the network's output, {@code [N,outChannels,H,W]}
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public INDArray predict(INDArray x, int[] t) {
    return predict(UnetInput.of(x, t));
  }

  /**
   * Runs the network.
   *
   * @param input N images with timesteps, and with labels if the network knows classes
   * @return the network's output, {@code [N,outChannels,H,W]}
   * @throws IllegalArgumentException if the input does not fit the network
   */
  public INDArray predict(UnetInput input) {
    checkInput(input);
    return using(input, null, executor -> executor.output(cast(input)));
  }

  /**
   * The mean loss over a batch and its gradient, for a network without classes.
   *
   * @param loss of an error
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @param gradient receives the gradient of the mean over all elements
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double lossAndGradient(
      LossFunction loss, INDArray x, INDArray t, INDArray target, Parameters gradient) {
    return mean(lossAndGradient(loss, UnetInput.of(x, t), target, null, gradient));
  }

  /**
   * The mean loss over a batch and its gradient, for a network without classes.
   *
   * @param loss of an error
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t the timestep of each image, N of them, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @param gradient receives the gradient of the mean over all elements
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double lossAndGradient(
      LossFunction loss, INDArray x, int[] t, INDArray target, Parameters gradient) {
    return mean(lossAndGradient(loss, UnetInput.of(x, t), target, null, gradient));
  }

  /**
   * The loss of each image and the gradient of their weighted mean, {@code Σ weight·loss / N}.
   *
   * @param loss of an error
   * @param input N images with timesteps, and with labels if the network knows classes
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @param weights what each image counts, {@code [N]}, finite; null if all count 1
   * @param gradient receives the gradient
   * @return each image's mean over its elements, without its weight, {@code [N]}
   * @throws IllegalArgumentException if the input does not fit the network
   */
  public double[] lossAndGradient(
      LossFunction loss, UnetInput input, INDArray target, INDArray weights, Parameters gradient) {
    Objects.requireNonNull(loss, "loss");
    checkInput(input);
    if (weights != null) {
      checkWeights(input.x(), weights);
    }
    INDArray castWeights = weights == null ? null : cast(weights);
    return using(
        input,
        loss,
        executor -> {
          checkTarget(executor, input, target);
          return executor.gradients(cast(input), wanted(target), castWeights, gradient);
        });
  }

  /**
   * The vector-Jacobian product: the gradient with respect to the parameters of {@code Σ
   * cotangent·output}, summed over all images and elements. With the derivative of any function of
   * the output as the cotangent, it is that function's gradient (the chain rule).
   *
   * @param input N images with timesteps, and with labels if the network knows classes
   * @param cotangent {@code [N,outChannels,H,W]}
   * @param gradient receives the product
   * @throws IllegalArgumentException if the input or the cotangent does not fit the network
   */
  public void vectorJacobianProduct(UnetInput input, INDArray cotangent, Parameters gradient) {
    checkInput(input);
    using(
        input,
        InnerProduct.INSTANCE,
        executor -> {
          checkTarget(executor, input, cotangent);
          // Executors take the mean over the elements of an image, and over images.
          INDArray elements =
              Nd4j.valueArrayOf(new long[] {input.x().size(0)}, cotangent.length(), dataType());
          return executor.gradients(cast(input), wanted(cotangent), elements, gradient);
        });
  }

  /**
   * The mean loss over a batch, for a network without classes.
   *
   * @param loss of an error
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t timesteps, {@code [N]}, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double loss(LossFunction loss, INDArray x, INDArray t, INDArray target) {
    return mean(losses(loss, UnetInput.of(x, t), target));
  }

  /**
   * The mean loss over a batch, for a network without classes.
   *
   * @param loss of an error
   * @param x noisy images, {@code [N,C,H,W]}
   * @param t the timestep of each image, N of them, zero-based
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @return the mean over all elements
   * @throws IllegalArgumentException if the shapes do not fit the network
   */
  public double loss(LossFunction loss, INDArray x, int[] t, INDArray target) {
    return mean(losses(loss, UnetInput.of(x, t), target));
  }

  /**
   * The loss of each image.
   *
   * @param loss of an error
   * @param input N images with timesteps, and with labels if the network knows classes
   * @param target what the network should say, {@code [N,outChannels,H,W]}
   * @return each image's mean over its elements, {@code [N]}
   * @throws IllegalArgumentException if the input does not fit the network
   */
  public double[] losses(LossFunction loss, UnetInput input, INDArray target) {
    Objects.requireNonNull(loss, "loss");
    checkInput(input);
    return using(
        input,
        loss,
        executor -> {
          checkTarget(executor, input, target);
          return executor.losses(cast(input), wanted(target));
        });
  }

  /**
   * Whether the graph can end in the {@linkplain BoundLoss bound}: where it computes with fused
   * layers. Stock operations say neither its decoder nor that a gradient stops.
   *
   * @return true if the methods that take a {@link BoundLoss} may be called
   */
  public boolean endsInBound() {
    return backend != null;
  }

  /**
   * The loss of each image by the bound.
   *
   * @param loss of an element
   * @param input N images with timesteps, and with labels if the network knows classes
   * @param wanted what the loss is told
   * @return each image's mean over its elements, {@code [N]}
   * @throws IllegalArgumentException if the input does not fit the network
   * @throws IllegalStateException unless it {@linkplain #endsInBound ends in the bound}
   */
  public double[] losses(BoundLoss loss, UnetInput input, BoundInput wanted) {
    checkBound(loss, input);
    return using(
        input, loss, executor -> executor.losses(cast(input), wanted(executor, input, wanted)));
  }

  /**
   * The loss of each image by the bound and the gradient of their weighted mean, {@code Σ
   * weight·loss / N}.
   *
   * @param loss of an element
   * @param input N images with timesteps, and with labels if the network knows classes
   * @param wanted what the loss is told
   * @param weights what each image counts, {@code [N]}, finite
   * @param gradient receives the gradient
   * @return each image's mean over its elements, without its weight, {@code [N]}
   * @throws IllegalArgumentException if the input does not fit the network
   * @throws IllegalStateException unless it {@linkplain #endsInBound ends in the bound}
   */
  public double[] lossAndGradient(
      BoundLoss loss, UnetInput input, BoundInput wanted, INDArray weights, Parameters gradient) {
    checkBound(loss, input);
    checkWeights(input.x(), weights);
    return using(
        input,
        loss,
        executor ->
            executor.gradients(
                cast(input), wanted(executor, input, wanted), cast(weights), gradient));
  }

  private void checkBound(BoundLoss loss, UnetInput input) {
    Objects.requireNonNull(loss, "loss");
    if (!endsInBound()) {
      throw new IllegalStateException(
          "The bound is the end of graphs of fused layers alone; take the network's answer and a VariationalBound.");
    }
    checkInput(input);
  }

  private Map<String, INDArray> wanted(INDArray target) {
    return Map.of(UnetGraph.TARGET, cast(target));
  }

  private Map<String, INDArray> wanted(UnetExecutor executor, UnetInput input, BoundInput wanted) {
    Map<String, INDArray> arrays =
        Map.of(
            UnetGraph.TARGET, cast(wanted.target()),
            UnetGraph.X0, cast(wanted.x0()),
            UnetGraph.COEFFICIENTS, cast(wanted.coefficients()));
    executor
        .graph()
        .wantedShapes(input.x().size(0))
        .forEach((name, shape) -> checkShape("input " + name, arrays.get(name), shape));
    return arrays;
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  /**
   * Measures from now on how long each operation takes. Reference layers are not measured.
   *
   * @param newProfile receives the times
   */
  public void startProfile(PlanProfile newProfile) {
    profile = Objects.requireNonNull(newProfile, "newProfile");
  }

  /** Ends measuring. */
  public void stopProfile() {
    profile = null;
  }

  private void run(GraphPlan plan) {
    PlanProfile current = profile;
    if (current == null) {
      plan.run();
    } else {
      current.run(plan);
    }
  }

  /**
   * The device beside the processor that this network computes on.
   *
   * @return the device, which is closed with the network, or empty where the processor computes
   */
  public Optional<Device> device() {
    return backend == null
        ? Optional.empty()
        : backend.onDevice().map(PlanBackend.OnDevice::device);
  }

  /**
   * Whether whole steps of training can run on the device that this network computes on.
   *
   * @return true where {@link #trainingOnDevice} gives them
   */
  public boolean trainsOnDevice() {
    return device().map(Device::trains).orElse(false);
  }

  /**
   * Moves the training of this network to the devices that it computes on, where they can train
   * without the host. Until the result is closed, nothing else may use the network or write to its
   * parameters.
   *
   * @param loss of an image: a function of the error, or the bound
   * @param height of the images
   * @param width of the images
   * @param optimizer AdamW's constants
   * @param furtherEmas how many moving averages there are beside the usual one
   * @param targetNetworks whose answers make the target, in the order in which they are asked, and
   *     which compute on the same device; empty where images and noise make it
   * @return the training, which the caller closes, or empty where the host has to take part
   * @throws IllegalArgumentException if several devices are to train that cannot do so together, or
   *     images of that size are none for one of the networks
   */
  public Optional<DeviceTraining> trainingOnDevice(
      ImageLoss loss,
      int height,
      int width,
      TrainingRequest.Optimizer optimizer,
      int furtherEmas,
      List<TargetNetwork> targetNetworks) {
    Objects.requireNonNull(loss, "loss");
    Optional<PlanBackend.OnDevice> device = backend == null ? Optional.empty() : backend.onDevice();
    if (device.isEmpty() || !device.get().device().trains()) {
      if (!execution.helpers().isEmpty()) {
        throw new IllegalArgumentException(
            Text.format(
                "The device %s cannot train together with others; name it alone.",
                execution.resolvedDevice()));
      }
      return Optional.empty();
    }
    config.checkImageSize(height, width);
    targetNetworks.forEach(network -> network.unet().config().checkImageSize(height, width));
    GraphKey key = new GraphKey(height, width, loss, UnetGraph.Mode.trainingOf(config));
    Optional<GraphKey> predictionKey =
        config.selfConditions()
            ? Optional.of(new GraphKey(height, width, null, UnetGraph.Mode.INFERENCE))
            : Optional.empty();
    DeviceTraining training =
        new DeviceTraining(
            device.get().device(),
            parameters,
            device.get().weights(),
            new DeviceTraining.Executors(
                wholeBatchExecutor(key), predictionKey.map(this::wholeBatchExecutor)),
            targetNetworks,
            config.classEmbeddings() > 0,
            optimizer,
            furtherEmas);
    try {
      for (DeviceName helper : execution.helpers()) {
        PlanBackend.OnDevice other = device.get().on(helper);
        training.addHelper(
            other,
            new DeviceTraining.Executors(
                executor(other, key), predictionKey.map(of -> executor(other, of))));
      }
      return Optional.of(training);
    } catch (RuntimeException e) {
      training.close();
      throw e;
    }
  }

  /** What says this network's answers on another's device, by weights that lie there. */
  WholeBatchExecutor answering(Device on, DeviceWeights weights, int height, int width) {
    GraphKey key = new GraphKey(height, width, null, UnetGraph.Mode.INFERENCE);
    return new WholeBatchExecutor(
        graph(key, FusedLayers::new),
        config,
        height,
        width,
        parameters,
        weights,
        on,
        execution.precision(),
        this::run);
  }

  private WholeBatchExecutor wholeBatchExecutor(GraphKey key) {
    return (WholeBatchExecutor) executors.keep(key, () -> build(key));
  }

  private WholeBatchExecutor executor(PlanBackend.OnDevice other, GraphKey key) {
    return other.executor(graph(key, FusedLayers::new), key.height(), key.width(), this::run);
  }

  /** Works with the graph for images and a loss, which is not closed meanwhile. */
  private <T> T using(UnetInput input, ImageLoss loss, Function<UnetExecutor, T> work) {
    life.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException(
            "The network is closed; use it before it is closed, or read it anew.");
      }
      INDArray x = input.x();
      UnetGraph.Mode mode =
          input.dropout() == null ? UnetGraph.Mode.INFERENCE : UnetGraph.Mode.trainingOf(config);
      GraphKey key = new GraphKey((int) x.size(2), (int) x.size(3), loss, mode);
      return executors.use(key, () -> build(key), work);
    } finally {
      life.readLock().unlock();
    }
  }

  private UnetExecutor build(GraphKey key) {
    boolean fused = backend != null;
    Function<SameDiff, Layers> layers =
        fused ? FusedLayers::new : graph -> new ReferenceLayers(graph, dataType());
    // Graphs have constants.
    return OutsideWorkspaces.make(
        () -> {
          UnetGraph graph = graph(key, layers);
          return fused
              ? backend.executor(graph, key.height(), key.width(), this::run)
              : new SessionExecutor(graph, parameters);
        });
  }

  private UnetGraph graph(GraphKey key, Function<SameDiff, Layers> layers) {
    int height = key.height();
    int width = key.width();
    if (key.loss() instanceof BoundLoss bound) {
      return UnetGraph.withBound(config, height, width, bound, key.mode());
    }
    if (key.loss() instanceof LossFunction loss) {
      return UnetGraph.withLoss(config, height, width, dataType(), loss, layers, key.mode());
    }
    return key.loss() == null
        ? UnetGraph.forward(config, height, width, dataType(), layers, key.mode())
        : UnetGraph.withInnerProduct(config, height, width, dataType(), layers, key.mode());
  }

  private INDArray cast(INDArray array) {
    return array.dataType() == dataType() ? array : array.castTo(dataType());
  }

  private UnetInput cast(UnetInput input) {
    INDArray labels = input.labels();
    return new UnetInput(
        cast(input.x()),
        cast(input.t()),
        labels == null ? null : cast(labels),
        config.dropout() > 0 ? input.dropout() : null);
  }

  private void checkInput(UnetInput input) {
    INDArray x = input.x();
    INDArray t = input.t();
    if (x.rank() != 4 || x.size(0) < 1 || x.size(1) != config.inChannels()) {
      throw new IllegalArgumentException(
          Text.format(
              "The images have the shape %s where this U-Net takes [N,%d,H,W] with N at least 1.",
              Arrays.toString(x.shape()), config.inChannels()));
    }
    config.checkImageSize((int) x.size(2), (int) x.size(3));
    if (t.rank() != 1 || t.length() != x.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "The timesteps have the shape %s where %d image(s) would need [%d].",
              Arrays.toString(t.shape()), x.size(0), x.size(0)));
    }
    checkLabels(x, input.labels());
  }

  private void checkLabels(INDArray x, INDArray labels) {
    int count = config.classEmbeddings();
    if (count == 0) {
      if (labels != null) {
        throw new IllegalArgumentException(
            "The images have labels, but this U-Net knows no classes; leave the labels out.");
      }
      return;
    }
    if (labels == null) {
      throw new IllegalArgumentException(
          Text.format(
              "The images have no labels, but this U-Net has a class embedding of %d row(s); give each image a label from 0 to %d.",
              count, count - 1));
    }
    if (labels.rank() != 1 || labels.length() != x.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "The labels have the shape %s where %d image(s) would need [%d].",
              Arrays.toString(labels.shape()), x.size(0), x.size(0)));
    }
    for (long n = 0; n < labels.length(); n++) {
      double label = labels.getDouble(n);
      if (!(label >= 0 && label < count && label == Math.rint(label))) {
        throw new IllegalArgumentException(
            Text.format(
                "Image %d has the label %s where the class embedding of this U-Net has %d row(s); labels are whole numbers from 0 to %d.",
                n, label, count, count - 1));
      }
    }
  }

  private static void checkWeights(INDArray x, INDArray weights) {
    if (weights.rank() != 1 || weights.length() != x.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "The weights have the shape %s where %d image(s) would need [%d].",
              Arrays.toString(weights.shape()), x.size(0), x.size(0)));
    }
    for (long n = 0; n < weights.length(); n++) {
      if (!Double.isFinite(weights.getDouble(n))) {
        throw new IllegalArgumentException(
            Text.format(
                "The weight of image %d is %s; weights are finite numbers.",
                n, weights.getDouble(n)));
      }
    }
  }

  private static void checkShape(String what, INDArray array, long[] expected) {
    if (!Arrays.equals(array.shape(), expected)) {
      throw new IllegalArgumentException(
          Text.format(
              "The bound's %s has the shape %s where it takes %s.",
              what, Arrays.toString(array.shape()), Arrays.toString(expected)));
    }
  }

  private static void checkTarget(UnetExecutor executor, UnetInput input, INDArray target) {
    long[] expected = executor.graph().outputShape(input.x().size(0));
    if (!Arrays.equals(target.shape(), expected)) {
      throw new IllegalArgumentException(
          Text.format(
              "The target has the shape %s where the network's output has %s.",
              Arrays.toString(target.shape()), Arrays.toString(expected)));
    }
  }

  /**
   * Gives back the memory outside the Java heap and ends the threads. Waits for calls that other
   * threads are in; their next ones, and all later ones, are refused with an {@link
   * IllegalStateException}. The parameters stay readable. Closing once more does nothing.
   */
  @Override
  public void close() {
    life.writeLock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      executors.close();
      if (backend != null) {
        backend.close();
      }
    } finally {
      life.writeLock().unlock();
    }
  }
}
