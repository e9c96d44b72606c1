package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.ddpm4j.kernels.cpu.CpuDevice;
import org.ddpm4j.kernels.cpu.FloatMemory;
import org.ddpm4j.kernels.cpu.Workers;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.PlanRequest;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a U-Net's graph by compiled plans: a batch is cut into micro-batches whose arrays stay in
 * the cache, and each thread runs a single-threaded plan over some of them.
 *
 * <p>How a batch is cut for gradients depends on the batch alone, and sums are formed in a fixed
 * order, so that results do not depend on the number of threads.
 */
final class MicroBatchExecutor implements UnetExecutor {

  /** Pixels of a micro-batch: its arrays should stay in the cache. */
  private static final int MICRO_BATCH_PIXELS = 8 * 1024;

  private static final int LARGEST_MICRO_BATCH = 16;

  /** How many parts of a batch have gradients of their own at most: each must be added. */
  private static final int MOST_PARTS = 32;

  /** Of sums that wait for those in front of them, however many threads there are. */
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
  private final SpareSums spareSums;

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
    long fitting = SPARE_BYTES / (parameters.count() * Float.BYTES);
    spareSums = new SpareSums(parameters.count(), (int) Math.min(workers.threads() - 1, fitting));
  }

  /**
   * How a batch is cut, which depends on the batch alone.
   *
   * @param images of the batch
   * @param microBatch images of a micro-batch; the last may have fewer
   * @param count the parts, each of one or more micro-batches
   */
  private record Parts(int images, int microBatch, int count) {

    /** A range of images. */
    private interface MicroBatch {
      void accept(int first, int size);
    }

    static Parts of(int images, int microBatch) {
      return new Parts(images, microBatch, Math.min(MOST_PARTS, microBatches(images, microBatch)));
    }

    private static int microBatches(int images, int microBatch) {
      return (images + microBatch - 1) / microBatch;
    }

    void forEachMicroBatch(int part, MicroBatch work) {
      int microBatches = microBatches(images, microBatch);
      int end = (part + 1) * microBatches / count;
      for (int i = part * microBatches / count; i < end; i++) {
        int first = i * microBatch;
        work.accept(first, Math.min(microBatch, images - first));
      }
    }
  }

  /** Memory for sums that wait, made when it is first needed. */
  private static final class SpareSums implements OrderedSum.SpareBuffers {

    private final long length;
    private final int most;
    private final List<FloatMemory> made = new ArrayList<>();
    private final Deque<FloatBuffer> idle = new ArrayDeque<>();

    SpareSums(long length, int most) {
      this.length = length;
      this.most = most;
    }

    @Override
    public synchronized FloatBuffer poll() {
      if (idle.isEmpty() && made.size() < most) {
        FloatMemory memory = new FloatMemory(length);
        made.add(memory);
        idle.add(memory.buffer());
      }
      return idle.poll();
    }

    @Override
    public synchronized void giveBack(FloatBuffer buffer) {
      idle.add(buffer);
    }

    synchronized void close() {
      idle.clear();
      made.forEach(FloatMemory::close);
      made.clear();
    }
  }

  /** However many threads call: more at once than there are workers would not be done sooner. */
  private BoundedPool<Runner> runners(String output) {
    return new BoundedPool<>(
        workers.threads(),
        () -> new Runner(graph.sameDiff(), List.of(output), Map.of()),
        Runner::close);
  }

  /** Plans for one thread at a time, one for each size of micro-batch. */
  private class Runner implements AutoCloseable {

    private final SameDiff function;
    private final List<String> outputs;
    private final Map<String, Tensor> sums;
    private final Map<Integer, GraphPlan> plans = new HashMap<>();
    private long version = -1;

    Runner(SameDiff function, List<String> outputs, Map<String, Tensor> sums) {
      this.function = function;
      this.outputs = outputs;
      this.sums = sums;
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
      if (!sums.isEmpty()) {
        inputs.put(UnetGraph.LOSS_GRADIENT, new long[0]);
      }
      Set<String> stationary = new HashSet<>();
      if (outputs.contains(UnetGraph.OUTPUT)) {
        // In sampling all images of many batches are at one timestep.
        stationary.addAll(List.of(UnetGraph.T, UnetGraph.LABELS));
        stationary.retainAll(inputs.keySet());
      }
      return GraphPlan.compile(
          new PlanRequest(
              function, inputs, stationary, weights.tensors(), outputs, sums, precision),
          device,
          weights.packed());
    }

    @Override
    public void close() {
      plans.values().forEach(GraphPlan::close);
    }
  }

  /** Plans that add gradients to a sum of their own. */
  private final class GradientRunner extends Runner {

    private final FloatMemory sum;
    private final FloatBuffer values;

    private GradientRunner(FloatMemory sum) {
      super(
          graph.gradientFunction(),
          List.of(UnetGraph.LOSSES),
          WholeBatchExecutor.gradientTensors(
              graph, parameters, Tensor.dense(sum.address(), parameters.count())));
      this.sum = sum;
      this.values = sum.buffer();
    }

    /** Makes the sum that of one part of a batch. */
    void sumPart(Parts parts, int part, Map<String, HostBatch> batches, double[] losses) {
      sum.clear();
      parts.forEachMicroBatch(
          part,
          (first, size) -> {
            GraphPlan plan = plan(batches, first, size);
            float share = (float) size / parts.images();
            plan.setInput(UnetGraph.LOSS_GRADIENT, FloatBuffer.wrap(new float[] {share}), 0);
            planRunner.accept(plan);
            takeLosses(plan, losses, first);
          });
    }

    @Override
    public void close() {
      super.close();
      sum.close();
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
    int share = (images + workers.threads() - 1) / workers.threads();
    int microBatch = Math.min(share, microBatch());
    forEachMicroBatch(
        outputRunners,
        batches,
        images,
        microBatch,
        (plan, first) -> plan.getOutput(UnetGraph.OUTPUT, ys.values(), first * ys.perImage()));
    ys.keepOwner();
    return y;
  }

  /** Takes what a plan has found. */
  private interface Taker {
    void take(GraphPlan plan, int first);
  }

  /** Runs plans over all images of a batch, on all threads. */
  private void forEachMicroBatch(
      BoundedPool<Runner> runners,
      Map<String, HostBatch> batches,
      int images,
      int microBatch,
      Taker taker) {
    weights.withCurrent(
        () -> {
          workers.forEach(
              Parts.microBatches(images, microBatch),
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
  private int microBatch() {
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
        lossRunners,
        batches,
        images,
        microBatch(),
        (plan, first) -> takeLosses(plan, losses, first));
    return losses;
  }

  private static void takeLosses(GraphPlan plan, double[] losses, int first) {
    FloatBuffer found = FloatBuffer.allocate(plan.output(UnetGraph.LOSSES).length());
    plan.getOutput(UnetGraph.LOSSES, found, 0);
    for (int n = 0; n < found.limit(); n++) {
      losses[first + n] = found.get(n);
    }
  }

  /** Each micro-batch belongs to a part; the sums of parts are added in the order of the parts. */
  @Override
  public synchronized double[] gradients(
      UnetInput input, Map<String, INDArray> wanted, INDArray weighting, Parameters gradient) {
    int images = (int) input.x().size(0);
    Map<String, HostBatch> batches = HostBatch.of(input, wanted);
    batches.put(
        UnetGraph.WEIGHTS, weighting == null ? HostBatch.ones(images) : HostBatch.of(weighting));
    Parts parts = Parts.of(images, microBatch());
    double[] losses = new double[images];
    OrderedSum total = new OrderedSum(Contiguous.buffer(gradient.flat()), parts.count(), spareSums);
    // The first caller must find the names of the gradients.
    graph.gradientFunction();
    Queue<GradientRunner> used = new ConcurrentLinkedQueue<>();
    boolean done = false;
    try {
      weights.withChanged(
          () -> {
            workers.forEach(
                Math.min(workers.threads(), parts.count()),
                worker -> {
                  try {
                    addParts(parts, batches, losses, total, used);
                  } catch (RuntimeException | Error e) {
                    total.fail();
                    throw e;
                  }
                });
            return null;
          });
      done = true;
    } finally {
      // Not before all threads have ended, which read each other's sums.
      if (done) {
        gradientRunners.addAll(used);
      } else {
        used.forEach(Runner::close);
        spareSums.close();
      }
    }
    Reference.reachabilityFence(gradient);
    return losses;
  }

  /** What one thread does: parts as long as there are any, and its share of their sum. */
  private void addParts(
      Parts parts,
      Map<String, HostBatch> batches,
      double[] losses,
      OrderedSum total,
      Queue<GradientRunner> used) {
    int part = total.begin();
    if (part >= 0) {
      GradientRunner runner = gradientRunner();
      used.add(runner);
      for (; part >= 0; part = total.begin()) {
        runner.sumPart(parts, part, batches, losses);
        total.add(part, runner.values);
      }
    }
    total.finish();
  }

  private GradientRunner gradientRunner() {
    GradientRunner runner = gradientRunners.poll();
    return runner == null ? new GradientRunner(new FloatMemory(parameters.count())) : runner;
  }

  @Override
  public void close() {
    outputRunners.close();
    lossRunners.close();
    gradientRunners.forEach(Runner::close);
    spareSums.close();
  }
}
