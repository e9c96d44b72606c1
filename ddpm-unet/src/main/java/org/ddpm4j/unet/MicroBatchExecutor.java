package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import org.ddpm4j.kernels.cpu.CpuDevice;
import org.ddpm4j.kernels.cpu.Workers;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.unet.layers.Parameter;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a U-Net's graph by compiled plans: a batch is cut into micro-batches whose arrays stay in
 * the cache, and each thread runs a single-threaded plan over some of them. Threads that find none,
 * at the beginning or the end, help the others.
 *
 * <p>How a batch is cut for gradients depends on the batch alone, and sums are formed in a fixed
 * order, so that results do not depend on the number of threads.
 */
final class MicroBatchExecutor implements UnetExecutor {

  /** Pixels of a micro-batch: its arrays should stay in the cache. */
  private static final int MICRO_BATCH_PIXELS = 8 * 1024;

  private static final int LARGEST_MICRO_BATCH = 16;

  /** Of gradients that wait for those before them, however many threads there are. */
  private static final long SPARE_BYTES = 1L << 28;

  private final UnetGraph graph;
  private final Parameters parameters;
  private final PlanWeights weights;
  private final CpuDevice device;
  private final Workers workers;
  private final Precision precision;
  private final Consumer<GraphPlan> planRunner;
  private final int height;
  private final int width;
  private final BoundedPool<Runner> outputRunners;
  private final BoundedPool<Runner> lossRunners;
  private final Queue<GradientRunner> gradientRunners = new ConcurrentLinkedQueue<>();
  private final SpareBlocks spareBlocks;

  MicroBatchExecutor(
      UnetGraph graph,
      int height,
      int width,
      Parameters parameters,
      PlanWeights weights,
      CpuDevice device,
      Precision precision,
      Consumer<GraphPlan> planRunner) {
    this.graph = graph;
    this.parameters = parameters;
    this.weights = weights;
    this.device = device;
    this.workers = device.workers();
    this.precision = precision;
    this.planRunner = planRunner;
    this.height = height;
    this.width = width;
    outputRunners = runners(UnetGraph.OUTPUT);
    lossRunners = runners(UnetGraph.LOSSES);
    spareBlocks = new SpareBlocks(spareBlocks(parameters, workers.threads()));
  }

  /** A whole gradient for each thread that others may be ahead of. */
  private static int spareBlocks(Parameters parameters, int threads) {
    long ofGradient = 0;
    for (Parameter declaration : parameters.declarations()) {
      ofGradient += SpareBlocks.blocks(declaration.length());
    }
    long fitting = SPARE_BYTES / (SpareBlocks.BLOCK * Float.BYTES);
    return (int) Math.min((threads - 1) * ofGradient, fitting);
  }

  /** However many threads call: more at once than there are workers would not be done sooner. */
  private BoundedPool<Runner> runners(String output) {
    return new BoundedPool<>(
        workers.threads(), () -> new Runner(graph.sameDiff(), output), Runner::close);
  }

  /** Plans for one thread at a time, one for each size of micro-batch. */
  private class Runner implements AutoCloseable {

    private final SameDiff function;
    private final String output;
    private final Map<Integer, GraphPlan> plans = new HashMap<>();
    private long version = -1;

    Runner(SameDiff function, String output) {
      this.function = function;
      this.output = output;
    }

    /** Which values of the graph are taken as soon as they are made, and by what. */
    Map<String, Function<Tensor, Kernel>> takers() {
      return Map.of();
    }

    /** The plan for some of a batch's images, with these as its inputs. */
    GraphPlan plan(Map<String, HostBatch> batches, int first, int images) {
      if (version != weights.version()) {
        plans.values().forEach(GraphPlan::parametersChanged);
        version = weights.version();
      }
      GraphPlan plan = plans.computeIfAbsent(images, size -> compile(batches, size));
      batches.forEach(
          (name, batch) -> {
            plan.setInput(name, batch.values(), first * batch.perImage());
            batch.keepOwner();
          });
      return plan;
    }

    private GraphPlan compile(Map<String, HostBatch> batches, int images) {
      Map<String, long[]> inputs = new HashMap<>();
      batches.forEach((name, batch) -> inputs.put(name, batch.shape(images)));
      Map<String, Function<Tensor, Kernel>> takers = takers();
      if (!takers.isEmpty()) {
        inputs.put(UnetGraph.LOSS_GRADIENT, new long[0]);
      }
      Set<String> stationary = new HashSet<>();
      if (output.equals(UnetGraph.OUTPUT)) {
        // In sampling all images of many batches are at one timestep.
        stationary.addAll(List.of(UnetGraph.T, UnetGraph.LABELS));
        stationary.retainAll(inputs.keySet());
      }
      return GraphPlan.compile(
          new PlanRequest(
              function,
              inputs,
              stationary,
              weights.tensors(),
              List.of(output),
              Map.of(),
              takers,
              precision),
          device,
          weights.packed());
    }

    @Override
    public void close() {
      plans.values().forEach(GraphPlan::close);
    }
  }

  /** Plans whose gradients of parameters are added as soon as they are made. */
  private final class GradientRunner extends Runner {

    private OrderedSum.Adder adder;
    private int number;

    private GradientRunner() {
      super(graph.gradientFunction(), UnetGraph.LOSSES);
    }

    @Override
    Map<String, Function<Tensor, Kernel>> takers() {
      Map<String, Function<Tensor, Kernel>> takers = new HashMap<>();
      Map<String, String> gradients = graph.gradientNames();
      List<Parameter> declarations = parameters.declarations();
      for (int i = 0; i < declarations.size(); i++) {
        String gradient = gradients.get(declarations.get(i).name());
        if (gradient != null) {
          int parameter = i;
          takers.put(gradient, made -> adding(parameter, CpuDevice.buffer(made)));
        }
      }
      return takers;
    }

    private Kernel adding(int parameter, FloatBuffer gradient) {
      return () -> adder.add(parameter, number, gradient);
    }

    /** Micro-batches, as long as there are any that nobody has begun. */
    void addTo(
        OrderedSum total, MicroBatches cut, Map<String, HostBatch> batches, double[] losses) {
      adder = total.new Adder();
      for (number = total.begin(); number >= 0; number = total.begin()) {
        int first = cut.first(number);
        GraphPlan plan = plan(batches, first, cut.size(number));
        float[] share = {(float) cut.size(number) / cut.images()};
        plan.setInput(UnetGraph.LOSS_GRADIENT, FloatBuffer.wrap(share), 0);
        planRunner.accept(plan);
        takeLosses(plan, losses, first);
      }
      workers.helpUntil(adder::addsReady);
      adder.finish();
    }
  }

  @Override
  public UnetGraph graph() {
    return graph;
  }

  @Override
  public INDArray output(UnetInput input) {
    int images = (int) input.x().size(0);
    INDArray y = Nd4j.createUninitialized(DataType.FLOAT, graph.outputShape(images));
    Map<String, HostBatch> batches = HostBatch.of(input);
    HostBatch ys = HostBatch.of(y);
    forEachMicroBatch(
        outputRunners,
        batches,
        images,
        (plan, first) -> plan.getOutput(UnetGraph.OUTPUT, ys.values(), first * ys.perImage()));
    ys.keepOwner();
    return y;
  }

  /** Takes what a plan has found. */
  private interface Taker {
    void take(GraphPlan plan, int first);
  }

  /**
   * Runs plans over all images of a batch, on all threads; what they find does not depend on the
   * cut.
   */
  private void forEachMicroBatch(
      BoundedPool<Runner> runners, Map<String, HostBatch> batches, int images, Taker taker) {
    int share = (images + workers.threads() - 1) / workers.threads();
    int microBatch = Math.min(share, largestMicroBatch());
    weights.withCurrent(
        () -> {
          workers.forEachWithHelp(
              (images + microBatch - 1) / microBatch,
              i -> {
                int first = i * microBatch;
                int size = Math.min(microBatch, images - first);
                runners.use(
                    runner -> {
                      GraphPlan plan = runner.plan(batches, first, size);
                      planRunner.accept(plan);
                      taker.take(plan, first);
                    });
              });
          return null;
        });
  }

  /** Of a network whose answers are larger than its images, it is they that have to fit. */
  private int largestMicroBatch() {
    long[] answer = graph.outputShape(1);
    int pixels = Math.max(height * width, Math.toIntExact(answer[2] * answer[3]));
    int fitting = Math.max(1, MICRO_BATCH_PIXELS / pixels);
    return Math.min(LARGEST_MICRO_BATCH, Integer.highestOneBit(fitting));
  }

  @Override
  public double[] losses(UnetInput input, Map<String, INDArray> wanted) {
    int images = (int) input.x().size(0);
    Map<String, HostBatch> batches = HostBatch.of(input, wanted);
    double[] losses = new double[images];
    forEachMicroBatch(
        lossRunners, batches, images, (plan, first) -> takeLosses(plan, losses, first));
    return losses;
  }

  private static void takeLosses(GraphPlan plan, double[] losses, int first) {
    FloatBuffer found = FloatBuffer.allocate(plan.output(UnetGraph.LOSSES).length());
    plan.getOutput(UnetGraph.LOSSES, found, 0);
    for (int n = 0; n < found.limit(); n++) {
      losses[first + n] = found.get(n);
    }
  }

  /** The gradients of micro-batches are added in their order, parameter by parameter. */
  @Override
  public synchronized double[] gradients(
      UnetInput input, Map<String, INDArray> wanted, INDArray weighting, Parameters gradient) {
    int images = (int) input.x().size(0);
    Map<String, HostBatch> batches = HostBatch.of(input, wanted);
    batches.put(
        UnetGraph.WEIGHTS, weighting == null ? HostBatch.ones(images) : HostBatch.of(weighting));
    MicroBatches cut = MicroBatches.of(images, largestMicroBatch());
    double[] losses = new double[images];
    // The first caller must find the names of the gradients.
    graph.gradientFunction();
    OrderedSum total = new OrderedSum(totals(gradient), cut.count(), spareBlocks);
    Queue<GradientRunner> used = new ConcurrentLinkedQueue<>();
    boolean done = false;
    try {
      weights.withChanged(
          () -> {
            workers.forEachWithHelp(
                Math.min(workers.threads(), cut.count()),
                thread -> {
                  GradientRunner runner = gradientRunner();
                  used.add(runner);
                  try {
                    runner.addTo(total, cut, batches, losses);
                  } catch (RuntimeException | Error e) {
                    total.fail();
                    throw e;
                  }
                });
            return null;
          });
      done = true;
    } finally {
      // Not before all threads have ended.
      if (done) {
        gradientRunners.addAll(used);
      } else {
        used.forEach(Runner::close);
        spareBlocks.close();
      }
    }
    Reference.reachabilityFence(gradient);
    return losses;
  }

  /** Where the gradient of each parameter is; zero where there is none. */
  private List<FloatBuffer> totals(Parameters gradient) {
    FloatBuffer flat = Contiguous.buffer(gradient.flat());
    List<FloatBuffer> totals = new ArrayList<>();
    int offset = 0;
    for (Parameter declaration : parameters.declarations()) {
      int length = Math.toIntExact(declaration.length());
      FloatBuffer total = flat.slice(offset, length);
      if (!graph.gradientNames().containsKey(declaration.name())) {
        total.put(0, new float[length]);
      }
      totals.add(total);
      offset += length;
    }
    return totals;
  }

  private GradientRunner gradientRunner() {
    GradientRunner runner = gradientRunners.poll();
    return runner == null ? new GradientRunner() : runner;
  }

  @Override
  public void close() {
    outputRunners.close();
    lossRunners.close();
    gradientRunners.forEach(Runner::close);
    spareBlocks.close();
  }
}
