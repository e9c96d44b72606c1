package org.ddpm4j.kernels.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.ddpm4j.kernels.ops.FusedOp;

/** Makes the kernels of one plan, and owns what they share. */
public interface PlanContext extends AutoCloseable {

  /**
   * Runs what makes kernels, as the device wants it: on this thread, and once.
   *
   * @param <T> what it makes
   * @param work calls the methods below
   * @return what the work returns
   */
  default <T> T preparing(Supplier<T> work) {
    return work.get();
  }

  /**
   * Prepares an operation.
   *
   * @param op what to compute
   * @param inputs what it reads
   * @param outputs what it writes; null for an output that nobody needs
   * @return the computation
   * @throws UnsupportedOperationException if the device has no kernel for it
   */
  Kernel kernel(FusedOp op, List<Tensor> inputs, List<Tensor> outputs);

  /**
   * Prepares an operation whose outputs hold nothing yet: those that it adds to are overwritten.
   *
   * @param op as of {@link #kernel}
   * @param inputs as of {@link #kernel}
   * @param outputs as of {@link #kernel}
   * @return the computation
   */
  default Kernel overwriting(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    List<Kernel> all = new ArrayList<>();
    for (int k = 0; k < outputs.size(); k++) {
      if (outputs.get(k) != null && op.addsTo(k)) {
        all.add(zeroing(outputs.get(k)));
      }
    }
    all.add(kernel(op, inputs, outputs));
    return Kernel.sequence(all);
  }

  /**
   * Prepares an operation of which nobody reads the gradients of parameters before the plan ends.
   *
   * @param op as of {@link #kernel}
   * @param inputs as of {@link #kernel}
   * @param outputs as of {@link #kernel}
   * @return the computation, of which a part may be left to {@link #ending}
   */
  default Kernel beginning(FusedOp op, List<Tensor> inputs, List<Tensor> outputs) {
    return kernel(op, inputs, outputs);
  }

  /** {@return what {@link #beginning} has left for the end of the plan} */
  default Optional<Ending> ending() {
    return Optional.empty();
  }

  /**
   * The end of several operations of one kind.
   *
   * @param operation their name in graphs
   * @param bytes of what it reads and makes
   * @param kernel the computation
   */
  record Ending(String operation, long bytes, Kernel kernel) {}

  /**
   * Prepares zeroing.
   *
   * @param tensor what becomes zero
   * @return the computation
   */
  Kernel zeroing(Tensor tensor);

  /**
   * Prepares {@code sum += summand}.
   *
   * @param summand dense
   * @param sum dense, of the same length
   * @return the computation
   */
  Kernel adding(Tensor summand, Tensor sum);

  /**
   * Prepares handing a value to the caller.
   *
   * @param values dense
   * @param taker makes what is to be run when the values are there
   * @return the computation
   * @throws UnsupportedOperationException if the caller has no part in the device's runs
   */
  default Kernel handing(Tensor values, Function<Tensor, Kernel> taker) {
    throw new UnsupportedOperationException(
        "Only plans of the processor hand values to the caller while they run.");
  }

  /**
   * How a plan runs some of its kernels: one after the other, in whatever way is fastest.
   *
   * @param kernels in order
   * @return all of them together
   */
  Kernel assemble(List<Kernel> kernels);

  /** {@return the memory that kernels need only while they run, in bytes} */
  long scratchBytes();

  @Override
  void close();
}
