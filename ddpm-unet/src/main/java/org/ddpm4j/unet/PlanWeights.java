package org.ddpm4j.unet;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.ddpm4j.kernels.plan.Device;
import org.ddpm4j.kernels.plan.Tensor;
import org.ddpm4j.kernels.plan.WeightCache;

/**
 * The parameters of a network as its plans read them: where they are, and packed copies, which are
 * made anew when the parameters have changed.
 */
final class PlanWeights implements AutoCloseable {

  private final Parameters parameters;
  private final WeightCache packed;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final ByteBuffer bytes;

  /** Of the parameters when they were packed last; -1 if they may have changed since. */
  private long packedVersion = -1;

  /** Of the same; null if nobody had an array to write to them unseen. */
  private Long packedChecksum;

  private volatile long version;

  PlanWeights(Parameters parameters, Device device) {
    this.parameters = parameters;
    this.packed = device.weightCache();
    this.bytes = Contiguous.bytes(parameters.values());
  }

  /** The parameters by their names, where they are. */
  Map<String, Tensor> tensors() {
    return WholeBatchExecutor.parts(parameters, SingleExecution.tensor(parameters.values()));
  }

  WeightCache packed() {
    return packed;
  }

  /** Increases whenever the weights are packed. */
  long version() {
    return version;
  }

  /**
   * Works with packed copies of the parameters as they are now; packs them if they have changed.
   */
  <T> T withCurrent(Supplier<T> work) {
    if (!isCurrent()) {
      lock.writeLock().lock();
      try {
        if (!isCurrent()) {
          // Before packing: a change meanwhile must not go unnoticed.
          long changes = parameters.version();
          Long checksum = parameters.isLent() ? checksum() : null;
          pack();
          packedVersion = changes;
          packedChecksum = checksum;
        }
      } finally {
        lock.writeLock().unlock();
      }
    }
    return reading(work);
  }

  /** As {@link #withCurrent}, for parameters that are known to have changed. */
  <T> T withChanged(Supplier<T> work) {
    lock.writeLock().lock();
    try {
      pack();
    } finally {
      lock.writeLock().unlock();
    }
    return reading(work);
  }

  private <T> T reading(Supplier<T> work) {
    lock.readLock().lock();
    try {
      return work.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  private boolean isCurrent() {
    lock.readLock().lock();
    try {
      if (packedVersion < 0 || !parameters.isLent()) {
        return packedVersion == parameters.version();
      }
      return packedChecksum != null && packedChecksum == checksum();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Where packing fails, for want of memory, the copies are of no version, and made anew later. */
  private void pack() {
    packedVersion = -1;
    packed.refresh();
    version++;
  }

  /**
   * Two sums of 32 bits, each of which any change of a single parameter changes; another one goes
   * unnoticed once in 2⁶⁴ times. A copy to compare with would take the memory of all parameters
   * again.
   */
  private long checksum() {
    CRC32 first = new CRC32();
    first.update(bytes.duplicate());
    CRC32C second = new CRC32C();
    second.update(bytes.duplicate());
    return first.getValue() << Integer.SIZE | second.getValue();
  }

  @Override
  public void close() {
    packed.close();
  }
}
