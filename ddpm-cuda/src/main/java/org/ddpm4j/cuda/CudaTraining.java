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

  private static final String FILE = "training.cu";
  private static final int THREADS = 256;

  /** Blocks of the passes over all parameters, on every card, so that sums have the same order. */
  private static final int BLOCKS = 264;

  private static final int SCALARS = 4;
  private static final int KEY_WORDS = 5;

  private final CudaDriver driver;
  private final TrainingRequest request;
  private final CudaWeightCache cache;
  private final CudaContext context;
  private final int images;
  private final int elements;
  private final Batch batch;
  private final long batchOnCard;
  private final long partials;
  private final long outcome;
  private final int outcomeBytes;
  private final Host[] hosts;
  private final List<Kernel> before;
  private final List<Kernel> after;
  private CudaDriver.CudaGraph graph;
  private int packingsInGraph = -1;
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
    final int scalars;
    final int key;

    Batch(int images, int elements) {
      x0 = add(images * elements * Float.BYTES);
      coefficients = add(images * 4 * Float.BYTES);
      timesteps = add(images * Float.BYTES);
      labels = add(images * Float.BYTES);
      weights = add(images * Float.BYTES);
      scalars = add(SCALARS * Double.BYTES);
      key = add(KEY_WORDS * Integer.BYTES);
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
    outcomeBytes = 2 * Double.BYTES + images * Float.BYTES;
    batchOnCard = driver.allocate(batch.bytes());
    partials = driver.allocate(2L * BLOCKS * Double.BYTES);
    outcome = driver.allocate(outcomeBytes);
    hosts =
        new Host[] {
          new Host(driver, batch.bytes(), outcomeBytes), new Host(driver, batch.bytes(), outcomeBytes)
        };
    request.plan().setInput(request.names().lossGradient(), FloatBuffer.wrap(new float[] {1}), 0);
    before = List.of(zeroing(request.gradient()), diffusion());
    after = optimizer();
  }

  private Kernel zeroing(Tensor tensor) {
    return () -> driver.zero(tensor.address(), tensor.bytes());
  }

  private Kernel diffusion() {
    GraphPlan plan = request.plan();
    TrainingRequest.Names names = request.names();
    Tensor labels = names.labels() == null ? null : plan.input(names.labels());
    long quads = (long) images * ((elements + 3) / 4);
    return context.launch(
        FILE,
        "diffuse",
        Launch.forElements(Math.max(quads, images), THREADS),
        batchOnCard + batch.key,
        batchOnCard + batch.x0,
        batchOnCard + batch.coefficients,
        plan.input(names.noisyImages()),
        plan.input(names.target()),
        images,
        elements,
        batchOnCard + batch.timesteps,
        plan.input(names.timesteps()),
        batchOnCard + batch.labels,
        labels,
        batchOnCard + batch.weights,
        plan.input(names.imageWeights()));
  }

  private List<Kernel> optimizer() {
    TrainingRequest.Optimizer optimizer = request.optimizer();
    int count = request.weights().length();
    long updatePartials = partials + (long) BLOCKS * Double.BYTES;
    return List.of(
        context.launch(
            FILE, "squares", Launch.of(BLOCKS, THREADS), request.gradient(), count, partials),
        context.launch(
            FILE,
            "adamw",
            Launch.of(BLOCKS, THREADS),
            request.gradient(),
            request.firstMoment(),
            request.secondMoment(),
            request.weights(),
            request.ema(),
            count,
            partials,
            BLOCKS,
            batchOnCard + batch.scalars,
            optimizer.beta1(),
            optimizer.beta2(),
            optimizer.epsilon(),
            optimizer.maxGradientNorm(),
            updatePartials),
        context.launch(
            FILE,
            "training_outcome",
            Launch.of(1, THREADS),
            partials,
            updatePartials,
            BLOCKS,
            batchOnCard + batch.scalars,
            request.plan().output(request.names().losses()),
            images,
            outcome,
            outcome + 2L * Double.BYTES));
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
    if (graph == null || packingsInGraph != cache.packings().size()) {
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
    driver.synchronize();
    List<Kernel> all = new ArrayList<>(packings);
    all.addAll(before);
    all.addAll(plan);
    all.addAll(after);
    graph = driver.graph(all);
    packingsInGraph = packings.size();
  }

  private void write(Step step, ByteBuffer to) {
    put(to, batch.x0, step.x0());
    put(to, batch.coefficients, FloatBuffer.wrap(step.coefficients()));
    put(to, batch.timesteps, FloatBuffer.wrap(step.timesteps()));
    put(to, batch.weights, FloatBuffer.wrap(step.imageWeights()));
    if (step.labels() != null) {
      put(to, batch.labels, FloatBuffer.wrap(step.labels()));
    }
    Update update = step.update();
    double correction1 = 1 - Math.pow(request.optimizer().beta1(), update.number() + 1.0);
    double correction2 = 1 - Math.pow(request.optimizer().beta2(), update.number() + 1.0);
    to.putDouble(batch.scalars, update.learningRate() / correction1);
    to.putDouble(batch.scalars + Double.BYTES, 1 / Math.sqrt(correction2));
    to.putDouble(
        batch.scalars + 2 * Double.BYTES, 1 - update.learningRate() * update.weightDecay());
    to.putDouble(batch.scalars + 3 * Double.BYTES, update.emaDecay());
    NoiseKey noise = step.noise();
    int[] key = {
      (int) noise.seed(),
      (int) (noise.seed() >>> Integer.SIZE),
      Math.toIntExact(noise.firstImage()),
      Math.toIntExact(noise.step()),
      noise.purpose()
    };
    for (int i = 0; i < key.length; i++) {
      to.putInt(batch.key + i * Integer.BYTES, key[i]);
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
    return new Outcome(
        losses, host.outcome.getDouble(0), host.outcome.getDouble(Double.BYTES));
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
    driver.free(partials);
    driver.free(batchOnCard);
  }
}
