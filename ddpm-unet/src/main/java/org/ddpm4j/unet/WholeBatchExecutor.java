package org.ddpm4j.unet;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.unet.layers.Parameter;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a U-Net's graph on a device of its own, a GPU for instance: one plan for the whole batch.
 * Very large batches are cut, so that memory stays bounded. One thread at a time.
 */
final class WholeBatchExecutor implements UnetExecutor {

  /** Pixels of the largest plan: 1024 images of 32x32. */
  private static final int MOST_PIXELS = 1 << 20;

  private final UnetGraph graph;
  private final UnetConfig config;
  private final int height;
  private final int width;
  private final Parameters parameters;
  private final DeviceWeights weights;
  private final Device device;
  private final Precision precision;
  private final Consumer<GraphPlan> planRunner;
  private final Map<Key, GraphPlan> plans = new HashMap<>();
  private long plansVersion = -1;

  /** A plan's output, and its number of images. */
  private record Key(String output, boolean withGradient, int images) {}

  WholeBatchExecutor(
      UnetGraph graph,
      UnetConfig config,
      int height,
      int width,
      Parameters parameters,
      DeviceWeights weights,
      Device device,
      Precision precision,
      Consumer<GraphPlan> planRunner) {
    this.graph = graph;
    this.config = config;
    this.height = height;
    this.width = width;
    this.parameters = parameters;
    this.weights = weights;
    this.device = device;
    this.precision = precision;
    this.planRunner = planRunner;
  }

  @Override
  public UnetGraph graph() {
    return graph;
  }

  @Override
  public INDArray output(UnetInput input) {
    int images = (int) input.x().size(0);
    INDArray y = Nd4j.createUninitialized(DataType.FLOAT, graph.outputShape(images));
    HostBatch ys = HostBatch.of(y);
    Map<String, HostBatch> batches = HostBatch.of(input);
    synchronized (device) {
      weights.makeCurrent();
      forEachPart(
          images,
          (first, size) -> {
            GraphPlan plan = plan(new Key(UnetGraph.OUTPUT, false, size), batches, Map.of());
            run(plan, batches, first);
            plan.getOutput(UnetGraph.OUTPUT, ys.values(), first * ys.perImage());
          });
    }
    ys.keepOwner();
    return y;
  }

  private interface Part {
    void run(int first, int size);
  }

  private void forEachPart(int images, Part part) {
    long[] answer = graph.outputShape(1);
    long pixels = Math.max((long) height * width, answer[2] * answer[3]);
    int most = (int) Math.max(1, MOST_PIXELS / pixels);
    for (int first = 0; first < images; first += most) {
      part.run(first, Math.min(most, images - first));
    }
  }

  private void run(GraphPlan plan, Map<String, HostBatch> batches, int first) {
    batches.forEach(
        (name, batch) -> {
          plan.setInput(name, batch.values(), first * batch.perImage());
          batch.keepOwner();
        });
    planRunner.accept(plan);
  }

  private GraphPlan plan(Key key, Map<String, HostBatch> batches, Map<String, Tensor> sums) {
    if (plansVersion != weights.version()) {
      plans.values().forEach(GraphPlan::parametersChanged);
      plansVersion = weights.version();
    }
    GraphPlan existing = plans.get(key);
    if (existing == null) {
      Map<String, long[]> inputs = new HashMap<>();
      batches.forEach((name, batch) -> inputs.put(name, batch.shape(key.images())));
      existing = compile(key, inputs, sums, weights.tensors());
      plans.put(key, existing);
    }
    return existing;
  }

  private GraphPlan compile(
      Key key, Map<String, long[]> inputs, Map<String, Tensor> sums, Map<String, Tensor> tensors) {
    Set<String> stationary = new HashSet<>();
    if (key.output().equals(UnetGraph.OUTPUT)) {
      // In sampling all images of many batches are at one timestep.
      stationary.addAll(List.of(UnetGraph.T, UnetGraph.LABELS));
      stationary.retainAll(inputs.keySet());
    }
    if (key.withGradient()) {
      inputs.put(UnetGraph.LOSS_GRADIENT, new long[0]);
    }
    return GraphPlan.compile(
        new PlanRequest(
            key.withGradient() ? graph.gradientFunction() : graph.sameDiff(),
            inputs,
            stationary,
            tensors,
            List.of(key.output()),
            sums,
            precision),
        device,
        weights.cache());
  }

  @Override
  public double[] losses(UnetInput input, Map<String, INDArray> wanted) {
    int images = (int) input.x().size(0);
    Map<String, HostBatch> batches = HostBatch.of(input, wanted);
    double[] losses = new double[images];
    synchronized (device) {
      weights.makeCurrent();
      forEachPart(
          images,
          (first, size) -> {
            GraphPlan plan = plan(new Key(UnetGraph.LOSSES, false, size), batches, Map.of());
            run(plan, batches, first);
            takeLosses(plan, losses, first, size);
          });
    }
    return losses;
  }

  private static void takeLosses(GraphPlan plan, double[] losses, int first, int size) {
    FloatBuffer found = FloatBuffer.allocate(size);
    plan.getOutput(UnetGraph.LOSSES, found, 0);
    for (int n = 0; n < size; n++) {
      losses[first + n] = found.get(n);
    }
  }

  @Override
  public double[] gradients(
      UnetInput input, Map<String, INDArray> wanted, INDArray weighting, Parameters gradient) {
    int images = (int) input.x().size(0);
    Map<String, HostBatch> batches = HostBatch.of(input, wanted);
    batches.put(
        UnetGraph.WEIGHTS, weighting == null ? HostBatch.ones(images) : HostBatch.of(weighting));
    double[] losses = new double[images];
    synchronized (device) {
      weights.makeCurrent();
      Tensor sum = weights.zeroedGradient();
      Map<String, Tensor> sums = gradientTensors(graph, parameters, sum);
      forEachPart(
          images,
          (first, size) -> {
            GraphPlan plan = plan(new Key(UnetGraph.LOSSES, true, size), batches, sums);
            float share = (float) size / images;
            plan.setInput(UnetGraph.LOSS_GRADIENT, FloatBuffer.wrap(new float[] {share}), 0);
            run(plan, batches, first);
            takeLosses(plan, losses, first, size);
          });
      device.download(sum, HostBatch.of(gradient.flat()).values());
    }
    return losses;
  }

  /** The graph's gradients of the parameters, inside a flat buffer. */
  static Map<String, Tensor> gradientTensors(UnetGraph graph, Parameters layout, Tensor flat) {
    graph.gradientFunction();
    Map<String, Tensor> byParameter = parts(layout, flat);
    Map<String, Tensor> byGradient = new LinkedHashMap<>();
    graph.gradientNames().forEach((name, g) -> byGradient.put(g, byParameter.get(name)));
    return byGradient;
  }

  /** A tensor for each parameter inside a flat buffer. */
  static Map<String, Tensor> parts(Parameters layout, Tensor flat) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    long offset = 0;
    for (Parameter declaration : layout.declarations()) {
      tensors.put(declaration.name(), flat.part(offset, declaration.shape()));
      offset += declaration.length();
    }
    return tensors;
  }

  /**
   * A plan for whole steps of training over buffers of the caller's.
   *
   * @param tensors the parameters
   * @param gradient where gradients are added
   */
  GraphPlan trainingPlan(
      int images, boolean withLabels, Map<String, Tensor> tensors, Tensor gradient) {
    Map<String, long[]> inputs = givenShapes(images, withLabels);
    inputs.putAll(graph.wantedShapes(images));
    inputs.put(UnetGraph.WEIGHTS, new long[] {images});
    if (graph.hasDropout()) {
      inputs.put(UnetGraph.DROPOUT, new long[] {images, BatchKey.PIECES});
    }
    return compile(
        new Key(UnetGraph.LOSSES, true, images),
        inputs,
        gradientTensors(graph, parameters, gradient),
        tensors);
  }

  /**
   * A plan that says what the network answers in such steps.
   *
   * @param tensors the parameters
   */
  GraphPlan predictionPlan(int images, boolean withLabels, Map<String, Tensor> tensors) {
    return compile(
        new Key(UnetGraph.OUTPUT, false, images),
        givenShapes(images, withLabels),
        Map.of(),
        tensors);
  }

  /**
   * Networks that make the target of such steps.
   *
   * @param averages the further moving averages of the training, where they are on this device
   */
  AnsweringNetworks answering(List<TargetNetwork> order, List<Tensor> averages) {
    return new AnsweringNetworks(order, device, height, width, averages);
  }

  /** What the network is given. */
  private Map<String, long[]> givenShapes(int images, boolean withLabels) {
    Map<String, long[]> inputs = new HashMap<>();
    inputs.put(UnetGraph.X, new long[] {images, config.inChannels(), height, width});
    inputs.put(UnetGraph.T, new long[] {images});
    if (withLabels) {
      inputs.put(UnetGraph.LABELS, new long[] {images});
    }
    return inputs;
  }

  @Override
  public void close() {
    synchronized (device) {
      plans.values().forEach(GraphPlan::close);
      plans.clear();
    }
  }

  @Override
  public String toString() {
    return Text.format(
        "%s on %s, plans of %s", config, device.name(), Arrays.toString(plans.keySet().toArray()));
  }
}
