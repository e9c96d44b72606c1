package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.GraphPlan;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.PlanRequest;
import org.ddpm4j.kernels.Precision;
import org.ddpm4j.kernels.SingleExecution;
import org.ddpm4j.kernels.Tensor;
import org.ddpm4j.kernels.Workers;
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
final class PlanExecutor implements UnetExecutor {

  /** Pixels of a micro-batch: its arrays should stay in the cache. */
  private static final int MICRO_BATCH_PIXELS = 8 * 1024;

  private static final int LARGEST_MICRO_BATCH = 16;

  /** How many partial sums of a gradient there are at most. */
  private static final int LANES = 8;

  /** The bytes that partial sums may take. */
  private static final long LANES_MEMORY = 512L << 20;

  /** The elements of a gradient that a thread sums at once. */
  private static final int SUM_PIECE = 1 << 15;

  private final UnetGraph graph;
  private final Parameters parameters;
  private final PlanWeights weights;
  private final Workers workers;
  private final Precision precision;
  private final Consumer<GraphPlan> planRunner;
  private final int height;
  private final int width;
  private final int inChannels;
  private final int outChannels;
  private final Queue<Runner> outputRunners = new ConcurrentLinkedQueue<>();
  private final Queue<Runner> lossRunners = new ConcurrentLinkedQueue<>();
  private final Queue<GradientRunner> gradientRunners = new ConcurrentLinkedQueue<>();
  private final List<Lane> lanes = new ArrayList<>();

  PlanExecutor(
      UnetGraph graph,
      UnetConfig config,
      int height,
      int width,
      Parameters parameters,
      PlanWeights weights,
      Workers workers,
      Precision precision,
      Consumer<GraphPlan> planRunner) {
    this.graph = graph;
    this.parameters = parameters;
    this.weights = weights;
    this.workers = workers;
    this.precision = precision;
    this.planRunner = planRunner;
    this.height = height;
    this.width = width;
    this.inChannels = config.inChannels();
    this.outChannels = config.outChannels();
  }

  /** A partial sum of a gradient. */
  private record Lane(FloatPointer memory, FloatBuffer values) {

    static Lane of(long length) {
      FloatPointer memory = new FloatPointer(length);
      return new Lane(memory, memory.asBuffer());
    }
  }

  /** Plans for one thread at a time, one for each size of micro-batch. */
  private class Runner implements AutoCloseable {

    private final SameDiff function;
    private final List<String> outputs;
    private final Map<String, Tensor> sums;
    private final boolean withTarget;
    private final Map<Integer, GraphPlan> plans = new HashMap<>();
    private long version = -1;

    Runner(SameDiff function, List<String> outputs, Map<String, Tensor> sums, boolean withTarget) {
      this.function = function;
      this.outputs = outputs;
      this.sums = sums;
      this.withTarget = withTarget;
    }

    GraphPlan plan(int images) {
      if (version != weights.version()) {
        plans.values().forEach(GraphPlan::parametersChanged);
        version = weights.version();
      }
      return plans.computeIfAbsent(images, this::compile);
    }

    private GraphPlan compile(int images) {
      Map<String, long[]> inputs = new HashMap<>();
      inputs.put(UnetGraph.X, new long[] {images, inChannels, height, width});
      inputs.put(UnetGraph.T, new long[] {images});
      if (withTarget) {
        inputs.put(UnetGraph.TARGET, new long[] {images, outChannels, height, width});
      }
      if (!sums.isEmpty()) {
        inputs.put(UnetGraph.LOSS_GRADIENT, new long[0]);
      }
      Set<String> unchanging = withTarget ? Set.of() : Set.of(UnetGraph.T);
      return GraphPlan.compile(
          new PlanRequest(
              function, inputs, unchanging, weights.tensors(), outputs, sums, precision),
          weights.packed());
    }

    @Override
    public void close() {
      plans.values().forEach(GraphPlan::close);
    }
  }

  /** Plans that add gradients to a sum of their own. */
  private final class GradientRunner extends Runner {

    private final FloatPointer sum;
    private final FloatBuffer values;

    private GradientRunner(FloatPointer sum) {
      super(graph.gradientFunction(), List.of(UnetGraph.LOSS), gradientTensors(sum), true);
      this.sum = sum;
      this.values = sum.asBuffer();
    }

    @Override
    public void close() {
      super.close();
      sum.close();
    }
  }

  private Map<String, Tensor> gradientTensors(FloatPointer sum) {
    Map<String, Tensor> byParameter = PlanWeights.tensors(parameters, sum);
    Map<String, Tensor> byGradient = new HashMap<>();
    graph
        .gradientNames()
        .forEach(
            (name, gradient) -> {
              if (byGradient.put(gradient, byParameter.get(name)) != null) {
                throw new IllegalStateException(
                    "The gradient of %s is another parameter's too.".formatted(name));
              }
            });
    return byGradient;
  }

  @Override
  public INDArray output(INDArray x, INDArray t) {
    int images = (int) x.size(0);
    INDArray y = Nd4j.createUninitialized(DataType.FLOAT, images, outChannels, height, width);
    Batch xs = Batch.of(x);
    Batch ts = Batch.of(t);
    Batch ys = Batch.of(y);
    int share = (images + workers.threads() - 1) / workers.threads();
    int microBatch = Math.min(share, microBatch());
    return weights.withCurrent(
        () -> {
          workers.forEach(
              (images + microBatch - 1) / microBatch,
              i -> {
                int first = i * microBatch;
                int size = Math.min(microBatch, images - first);
                Runner runner = outputRunners.poll();
                if (runner == null) {
                  runner = new Runner(graph.sameDiff(), List.of(UnetGraph.OUTPUT), Map.of(), false);
                }
                GraphPlan plan = runner.plan(size);
                xs.fill(plan.input(UnetGraph.X), first);
                ts.fill(plan.input(UnetGraph.T), first);
                planRunner.accept(plan);
                ys.take(plan.output(UnetGraph.OUTPUT), first);
                outputRunners.add(runner);
              });
          return y;
        });
  }

  private int microBatch() {
    int fitting = Math.max(1, MICRO_BATCH_PIXELS / (height * width));
    return Math.min(LARGEST_MICRO_BATCH, Integer.highestOneBit(fitting));
  }

  /** Images of a batch, in order and without gaps; holds on to the array, which owns the memory. */
  private record Batch(INDArray array, FloatBuffer values) {

    static Batch of(INDArray array) {
      INDArray contiguous = SingleExecution.contiguous(array);
      return new Batch(contiguous, SingleExecution.tensor(contiguous).buffer());
    }

    void fill(Tensor input, int firstImage) {
      int perImage = input.length() / input.size(0);
      input.buffer().put(0, values, firstImage * perImage, input.length());
      Reference.reachabilityFence(array);
    }

    void take(Tensor output, int firstImage) {
      int perImage = output.length() / output.size(0);
      values.put(firstImage * perImage, output.buffer(), 0, output.length());
      Reference.reachabilityFence(array);
    }
  }

  @Override
  public double loss(INDArray x, INDArray t, INDArray target) {
    int images = (int) x.size(0);
    Batch xs = Batch.of(x);
    Batch ts = Batch.of(t);
    Batch targets = Batch.of(target);
    int microBatch = microBatch();
    double[] losses = new double[(images + microBatch - 1) / microBatch];
    weights.withCurrent(
        () -> {
          workers.forEach(
              losses.length,
              i -> {
                int first = i * microBatch;
                int size = Math.min(microBatch, images - first);
                Runner runner = lossRunners.poll();
                if (runner == null) {
                  runner = new Runner(graph.sameDiff(), List.of(UnetGraph.LOSS), Map.of(), true);
                }
                GraphPlan plan = runner.plan(size);
                xs.fill(plan.input(UnetGraph.X), first);
                ts.fill(plan.input(UnetGraph.T), first);
                targets.fill(plan.input(UnetGraph.TARGET), first);
                planRunner.accept(plan);
                losses[i] = plan.output(UnetGraph.LOSS).buffer().get(0) * (double) size / images;
                lossRunners.add(runner);
              });
          return null;
        });
    return sum(losses);
  }

  /** Each micro-batch belongs to a lane; lanes are summed in their order. */
  @Override
  public synchronized double gradients(
      INDArray x, INDArray t, INDArray target, Parameters gradient) {
    int images = (int) x.size(0);
    Batch xs = Batch.of(x);
    Batch ts = Batch.of(t);
    Batch targets = Batch.of(target);
    int microBatch = microBatch();
    double[] losses = new double[(images + microBatch - 1) / microBatch];
    int laneCount = laneCount(losses.length);
    // The first caller must find the names of the gradients.
    graph.gradientFunction();
    weights.withChanged(
        () -> {
          workers.forEach(
              laneCount,
              lane -> {
                GradientRunner runner = gradientRunners.poll();
                if (runner == null) {
                  runner = new GradientRunner(new FloatPointer(parameters.count()));
                }
                FloatPointer.memset(runner.sum, 0, parameters.count() * Float.BYTES);
                int end = (lane + 1) * losses.length / laneCount;
                for (int i = lane * losses.length / laneCount; i < end; i++) {
                  int first = i * microBatch;
                  int size = Math.min(microBatch, images - first);
                  GraphPlan plan = runner.plan(size);
                  xs.fill(plan.input(UnetGraph.X), first);
                  ts.fill(plan.input(UnetGraph.T), first);
                  targets.fill(plan.input(UnetGraph.TARGET), first);
                  float share = (float) size / images;
                  plan.input(UnetGraph.LOSS_GRADIENT).buffer().put(0, share);
                  planRunner.accept(plan);
                  losses[i] = plan.output(UnetGraph.LOSS).buffer().get(0) * (double) share;
                }
                lanes.get(lane).values.put(0, runner.values, 0, runner.values.capacity());
                gradientRunners.add(runner);
              });
          sumLanes(laneCount, gradient);
          return null;
        });
    return sum(losses);
  }

  private int laneCount(int microBatches) {
    long affordable = LANES_MEMORY / (parameters.count() * Float.BYTES);
    int count = (int) Math.min(microBatches, Math.max(2, Math.min(LANES, affordable)));
    while (lanes.size() < count) {
      lanes.add(Lane.of(parameters.count()));
    }
    return count;
  }

  private void sumLanes(int laneCount, Parameters gradient) {
    FloatBuffer total = PlanWeights.memory(gradient).asBuffer();
    int pieces = (total.capacity() + SUM_PIECE - 1) / SUM_PIECE;
    workers.forEach(
        pieces,
        piece -> {
          int start = piece * SUM_PIECE;
          int length = Math.min(SUM_PIECE, total.capacity() - start);
          float[] sum = new float[length];
          float[] summand = new float[length];
          lanes.get(0).values.get(start, sum);
          for (int lane = 1; lane < laneCount; lane++) {
            lanes.get(lane).values.get(start, summand);
            Loops.add(sum, summand, length);
          }
          total.put(start, sum);
        });
    Reference.reachabilityFence(gradient);
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  @Override
  public void close() {
    outputRunners.forEach(Runner::close);
    lossRunners.forEach(Runner::close);
    gradientRunners.forEach(Runner::close);
    lanes.forEach(lane -> lane.memory.close());
  }
}
