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
import org.ddpm4j.kernels.plan.WeightCache;
import org.ddpm4j.kernels.random.BatchKey;

/**
 * What one card does of a step of training before the update: packing of the weights, noise, the
 * network's estimate of the images where it is told that, the target where networks make it, the
 * plan's forward pass and gradient. Its images go to the card in one copy from pinned memory, and
 * their losses come back in one, behind what an update wrote.
 */
final class CudaShard implements AutoCloseable {

  /** Steps whose memory is the host's: while one runs, the next one is written. */
  private static final int TURNS = 2;

  /** Of each image, which make the estimate. */
  private static final int ESTIMATE_FACTORS = 2;

  private final CudaDriver driver;
  private final GraphPlan plan;

  /** Null where the network is told no estimate. */
  private final GraphPlan prediction;

  /** Null where images and noise make the target. */
  private final NetworksTarget networksTarget;

  private final TrainingRequest.Names names;
  private final Tensor gradient;
  private final OptimizerKernels.Constants constants;
  private final CudaWeightCache cache;
  private final CudaContext context;
  private final int images;
  private final int elements;

  /** Of the loss, for each image. */
  private final int coefficients;

  private final Batch batch;
  private final long batchOnCard;

  /** Noisy images: what the plan is given, or on their own where others are given them, too. */
  private final Tensor noisy;

  private final long outcome;
  private final List<Host> hosts = new ArrayList<>();
  private final List<Kernel> before;
  private final RecordedGraph graph;
  private final RecordedGraph graphWithEstimate;

  /** Where the parts of a batch lie in one block of memory, in bytes. */
  private static final class Batch {

    private int end;

    final int x0;
    final int diffusion;
    final int coefficients;
    final int estimate;
    final int target;
    final int timesteps;
    final int labels;
    final int dropout;
    final int weights;
    final int lossGradient;
    final int scalars;
    final int key;
    final int offset;

    /** Of so many images, with so many numbers of each that some of the parts have. */
    Batch(
        int images,
        int elements,
        int coefficientsOfImage,
        int estimateFactors,
        int targetNumbers,
        int furtherEmas) {
      x0 = add(Math.multiplyExact(images, Math.multiplyExact(elements, Float.BYTES)));
      diffusion = add(images * 4 * Float.BYTES);
      coefficients = add(images * coefficientsOfImage * Float.BYTES);
      estimate = add(images * estimateFactors * Float.BYTES);
      target = add(Math.multiplyExact(images, targetNumbers * Float.BYTES));
      timesteps = add(images * Float.BYTES);
      labels = add(images * Float.BYTES);
      dropout = add(images * BatchKey.PIECES * Float.BYTES);
      weights = add(images * Float.BYTES);
      lossGradient = add(Float.BYTES);
      scalars = add((OptimizerKernels.STEP_DOUBLES + furtherEmas) * Double.BYTES);
      key = add(NoiseKernels.KEY_LONGS * Long.BYTES);
      offset = add(NoiseKernels.OFFSET_LONGS * Long.BYTES);
    }

    private int add(int bytes) {
      int start = end;
      end = Math.toIntExact(CudaContext.roundUp((long) end + bytes));
      return start;
    }

    int bytes() {
      return end;
    }
  }

  /** Pinned memory for one step. */
  private static final class Host {
    final ByteBuffer batch;
    final ByteBuffer outcome;
    CudaDriver.Mark done;

    Host(CudaDriver driver, int batchBytes, int outcomeBytes) {
      batch = driver.allocateHost(batchBytes).order(ByteOrder.nativeOrder());
      outcome = driver.allocateHost(outcomeBytes).order(ByteOrder.nativeOrder());
    }
  }

  /**
   * A shard of as many images as the plan takes.
   *
   * @param prediction answers before the plan runs; null where the network is told no estimate
   * @param targetNetworks whose answers make the target; empty where images and noise make it
   * @param gradient to which the plan adds
   * @param constants of the optimiser, whose numbers of a step come with the images
   * @param furtherEmas how many moving averages there are beside the usual one
   */
  CudaShard(
      CudaDriver driver,
      GraphPlan plan,
      GraphPlan prediction,
      List<TrainingRequest.TargetNetwork> targetNetworks,
      WeightCache cache,
      TrainingRequest.Names names,
      Tensor gradient,
      OptimizerKernels.Constants constants,
      int furtherEmas) {
    this.driver = driver;
    this.plan = plan;
    this.prediction = prediction;
    this.names = names;
    this.gradient = gradient;
    this.constants = constants;
    this.cache = (CudaWeightCache) cache;
    context = new CudaContext(driver, this.cache, Precision.FLOAT32);
    Tensor target = plan.input(names.target());
    images = target.size(0);
    elements = target.length() / images;
    coefficients = names.coefficients() == null ? 0 : plan.input(names.coefficients()).size(1);
    batch =
        new Batch(
            images,
            elements,
            coefficients,
            prediction == null ? 0 : ESTIMATE_FACTORS,
            NetworksTarget.numbersOfImage(targetNetworks.size()),
            furtherEmas);
    int outcomeBytes = OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES + images * Float.BYTES;
    batchOnCard = driver.allocate(batch.bytes());
    outcome = driver.allocate(outcomeBytes);
    for (int i = 0; i < TURNS; i++) {
      hosts.add(new Host(driver, batch.bytes(), outcomeBytes));
    }
    networksTarget =
        targetNetworks.isEmpty()
            ? null
            : new NetworksTarget(
                context, targetNetworks, names, target, batchOnCard + batch.target);
    noisy = noisyImages(target);
    graph = new RecordedGraph(driver);
    graphWithEstimate = new RecordedGraph(driver);
    before = new ArrayList<>(smallInputs());
    before.add(diffusion());
    if (networksTarget != null) {
      Tensor given = plan.input(names.noisyImages());
      before.add(() -> driver.copy(noisy.address(), given.address(), given.bytes()));
      before.addAll(networksTarget.kernels(batchOnCard + batch.labels));
    }
  }

  private Tensor noisyImages(Tensor like) {
    if (networksTarget != null) {
      return networksTarget.noisy();
    }
    return prediction == null
        ? plan.input(names.noisyImages())
        : Tensor.dense(driver.allocate(like.bytes()), like.shape());
  }

  private Kernel diffusion() {
    return NoiseKernels.diffuse(
        context,
        Tensor.dense(batchOnCard + batch.x0, noisy.shape()),
        batchOnCard + batch.diffusion,
        batchOnCard + batch.key,
        batchOnCard + batch.offset,
        noisy,
        networksTarget == null ? plan.input(names.target()) : null);
  }

  /** The losses go behind the norms, so that all come back at once. */
  private Kernel losses() {
    Tensor losses = plan.output(names.losses());
    long to = outcome + (long) OptimizerKernels.OUTCOME_DOUBLES * Double.BYTES;
    return () -> driver.copy(losses.address(), to, losses.bytes());
  }

  /** What a plan reads beside its images: from the batch, which lies elsewhere. */
  private List<Kernel> smallInputs() {
    List<Kernel> copies = new ArrayList<>();
    copies.addAll(conditions(plan));
    copies.add(copy(batch.weights, names.imageWeights()));
    copies.add(copy(batch.lossGradient, names.lossGradient()));
    if (names.x0() != null) {
      copies.add(copy(batch.x0, names.x0()));
    }
    if (names.coefficients() != null) {
      copies.add(copy(batch.coefficients, names.coefficients()));
    }
    if (names.dropout() != null) {
      copies.add(copy(batch.dropout, names.dropout()));
    }
    return copies;
  }

  /** What a prediction takes beside images, too. */
  private List<Kernel> conditions(GraphPlan of) {
    List<Kernel> copies = new ArrayList<>();
    copies.add(copy(batch.timesteps, of.input(names.timesteps())));
    if (names.labels() != null) {
      copies.add(copy(batch.labels, of.input(names.labels())));
    }
    return copies;
  }

  /** What the plan is given of the noisy images, where an estimate stands before them. */
  private List<Kernel> estimation(boolean isTold) {
    Tensor given = plan.input(names.noisyImages());
    if (!isTold) {
      return List.of(NoiseKernels.withEstimate(context, noisy, null, 0, given));
    }
    Tensor first = prediction.input(names.noisyImages());
    List<Kernel> all = new ArrayList<>(conditions(prediction));
    all.add(NoiseKernels.withEstimate(context, noisy, null, 0, first));
    all.addAll(kernels(prediction));
    all.add(
        NoiseKernels.withEstimate(
            context,
            noisy,
            prediction.output(names.answer()),
            batchOnCard + batch.estimate,
            given));
    return all;
  }

  static List<Kernel> kernels(GraphPlan plan) {
    return plan.steps().stream().map(GraphPlan.Step::kernel).toList();
  }

  private Kernel copy(int offset, String input) {
    return copy(offset, plan.input(input));
  }

  private Kernel copy(int offset, Tensor to) {
    return () -> driver.copy(batchOnCard + offset, to.address(), to.bytes());
  }

  int images() {
    return images;
  }

  CudaContext context() {
    return context;
  }

  /** Address of the doubles that {@link OptimizerKernels#update} reads. */
  long scalars() {
    return batchOnCard + batch.scalars;
  }

  /** Address of the doubles that {@link OptimizerKernels#update} writes. */
  long outcome() {
    return outcome;
  }

  /** What a recording of {@link #kernels} is of: it differs when they have changed. */
  int version() {
    return cache.version() + (networksTarget == null ? 0 : networksTarget.version());
  }

  /**
   * The work up to the gradient. Everything runs once before it is recorded: libraries make their
   * kernels when first asked.
   *
   * @param isTold whether the network is told an estimate
   */
  List<Kernel> kernels(boolean isTold) {
    List<Kernel> all = new ArrayList<>(cache.packings());
    if (networksTarget != null) {
      all.addAll(networksTarget.packings());
    }
    all.addAll(before);
    if (prediction != null) {
      all.addAll(estimation(isTold));
    }
    all.addAll(kernels(plan));
    all.add(losses());
    // Other images of the step may have added to the gradient already.
    long kept = driver.allocate(gradient.bytes());
    driver.copy(gradient.address(), kept, gradient.bytes());
    all.forEach(Kernel::run);
    driver.copy(kept, gradient.address(), gradient.bytes());
    driver.synchronize();
    driver.free(kept);
    return all;
  }

  /**
   * Enqueues the work up to the gradient.
   *
   * @param isTold whether the network is told an estimate
   */
  void addGradient(boolean isTold) {
    (isTold ? graphWithEstimate : graph).run(version(), () -> kernels(isTold));
  }

  /**
   * Enqueues the copy of a step's images to the card.
   *
   * @param number of the step; the one two before it has ended
   * @param step all of it
   * @param first image of this shard
   */
  void upload(long number, TrainingProgram.Step step, int first) {
    Host host = host(number);
    write(step, first, host.batch);
    driver.uploadLater(host.batch.duplicate().clear(), batchOnCard);
  }

  private Host host(long number) {
    return hosts.get((int) (number % TURNS));
  }

  /** Enqueues the copy of what came out, and remembers when it is done. */
  void download(long number) {
    Host host = host(number);
    driver.downloadLater(outcome, host.outcome.duplicate().clear());
    host.done = driver.mark();
  }

  private void write(TrainingProgram.Step step, int first, ByteBuffer to) {
    FloatBuffer x0 = step.x0();
    put(to, batch.x0, x0.slice(x0.position() + first * elements, images * elements));
    put(to, batch.diffusion, FloatBuffer.wrap(step.diffusion(), 4 * first, 4 * images));
    if (coefficients > 0) {
      put(
          to,
          batch.coefficients,
          FloatBuffer.wrap(step.coefficients(), coefficients * first, coefficients * images));
    }
    if (step.estimate() != null) {
      put(
          to,
          batch.estimate,
          FloatBuffer.wrap(step.estimate(), ESTIMATE_FACTORS * first, ESTIMATE_FACTORS * images));
    }
    if (networksTarget != null) {
      put(to, batch.target, networksTarget.numbers(step.target(), first));
    }
    put(to, batch.timesteps, FloatBuffer.wrap(step.timesteps(), first, images));
    put(to, batch.weights, FloatBuffer.wrap(step.imageWeights(), first, images));
    // A plan takes the mean over its own images.
    float share = (float) (step.share() * images / step.timesteps().length);
    to.putFloat(batch.lossGradient, share);
    if (step.labels() != null) {
      put(to, batch.labels, FloatBuffer.wrap(step.labels(), first, images));
    }
    step.update().ifPresent(update -> write(update, to));
    BatchKey masks = step.dropout();
    BatchKey own =
        new BatchKey(masks.seed(), masks.purpose(), masks.firstImage() + first, masks.step());
    put(to, batch.dropout, FloatBuffer.wrap(own.rows(images)));
    put(to, batch.key, step.noise(), first);
    put(to, batch.offset, step.offset().key(), first);
    int deviation = batch.offset + NoiseKernels.KEY_LONGS * Long.BYTES;
    to.putDouble(deviation, step.offset().deviation());
  }

  private static void put(ByteBuffer to, int at, BatchKey noise, int first) {
    long[] key = {noise.seed(), noise.firstImage() + first, noise.step(), noise.purpose()};
    for (int i = 0; i < key.length; i++) {
      to.putLong(at + i * Long.BYTES, key[i]);
    }
  }

  private void write(TrainingProgram.Update update, ByteBuffer to) {
    double[] scalars =
        OptimizerKernels.step(
            constants,
            update.number(),
            update.learningRate(),
            update.weightDecay(),
            update.emaDecay(),
            update.furtherEmaDecays());
    for (int i = 0; i < scalars.length; i++) {
      to.putDouble(batch.scalars + i * Double.BYTES, scalars[i]);
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

  /**
   * Waits for a step.
   *
   * @param losses receives those of this shard's images
   * @param first their place in it
   * @return the norms that an update wrote
   */
  double[] await(long number, float[] losses, int first) {
    Host host = host(number);
    host.done.await();
    ByteBuffer found = host.outcome.duplicate().order(ByteOrder.nativeOrder());
    double[] norms = new double[OptimizerKernels.OUTCOME_DOUBLES];
    found.asDoubleBuffer().get(norms);
    found
        .position(norms.length * Double.BYTES)
        .slice()
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer()
        .get(losses, first, images);
    return norms;
  }

  @Override
  public void close() {
    graph.close();
    graphWithEstimate.close();
    context.close();
    if (networksTarget != null) {
      networksTarget.close();
    } else if (prediction != null) {
      driver.free(noisy.address());
    }
    for (Host host : hosts) {
      driver.freeHost(host.batch);
      driver.freeHost(host.outcome);
    }
    driver.free(outcome);
    driver.free(batchOnCard);
  }
}
