package org.ddpm4j.unet;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.GraphPlan;
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

  private final UnetGraph graph;
  private final Parameters parameters;
  private final PlanWeights weights;
  private final Workers workers;
  private final Precision precision;
  private final Consumer<GraphPlan> planRunner;
  private final int height;
  private final int width;
  private final int outChannels;
  private final BoundedPool<Runner> outputRunners;
  private final BoundedPool<Runner> lossRunners;
  private final Queue<GradientRunner> gradientRunners = new ConcurrentLinkedQueue<>();

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
    this.outChannels = config.outChannels();
    outputRunners = runners(UnetGraph.OUTPUT);
    lossRunners = runners(UnetGraph.LOSSES);
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
    GraphPlan plan(Map<String, Batch> batches, int first, int images) {
      if (version != weights.version()) {
        plans.values().forEach(GraphPlan::parametersChanged);
        version = weights.version();
      }
      GraphPlan plan = plans.computeIfAbsent(images, size -> compile(batches, size));
      batches.forEach((name, batch) -> batch.fill(plan.input(name), first));
      return plan;
    }

    private GraphPlan compile(Map<String, Batch> batches, int images) {
      Map<String, long[]> inputs = new HashMap<>();
      batches.forEach((name, batch) -> inputs.put(name, batch.shape(images)));
      if (!sums.isEmpty()) {
        inputs.put(UnetGraph.LOSS_GRADIENT, new long[0]);
      }
      Set<String> unchanging = new HashSet<>();
      if (outputs.contains(UnetGraph.OUTPUT)) {
        // In sampling all images of many batches are at one timestep.
        unchanging.addAll(List.of(UnetGraph.T, UnetGraph.LABELS));
        unchanging.retainAll(inputs.keySet());
      }
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
      super(graph.gradientFunction(), List.of(UnetGraph.LOSSES), gradientTensors(sum));
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

  private static Map<String, Batch> batches(UnetInput input) {
    Map<String, Batch> batches = new HashMap<>();
    batches.put(UnetGraph.X, Batch.of(input.x()));
    batches.put(UnetGraph.T, Batch.of(input.t()));
    if (input.labels() != null) {
      batches.put(UnetGraph.LABELS, Batch.of(input.labels()));
    }
    return batches;
  }

  @Override
  public INDArray output(UnetInput input) {
    int images = (int) input.x().size(0);
    INDArray y = Nd4j.createUninitialized(DataType.FLOAT, images, outChannels, height, width);
    Map<String, Batch> batches = batches(input);
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
                outputRunners.use(
                    runner -> {
                      GraphPlan plan = runner.plan(batches, first, size);
                      planRunner.accept(plan);
                      ys.take(plan.output(UnetGraph.OUTPUT), first);
                    });
              });
          return y;
        });
  }

  private int microBatch() {
    int fitting = Math.max(1, MICRO_BATCH_PIXELS / (height * width));
    return Math.min(LARGEST_MICRO_BATCH, Integer.highestOneBit(fitting));
  }

  /** Something of each image, in order and without gaps; holds on to what owns the memory. */
  private record Batch(long[] shape, FloatBuffer values, Object owner) {

    static Batch of(INDArray array) {
      INDArray contiguous = SingleExecution.contiguous(array);
      return new Batch(
          array.shape().clone(), SingleExecution.tensor(contiguous).buffer(), contiguous);
    }

    static Batch ones(int images) {
      float[] ones = new float[images];
      Arrays.fill(ones, 1);
      return new Batch(new long[] {images}, FloatBuffer.wrap(ones), ones);
    }

    /** The same for another number of images. */
    long[] shape(int images) {
      long[] part = shape.clone();
      part[0] = images;
      return part;
    }

    void fill(Tensor input, int firstImage) {
      int perImage = input.length() / input.size(0);
      input.buffer().put(0, values, firstImage * perImage, input.length());
      Reference.reachabilityFence(owner);
    }

    void take(Tensor output, int firstImage) {
      int perImage = output.length() / output.size(0);
      values.put(firstImage * perImage, output.buffer(), 0, output.length());
      Reference.reachabilityFence(owner);
    }
  }

  @Override
  public double[] losses(UnetInput input, INDArray target) {
    int images = (int) target.size(0);
    Map<String, Batch> batches = batches(input);
    batches.put(UnetGraph.TARGET, Batch.of(target));
    int microBatch = microBatch();
    double[] losses = new double[images];
    weights.withCurrent(
        () -> {
          workers.forEach(
              (images + microBatch - 1) / microBatch,
              i -> {
                int first = i * microBatch;
                int size = Math.min(microBatch, images - first);
                lossRunners.use(
                    runner -> {
                      GraphPlan plan = runner.plan(batches, first, size);
                      planRunner.accept(plan);
                      takeLosses(plan, losses, first);
                    });
              });
          return null;
        });
    return losses;
  }

  private static void takeLosses(GraphPlan plan, double[] losses, int first) {
    FloatBuffer found = plan.output(UnetGraph.LOSSES).buffer();
    for (int n = 0; n < found.limit(); n++) {
      losses[first + n] = found.get(n);
    }
  }

  /** Each micro-batch belongs to a lane; the sums of lanes are added in the order of the lanes. */
  @Override
  public synchronized double[] gradients(
      UnetInput input, INDArray target, INDArray weighting, Parameters gradient) {
    int images = (int) target.size(0);
    Map<String, Batch> batches = batches(input);
    batches.put(UnetGraph.TARGET, Batch.of(target));
    batches.put(UnetGraph.WEIGHTS, weighting == null ? Batch.ones(images) : Batch.of(weighting));
    int microBatch = microBatch();
    int microBatches = (images + microBatch - 1) / microBatch;
    int lanes = Math.min(LANES, microBatches);
    double[] losses = new double[images];
    OrderedSum total = new OrderedSum(PlanWeights.memory(gradient).asBuffer(), lanes);
    // The first caller must find the names of the gradients.
    graph.gradientFunction();
    weights.withChanged(
        () -> {
          workers.forEach(
              lanes,
              lane -> {
                try {
                  GradientRunner runner = gradientRunner();
                  int end = (lane + 1) * microBatches / lanes;
                  for (int i = lane * microBatches / lanes; i < end; i++) {
                    int first = i * microBatch;
                    int size = Math.min(microBatch, images - first);
                    GraphPlan plan = runner.plan(batches, first, size);
                    float share = (float) size / images;
                    plan.input(UnetGraph.LOSS_GRADIENT).buffer().put(0, share);
                    planRunner.accept(plan);
                    takeLosses(plan, losses, first);
                  }
                  total.add(lane, runner.values);
                  gradientRunners.add(runner);
                } catch (RuntimeException | Error e) {
                  total.fail();
                  throw e;
                }
              });
          return null;
        });
    Reference.reachabilityFence(gradient);
    return losses;
  }

  /** A runner whose sum is zero. */
  private GradientRunner gradientRunner() {
    GradientRunner runner = gradientRunners.poll();
    if (runner == null) {
      runner = new GradientRunner(new FloatPointer(parameters.count()));
    }
    FloatPointer.memset(runner.sum, 0, parameters.count() * Float.BYTES);
    return runner;
  }

  @Override
  public void close() {
    outputRunners.close();
    lossRunners.close();
    gradientRunners.forEach(Runner::close);
  }
}
