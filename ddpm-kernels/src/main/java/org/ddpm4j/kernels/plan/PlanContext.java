package org.ddpm4j.kernels.plan;

import java.util.List;
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
