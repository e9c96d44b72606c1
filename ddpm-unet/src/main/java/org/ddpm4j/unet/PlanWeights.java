package org.ddpm4j.unet;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.PackedWeights;
import org.ddpm4j.kernels.Tensor;
import org.ddpm4j.kernels.Workers;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The parameters of a network as its plans read them: where they are, and packed copies, which are
 * made anew when the parameters have changed.
 */
final class PlanWeights implements AutoCloseable {

  private final Parameters parameters;
  private final Workers workers;
  private final PackedWeights packed = new PackedWeights();
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final ByteBuffer bytes;

  /** Of the parameters when they were packed last, if that was recorded. */
  private long packedChecksum;

  private boolean recorded;

  private volatile long version;

  PlanWeights(Parameters parameters, Workers workers) {
    this.parameters = parameters;
    this.workers = workers;
    this.bytes = memory(parameters).asByteBuffer();
  }

  static FloatPointer memory(Parameters parameters) {
    INDArray flat = parameters.flat();
    FloatPointer start = new FloatPointer(flat.data().pointer()).getPointer(flat.offset());
    return start.capacity(flat.length());
  }

  /** A tensor for each parameter inside memory that is laid out as the flat buffer is. */
  static Map<String, Tensor> tensors(Parameters layout, FloatPointer memory) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    long offset = 0;
    for (Parameter declaration : layout.declarations()) {
      tensors.put(declaration.name(), Tensor.within(memory, offset, declaration.shape()));
      offset += declaration.length();
    }
    return tensors;
  }

  Map<String, Tensor> tensors() {
    return tensors(parameters, memory(parameters));
  }

  PackedWeights packed() {
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
          pack();
          packedChecksum = checksum();
          recorded = true;
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
      recorded = false;
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
      return recorded && checksum() == packedChecksum;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void pack() {
    packed.pack(workers);
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
