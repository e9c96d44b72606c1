package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Arrays that the kernels of a plan work in: there are as many of a length as were in use at the
 * same time, however many kernels and threads there are.
 */
final class FloatArrays {

  private final Map<Integer, Queue<float[]>> unused = new ConcurrentHashMap<>();

  /** What one thread uses for a while. */
  final class Loan implements AutoCloseable {

    private final List<float[]> lent = new ArrayList<>();

    /** An array of a length, with whatever is in it. */
    float[] array(int length) {
      float[] array = unused(length).poll();
      lent.add(array == null ? new float[length] : array);
      return lent.get(lent.size() - 1);
    }

    /** Several of one length. */
    float[][] arrays(int count, int length) {
      float[][] arrays = new float[count][];
      for (int i = 0; i < count; i++) {
        arrays[i] = array(length);
      }
      return arrays;
    }

    @Override
    public void close() {
      lent.forEach(array -> unused(array.length).add(array));
    }
  }

  private Queue<float[]> unused(int length) {
    return unused.computeIfAbsent(length, l -> new ConcurrentLinkedQueue<>());
  }
}
