package org.ddpm4j.kernels.plan;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.ddpm4j.kernels.ops.FusedOp;

/**
 * What plans run on: a processor or a card. A network has one of its own, with threads or a stream,
 * and closes it.
 *
 * <p>Inputs and outputs of plans, parameters and their gradients are dense floats on every device;
 * how values in between lie is the device's own business ({@link #format}).
 */
public interface Device extends AutoCloseable {

  /** {@return what users call it, for example "cpu" or "cuda:0"} */
  String name();

  /**
   * What it is.
   *
   * @return a few words for people
   */
  String description();

  /**
   * At which addresses values begin.
   *
   * @return a number of bytes, a power of two
   */
  int alignment();

  /**
   * Takes memory.
   *
   * @param bytes how much
   * @return the memory, all zero
   * @throws DeviceMemoryException if the device has not that much
   */
  DeviceMemory allocate(long bytes);

  /**
   * The most memory that was allocated on this device at once, its own needs included as far as it
   * knows them.
   *
   * @return bytes, or 0 where nobody counts
   */
  default long peakMemoryBytes() {
    return 0;
  }

  /**
   * Measures what the device reaches at best, which takes a moment.
   *
   * @param precision of products
   * @return the rates, or empty where nobody measures them
   */
  default Optional<DeviceRates> rates(Precision precision) {
    return Optional.empty();
  }

  /**
   * Copies from the host's memory, and waits.
   *
   * @param from as many floats as the tensor has, beginning at the buffer's position, which stays
   * @param to dense
   */
  void upload(FloatBuffer from, Tensor to);

  /**
   * Copies to the host's memory, and waits for what was to run before.
   *
   * @param from dense
   * @param to room for as many floats as the tensor has, beginning at the buffer's position, which
   *     stays
   */
  void download(Tensor from, FloatBuffer to);

  /**
   * Sets to zero.
   *
   * @param tensor any
   */
  void zero(Tensor tensor);

  /**
   * Makes a cache for the weights of one network.
   *
   * @return an empty cache
   */
  WeightCache weightCache();

  /**
   * Begins a plan.
   *
   * @param weights of the network
   * @param precision of its products
   * @return what makes its kernels
   */
  PlanContext open(WeightCache weights, Precision precision);

  /**
   * An operation that does the work of two, if one of the device's kernels can: the second reads
   * what the first makes, and nobody else does.
   *
   * @param first the first
   * @param next the operation that follows
   * @return one that reads the first's inputs and then the others of the second
   */
  Optional<FusedOp> fuse(FusedOp first, FusedOp next);

  /**
   * One operation that computes for itself what it would read of another. Unlike with {@link
   * #fuse}, all readers of the other do that, each again.
   *
   * @param first the other one, with one output
   * @param reader whose first input is that output
   * @return the reader with the other's first input in place of its own first one, and the other's
   *     further inputs behind its own ones; or empty if that does not pay or there is no kernel
   */
  default Optional<FusedOp> absorb(FusedOp first, FusedOp reader) {
    return Optional.empty();
  }

  /**
   * An operation that keeps what its gradient would otherwise compute again.
   *
   * @param op the operation
   * @param gradient one that reads the same first input
   * @return the operation with one more output, which the gradient can read behind its own inputs;
   *     or empty if the other one is not its gradient, or that does not pay
   */
  default Optional<FusedOp> keeping(FusedOp op, FusedOp gradient) {
    return Optional.empty();
  }

  /**
   * How an operation's output lies, if it is neither an output of the plan nor a sum.
   *
   * @param op the operation
   * @param output which of its outputs
   * @param shape of the output
   * @param precision of the plan
   * @return the format
   */
  TensorFormat format(FusedOp op, int output, long[] shape, Precision precision);

  /**
   * Runs kernels one by one and measures each, as the device does best.
   *
   * @param kernels in order
   * @param clock told the number of a kernel and its nanoseconds
   */
  default void runTimed(List<Kernel> kernels, Clock clock) {
    for (int i = 0; i < kernels.size(); i++) {
      long start = System.nanoTime();
      kernels.get(i).run();
      clock.add(i, System.nanoTime() - start);
    }
  }

  /** Takes times. */
  @FunctionalInterface
  interface Clock {

    /**
     * One more time.
     *
     * @param kernel its number
     * @param nanoseconds that it took
     */
    void add(int kernel, long nanoseconds);
  }

  /** {@return whether the device can train a network without the host} */
  default boolean trains() {
    return false;
  }

  /**
   * Trains a network without the host.
   *
   * @param request what to train
   * @return whole steps
   * @throws UnsupportedOperationException where the device cannot
   */
  default TrainingProgram training(TrainingRequest request) {
    throw new UnsupportedOperationException(
        String.format(Locale.ROOT, "%s cannot train without the host.", name()));
  }

  @Override
  void close();
}
