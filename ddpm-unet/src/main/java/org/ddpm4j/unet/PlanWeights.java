package org.ddpm4j.unet;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
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

  /** The parameters when they were packed last, if that was recorded. */
  private ByteBuffer packedBytes;

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
          remember();
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

  /** Comparing takes a small part of the time that a forward pass takes. */
  private boolean isCurrent() {
    lock.readLock().lock();
    try {
      return recorded && bytes.mismatch(packedBytes) == -1;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void pack() {
    packed.pack(workers);
    version++;
  }

  private void remember() {
    if (packedBytes == null) {
      packedBytes = ByteBuffer.allocateDirect(bytes.capacity());
    }
    packedBytes.put(0, bytes, 0, bytes.capacity());
    recorded = true;
  }

  @Override
  public void close() {
    packed.close();
  }
}
