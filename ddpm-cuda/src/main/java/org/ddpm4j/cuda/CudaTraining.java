package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;

/**
 * A step of training as one CUDA graph: packing of the weights, noise, the plan's forward pass and
 * gradient, clipping, AdamW and moving average. A batch goes to the card in one copy from pinned
 * memory, and losses and norms come back in one.
 */
final class CudaTraining implements TrainingProgram {

  private final CudaDriver driver;
  private final TrainingRequest request;
  private final CudaWeightCache cache;
  private final CudaContext context;
  private final OptimizerKernels.Constants constants;
  private final int images;
  private final int elements;
  private final Batch batch;
  private final long batchOnCard;
  private final long outcome;
  private final int outcomeBytes;
  private final Host[] hosts;
  private final List<Kernel> before;
  private final List<Kernel> after;
  private CudaDriver.CudaGraph graph;
  private List<Kernel> packingsInGraph;
  private long begun;
  private long ended;

  /** Where the parts of a batch lie in one block of memory, in bytes. */
  private static final class Batch {

    private int end;

    final int x0;
    final int coefficients;
    final int timesteps;
    final int labels;
    final int weights;
    final int lossGradient;
    final int scalars;
    final int key;

    Batch(int images, int elements) {
      x0 = add(images * elements * Float.BYTES);
      coefficients = add(images * 4 * Float.BYTES);
      timesteps = add(images * Float.BYTES);
      labels = add(images * Float.BYTES);
      weights = add(images * Float.BYTES);
      lossGradient = add(Float.BYTES);
      scalars = add(OptimizerKernels.STEP_DOUBLES * Double.BYTES);
      key = add(NoiseKernels.KEY_LONGS * Long.BYTES);
    }

    private int add(int bytes) {
      int start = end;
      end = Math.toIntExact(CudaContext.roundUp(end + bytes));
      return start;
    }

    int bytes() {
      return end;
    }
  }

  /** Pinned memory for one step: two steps take turns. */
  private static final class Host {
    final ByteBuffer batch;
    final ByteBuffer outcome;
    CudaDriver.Mark done;

    Host(CudaDriver driver, int batchBytes, int outcomeBytes) {
      batch = driver.allocateHost(batchBytes).order(ByteOrder.nativeOrder());
      outcome = driver.allocateHost(outcomeBytes).order(ByteOrder.nativeOrder());
    }
  }

  CudaTraining(CudaDriver driver, TrainingRequest request) {
    this.driver = driver;
    this.request = request;
    cache = (CudaWeightCache) request.cache();
    context = new CudaContext(driver, cache, Precision.FLOAT32);
    Tensor x = request.plan().input(request.names().noisyImages());
    images = x.size(0);
    elements = x.length() / images;
    batch = new Batch(images, elements);
    outcomeBytes = OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES + images * Float.BYTES;
    batchOnCard = driver.allocate(batch.bytes());
    outcome = driver.allocate(outcomeBytes);
    hosts =
        new Host[] {
          new Host(driver, batch.bytes(), outcomeBytes),
          new Host(driver, batch.bytes(), outcomeBytes)
        };
    TrainingRequest.Optimizer optimizer = request.optimizer();
    constants =
        new OptimizerKernels.Constants(
            optimizer.beta1(), optimizer.beta2(), optimizer.epsilon(), optimizer.maxGradientNorm());
    before = new ArrayList<>(smallInputs());
    before.add(diffusion());
    after = List.of(optimizer(), losses());
    driver.zero(request.gradient().address(), request.gradient().bytes());
  }

  private Kernel diffusion() {
    GraphPlan plan = request.plan();
    Tensor noisy = plan.input(request.names().noisyImages());
    return NoiseKernels.diffuse(
        context,
        Tensor.dense(batchOnCard + batch.x0, noisy.shape()),
        batchOnCard + batch.coefficients,
        batchOnCard + batch.key,
        noisy,
        plan.input(request.names().target()));
  }

  private Kernel optimizer() {
    return OptimizerKernels.update(
        context,
        new OptimizerKernels.Buffers(
            request.weights(),
            request.gradient(),
            request.firstMoment(),
            request.secondMoment(),
            request.ema()),
        constants,
        batchOnCard + batch.scalars,
        outcome,
        true);
  }

  /** The losses go behind the norms, so that all come back at once. */
  private Kernel losses() {
    Tensor losses = request.plan().output(request.names().losses());
    long to = outcome + (long) OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES;
    return () -> driver.copy(losses.address(), to, losses.bytes());
  }

  /** What a plan reads beside its images: from the batch, which lies elsewhere. */
  private List<Kernel> smallInputs() {
    List<Kernel> copies = new ArrayList<>();
    TrainingRequest.Names names = request.names();
    copies.add(copy(batch.timesteps, names.timesteps()));
    copies.add(copy(batch.weights, names.imageWeights()));
    copies.add(copy(batch.lossGradient, names.lossGradient()));
    if (names.labels() != null) {
      copies.add(copy(batch.labels, names.labels()));
    }
    return copies;
  }

  private Kernel copy(int offset, String input) {
    Tensor to = request.plan().input(input);
    return () -> driver.copy(batchOnCard + offset, to.address(), to.bytes());
  }

  @Override
  public void begin(Step step) {
    if (begun != ended) {
      throw new IllegalStateException("The step that was begun has not ended.");
    }
    if (step.timesteps().length != images) {
      throw new IllegalArgumentException(
          "The program trains %d images at a time, not %d."
              .formatted(images, step.timesteps().length));
    }
    Host host = hosts[(int) (begun % hosts.length)];
    write(step, host.batch);
    if (graph == null || packingsInGraph != cache.packings()) {
      record();
    }
    driver.uploadLater(host.batch.duplicate().clear(), batchOnCard);
    graph.run();
    driver.downloadLater(outcome, host.outcome.duplicate().clear());
    host.done = driver.mark();
    begun++;
  }

  /** Everything runs once before it is recorded: libraries make their kernels when first asked. */
  private void record() {
    if (graph != null) {
      graph.close();
    }
    List<Kernel> packings = cache.packings();
    List<Kernel> plan = request.plan().steps().stream().map(GraphPlan.Step::kernel).toList();
    packings.forEach(Kernel::run);
    plan.forEach(Kernel::run);
    driver.zero(request.gradient().address(), request.gradient().bytes());
    driver.synchronize();
    List<Kernel> all = new ArrayList<>(packings);
    all.addAll(before);
    all.addAll(plan);
    all.addAll(after);
    graph = driver.graph(all);
    packingsInGraph = cache.packings();
  }

  private void write(Step step, ByteBuffer to) {
    put(to, batch.x0, step.x0());
    put(to, batch.coefficients, FloatBuffer.wrap(step.coefficients()));
    put(to, batch.timesteps, FloatBuffer.wrap(step.timesteps()));
    put(to, batch.weights, FloatBuffer.wrap(step.imageWeights()));
    to.putFloat(batch.lossGradient, 1);
    if (step.labels() != null) {
      put(to, batch.labels, FloatBuffer.wrap(step.labels()));
    }
    Update update = step.update();
    double[] scalars =
        OptimizerKernels.step(
            constants,
            update.number(),
            update.learningRate(),
            update.weightDecay(),
            update.emaDecay());
    for (int i = 0; i < scalars.length; i++) {
      to.putDouble(batch.scalars + i * Double.BYTES, scalars[i]);
    }
    NoiseKey noise = step.noise();
    long[] key = {noise.seed(), noise.firstImage(), noise.step(), noise.purpose()};
    for (int i = 0; i < key.length; i++) {
      to.putLong(batch.key + i * Long.BYTES, key[i]);
    }
  }

  private static void put(ByteBuffer to, int offset, FloatBuffer values) {
    to.duplicate()
        .order(ByteOrder.nativeOrder())
        .position(offset)
        .slice()
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer()
        .put(values.duplicate());
  }

  @Override
  public Outcome end() {
    if (begun == ended) {
      throw new IllegalStateException("No step was begun.");
    }
    Host host = hosts[(int) (ended % hosts.length)];
    host.done.await();
    ended++;
    float[] losses = new float[images];
    host.outcome
        .duplicate()
        .order(ByteOrder.nativeOrder())
        .position(2 * Double.BYTES)
        .slice()
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer()
        .get(losses);
    return new Outcome(losses, host.outcome.getDouble(0), host.outcome.getDouble(Double.BYTES));
  }

  @Override
  public void close() {
    if (graph != null) {
      graph.close();
    }
    context.close();
    for (Host host : hosts) {
      driver.freeHost(host.batch);
      driver.freeHost(host.outcome);
    }
    driver.free(outcome);
    driver.free(batchOnCard);
  }
}
