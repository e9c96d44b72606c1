package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.DeviceMemory;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;
import org.ddpm4j.unet.layers.Parameter;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The training of a U-Net where its weights, gradient, AdamW's moments and moving average live on a
 * device, and whole steps run there. The host's parameters are those of the beginning until {@link
 * #bringHome}.
 *
 * <p>Further devices may help: each computes the gradient of neighbouring images of the batch, with
 * weights of its own. Gradients are added up in the order of the devices, so that the result
 * depends on their number and not on which they are.
 *
 * <p>One thread at a time may use it, and nobody may use the network meanwhile.
 */
public final class DeviceTraining implements AutoCloseable {

  private final Device device;
  private final Parameters parameters;
  private final DeviceWeights weights;
  private final Executors executors;
  private final List<TargetNetwork> targetNetworks;
  private final AnsweringNetworks answering;
  private final TrainingRequest.Optimizer optimizer;
  private final boolean withLabels;
  private final List<Helper> helpers = new ArrayList<>();
  private final List<DeviceMemory> memory = new ArrayList<>();
  private final Tensor gradient;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Tensor ema;
  private final List<Tensor> furtherEmas = new ArrayList<>();
  private final Map<Integer, TrainingProgram> programs = new HashMap<>();
  private final List<GraphPlan> plans = new ArrayList<>();
  private TrainingProgram current;

  /**
   * What runs the network on one device.
   *
   * @param gradients of the loss
   * @param predictions before them, where the network conditions on its own estimate
   */
  record Executors(WholeBatchExecutor gradients, Optional<WholeBatchExecutor> predictions)
      implements AutoCloseable {

    @Override
    public void close() {
      gradients.close();
      predictions.ifPresent(WholeBatchExecutor::close);
    }
  }

  /** Another device with the same network. */
  private record Helper(
      PlanBackend.OnDevice backend,
      Executors executors,
      AnsweringNetworks answering,
      DeviceMemory memory,
      Tensor gradient)
      implements AutoCloseable {

    static Helper of(
        PlanBackend.OnDevice backend,
        Executors executors,
        List<TargetNetwork> targetNetworks,
        long parameters) {
      DeviceMemory memory = backend.device().allocate(parameters * Float.BYTES);
      return new Helper(
          backend,
          executors,
          executors.gradients().answering(targetNetworks, List.of()),
          memory,
          Tensor.dense(memory.address(), parameters));
    }

    @Override
    public void close() {
      answering.close();
      executors.close();
      memory.close();
      backend.close();
    }
  }

  DeviceTraining(
      Device device,
      Parameters parameters,
      DeviceWeights weights,
      Executors executors,
      List<TargetNetwork> targetNetworks,
      boolean withLabels,
      TrainingRequest.Optimizer optimizer,
      int furtherAverages) {
    this.device = device;
    this.parameters = parameters;
    this.weights = weights;
    this.executors = executors;
    this.targetNetworks = List.copyOf(targetNetworks);
    this.withLabels = withLabels;
    this.optimizer = optimizer;
    gradient = buffer();
    firstMoment = buffer();
    secondMoment = buffer();
    ema = buffer();
    for (int i = 0; i < furtherAverages; i++) {
      furtherEmas.add(buffer());
    }
    answering = executors.gradients().answering(targetNetworks, furtherEmas);
  }

  /** Lets a device help from the next step on; it is closed with this. */
  void addHelper(PlanBackend.OnDevice backend, Executors helping) {
    try {
      helpers.add(Helper.of(backend, helping, targetNetworks, parameters.count()));
    } catch (RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  /**
   * The devices that take part.
   *
   * @return at least one, in the order of their images
   */
  public List<Device> devices() {
    List<Device> devices = new ArrayList<>(List.of(device));
    helpers.forEach(helper -> devices.add(helper.backend().device()));
    return List.copyOf(devices);
  }

  private Tensor buffer() {
    DeviceMemory block = device.allocate(parameters.count() * Float.BYTES);
    memory.add(block);
    return Tensor.dense(block.address(), parameters.count());
  }

  /**
   * Brings the state of a training to the device.
   *
   * @param average the moving average of the weights
   * @param first AdamW's first moment
   * @param second AdamW's second moment
   * @param further moving averages of other decays, as many as the training has
   */
  public void begin(
      Parameters average, Parameters first, Parameters second, Collection<Parameters> further) {
    synchronized (device) {
      weights.upload();
      upload(average, ema);
      upload(first, firstMoment);
      upload(second, secondMoment);
      Iterator<Tensor> places = furtherEmas.iterator();
      further.forEach(values -> upload(values, places.next()));
      answering.upload();
      device.zero(gradient);
      for (Helper helper : helpers) {
        helper.backend().weights().upload();
        helper.answering().upload();
        helper.backend().device().zero(helper.gradient());
      }
    }
  }

  private void upload(Parameters from, Tensor to) {
    INDArray values = from.values();
    device.upload(Contiguous.buffer(values), to);
    Reference.reachabilityFence(values);
  }

  /**
   * Starts a step, which goes on while the caller does something else.
   *
   * @param step what to do
   * @see TrainingProgram#begin
   */
  public void begin(TrainingProgram.Step step) {
    synchronized (device) {
      current = programs.computeIfAbsent(step.timesteps().length, this::program);
      current.begin(step);
    }
  }

  private TrainingProgram program(int images) {
    // The first has images in any case.
    int shards = Math.min(images, 1 + helpers.size());
    int first = images / shards;
    List<TrainingRequest.Helper> others = new ArrayList<>();
    for (int i = 1; i <= helpers.size(); i++) {
      // Behind the last shard are no images.
      int size = i < shards ? images * (i + 1) / shards - images * i / shards : 0;
      others.add(request(helpers.get(i - 1), size));
    }
    UnetGraph graph = executors.gradients().graph();
    TrainingRequest.Names names =
        new TrainingRequest.Names(
            UnetGraph.X,
            UnetGraph.T,
            withLabels ? UnetGraph.LABELS : null,
            graph.hasDropout() ? UnetGraph.DROPOUT : null,
            UnetGraph.TARGET,
            graph.hasBound() ? UnetGraph.X0 : null,
            graph.hasBound() ? UnetGraph.COEFFICIENTS : null,
            UnetGraph.WEIGHTS,
            UnetGraph.LOSS_GRADIENT,
            UnetGraph.LOSSES,
            UnetGraph.OUTPUT);
    return device.training(
        new TrainingRequest(
            gradientPlan(executors, weights, gradient, first),
            predictionPlan(executors, weights, first),
            answering.plans(first, this::kept),
            weights.cache(),
            names,
            weights.flat(),
            gradient,
            firstMoment,
            secondMoment,
            ema,
            furtherEmas,
            fixed(),
            optimizer,
            others));
  }

  private List<TrainingRequest.Range> fixed() {
    List<TrainingRequest.Range> fixed = new ArrayList<>();
    long first = 0;
    for (Parameter parameter : parameters.declarations()) {
      long end = first + parameter.length();
      if (parameter.learning() == Parameter.Learning.FROZEN) {
        fixed.add(new TrainingRequest.Range(first, end));
      }
      first = end;
    }
    return fixed;
  }

  private TrainingRequest.Helper request(Helper helper, int images) {
    DeviceWeights own = helper.backend().weights();
    boolean hasImages = images > 0;
    return new TrainingRequest.Helper(
        helper.backend().device(),
        hasImages ? gradientPlan(helper.executors(), own, helper.gradient(), images) : null,
        hasImages ? predictionPlan(helper.executors(), own, images) : null,
        hasImages ? helper.answering().plans(images, this::kept) : List.of(),
        own.cache(),
        replicas(helper),
        helper.gradient());
  }

  private List<TrainingRequest.Replica> replicas(Helper helper) {
    List<TrainingRequest.Replica> replicas = new ArrayList<>();
    replicas.add(new TrainingRequest.Replica(weights.flat(), helper.backend().weights().flat()));
    replicas.addAll(helper.answering().replicas(furtherEmas));
    return replicas;
  }

  private GraphPlan gradientPlan(Executors running, DeviceWeights own, Tensor sum, int images) {
    return kept(running.gradients().trainingPlan(images, withLabels, own.tensors(), sum));
  }

  /** Null where nothing is predicted. */
  private GraphPlan predictionPlan(Executors running, DeviceWeights own, int images) {
    return running
        .predictions()
        .map(executor -> kept(executor.predictionPlan(images, withLabels, own.tensors())))
        .orElse(null);
  }

  private GraphPlan kept(GraphPlan plan) {
    plans.add(plan);
    return plan;
  }

  /**
   * Waits for the step that was begun last.
   *
   * @return what came out
   */
  public TrainingProgram.Outcome end() {
    synchronized (device) {
      return current.end();
    }
  }

  /**
   * Brings the state of the training to the host: the network's weights, and these.
   *
   * @param average receives the moving average of the weights
   * @param first receives AdamW's first moment
   * @param second receives AdamW's second moment
   * @param further receive the moving averages of other decays
   */
  public void bringHome(
      Parameters average, Parameters first, Parameters second, Collection<Parameters> further) {
    synchronized (device) {
      download(weights.flat(), parameters);
      download(ema, average);
      download(firstMoment, first);
      download(secondMoment, second);
      Iterator<Tensor> places = furtherEmas.iterator();
      further.forEach(values -> download(places.next(), values));
      weights.broughtHome();
    }
  }

  private void download(Tensor from, Parameters to) {
    INDArray values = to.flat();
    device.download(from, Contiguous.buffer(values));
    Reference.reachabilityFence(values);
  }

  /** Gives the device's memory back. */
  @Override
  public void close() {
    synchronized (device) {
      programs.values().forEach(TrainingProgram::close);
      programs.clear();
      plans.forEach(GraphPlan::close);
      plans.clear();
      answering.close();
      memory.forEach(DeviceMemory::close);
      memory.clear();
      helpers.forEach(Helper::close);
      helpers.clear();
    }
  }
}
