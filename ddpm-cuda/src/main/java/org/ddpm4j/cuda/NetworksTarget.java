package org.ddpm4j.cuda;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.ddpm4j.kernels.plan.GraphPlan;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.TrainingProgram;
import org.ddpm4j.kernels.plan.TrainingRequest;

/**
 * The target of one card's images where networks make it by what they answer. Each is given a sum
 * of the noisy images and of the answers before, with factors of each image that come with the
 * batch, and the target is such a sum, too.
 */
final class NetworksTarget implements AutoCloseable {

  private final CudaContext context;
  private final CudaDriver driver;
  private final List<TrainingRequest.TargetNetwork> networks;

  /** Of the networks whose weights change; a network may be asked several times. */
  private final Set<CudaWeightCache> caches = new LinkedHashSet<>();

  private final TrainingRequest.Names names;
  private final Tensor target;
  private final int images;

  /** The noisy images, then what the networks answer, {@code [1+K,N,C,H,W]}. */
  private final Tensor batches;

  /** Of what {@link #numbers} gives, on the card. */
  private final long numbers;

  /**
   * The target that networks make.
   *
   * @param networks in the order in which they are asked
   * @param target that is made, {@code [N,C,H,W]}
   * @param numbers address of {@link #numbersOfImage} floats for each image
   */
  NetworksTarget(
      CudaContext context,
      List<TrainingRequest.TargetNetwork> networks,
      TrainingRequest.Names names,
      Tensor target,
      long numbers) {
    this.context = context;
    this.driver = context.driver();
    this.networks = networks;
    this.names = names;
    this.target = target;
    this.numbers = numbers;
    images = target.size(0);
    networks.stream()
        .map(network -> (CudaWeightCache) network.cache())
        .filter(Objects::nonNull)
        .forEach(caches::add);
    long count = 1L + networks.size();
    batches = Tensor.dense(driver.allocate(count * target.bytes()), count * target.length());
  }

  /**
   * How many floats come with each image.
   *
   * @param networks that are asked
   * @return for the k-th of them its timestep and k factors, and those of the target; 0 for none
   */
  static int numbersOfImage(int networks) {
    int count = networks == 0 ? 0 : 1 + networks;
    for (int k = 1; k <= networks; k++) {
      count += 1 + k;
    }
    return count;
  }

  /** What comes with the images of a card, the first of which has this place in the batch. */
  FloatBuffer numbers(TrainingProgram.AnsweredTarget step, int first) {
    FloatBuffer all = FloatBuffer.allocate(images * numbersOfImage(networks.size()));
    int terms = 1;
    for (TrainingProgram.Question question : step.questions()) {
      all.put(question.timesteps(), first, images);
      all.put(question.factors(), terms * first, terms * images);
      terms++;
    }
    all.put(step.factors(), terms * first, terms * images);
    return all.flip();
  }

  /** Where the noisy images are to lie. */
  Tensor noisy() {
    return batch(0);
  }

  private Tensor batch(int index) {
    return Tensor.dense(batches.address() + index * target.bytes(), target.shape());
  }

  /** What a recording is of: it differs when {@link #packings} have changed. */
  int version() {
    return caches.stream().mapToInt(CudaWeightCache::version).sum();
  }

  /** Packs the weights that the last update changed. */
  List<Kernel> packings() {
    return caches.stream().flatMap(cache -> cache.packings().stream()).toList();
  }

  /**
   * From the noisy images to the target.
   *
   * @param labels address of the images' classes, if networks are told any
   */
  List<Kernel> kernels(long labels) {
    List<Kernel> all = new ArrayList<>();
    long at = numbers;
    int terms = 1;
    for (TrainingRequest.TargetNetwork network : networks) {
      GraphPlan plan = network.plan();
      all.add(copy(at, plan.input(names.timesteps())));
      at += images * Float.BYTES;
      if (names.labels() != null) {
        all.add(copy(labels, plan.input(names.labels())));
      }
      all.add(NoiseKernels.combine(context, batches, at, terms, plan.input(names.noisyImages())));
      at += (long) terms * images * Float.BYTES;
      all.addAll(CudaShard.kernels(plan));
      // The next question may be for the same plan, whose answer lies where this one does.
      all.add(NoiseKernels.firstChannels(context, plan.output(names.answer()), batch(terms)));
      terms++;
    }
    all.add(NoiseKernels.combine(context, batches, at, terms, target));
    return all;
  }

  private Kernel copy(long from, Tensor to) {
    return () -> driver.copy(from, to.address(), to.bytes());
  }

  @Override
  public void close() {
    driver.free(batches.address());
  }
}
