package org.ddpm4j.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.internal.memory.AbstractMemoryMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.BaseNDArray;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The arrays of a graph that is executed again and again with the same shapes. SameDiff leaves the
 * arrays of a gradient to the garbage collector, which does not see how large they are, and takes
 * new ones each time; here the arrays of one run serve the next.
 */
final class RecycledMemory extends AbstractMemoryMgr {

  private record Kind(DataType dataType, List<Long> shape) {}

  private final List<INDArray> inUse = new ArrayList<>();
  private final Map<Kind, Deque<INDArray>> free = new HashMap<>();

  @Override
  public INDArray allocate(boolean detached, DataType dataType, long... shape) {
    return allocate(dataType, 'c', shape);
  }

  @Override
  public INDArray allocate(boolean detached, LongShapeDescriptor descriptor) {
    return descriptor.isEmpty()
        ? Nd4j.create(descriptor)
        : allocate(descriptor.dataType(), descriptor.getOrder(), descriptor.getShape());
  }

  private INDArray allocate(DataType dataType, char order, long... shape) {
    Deque<INDArray> candidates = free.get(kind(dataType, shape));
    INDArray array =
        candidates == null || candidates.isEmpty()
            ? Nd4j.createUninitializedDetached(dataType, order, shape)
            : candidates.pop();
    if (array.ordering() != order) {
      array.setOrder(order);
    }
    // SameDiff recognises arrays by their number.
    ((BaseNDArray) array).assignNewId();
    inUse.add(array);
    return array;
  }

  private static Kind kind(DataType dataType, long... shape) {
    return new Kind(dataType, Arrays.stream(shape).boxed().toList());
  }

  /** A run keeps all its arrays: views of them may still be read. */
  @Override
  public void release(INDArray array) {}

  /** Ends a run, whose results must have been copied by now. */
  void recycle() {
    for (INDArray array : inUse) {
      free.computeIfAbsent(kind(array.dataType(), array.shape()), kind -> new ArrayDeque<>())
          .push(array);
    }
    inUse.clear();
  }

  /** Gives all memory back. */
  @Override
  public void close() {
    recycle();
    free.values().forEach(arrays -> arrays.forEach(RecycledMemory::free));
    free.clear();
  }

  private static void free(INDArray array) {
    if (array.closeable()) {
      array.close();
    }
  }
}
