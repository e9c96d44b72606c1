package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.PointerScope;
import org.ddpm4j.kernels.plan.Kernel;

/** How fast this machine multiplies large matrices: what the speed of plans is compared with. */
public final class MatrixMultiplyRate {

  /** Rows and columns of each matrix. */
  public static final int SIZE = 1024;

  private static final int PRODUCTS_PER_ROUND = 4;

  private MatrixMultiplyRate() {}

  /**
   * Multiplies matrices of {@link #SIZE} rows and columns in float32, with oneDNN, on several
   * threads at once, each of which has matrices of its own.
   *
   * @param threads how many, at least 1
   * @param duration how long to measure, at least
   * @return 10⁹ floating-point operations per second of all threads together, in the fastest round
   */
  public static double gigaflops(int threads, Duration duration) {
    // The engine must outlive the scope.
    Onednn.engine();
    List<FloatMemory> memories = new ArrayList<>();
    PointerScope nativeObjects = new PointerScope();
    try (Workers workers = new Workers(threads)) {
      List<Kernel> products = new ArrayList<>();
      OpenMp.singleThreaded(
          () -> {
            for (int i = 0; i < threads; i++) {
              products.add(product(memories));
            }
          });
      long start = System.nanoTime();
      double fastest = Double.POSITIVE_INFINITY;
      while (System.nanoTime() - start < duration.toNanos() || Double.isInfinite(fastest)) {
        fastest = Math.min(fastest, round(workers, products));
      }
      return threads * PRODUCTS_PER_ROUND * 2 * Math.pow(SIZE, 3) / fastest;
    } finally {
      nativeObjects.close();
      memories.forEach(FloatMemory::close);
    }
  }

  private static Kernel product(List<FloatMemory> memories) {
    memory.desc matrix = Onednn.dense(SIZE, SIZE);
    matmul primitive =
        new matmul(
            new matmul.primitive_desc(
                Onednn.engine(), matrix, matrix, matrix, new primitive_attr(), false));
    return new DnnlCall(primitive, new stream(Onednn.engine()))
        .with(DNNL_ARG_SRC, operand(matrix, memories))
        .with(DNNL_ARG_WEIGHTS, operand(matrix, memories))
        .with(DNNL_ARG_DST, operand(matrix, memories));
  }

  private static memory operand(memory.desc matrix, List<FloatMemory> memories) {
    FloatMemory values = new FloatMemory(SIZE * SIZE);
    memories.add(values);
    CpuTensor tensor = values.tensor(0, SIZE, SIZE);
    float[] row = new float[SIZE];
    Arrays.fill(row, 1f / SIZE);
    for (int i = 0; i < SIZE; i++) {
      tensor.buffer().put(i * SIZE, row);
    }
    return new memory(matrix, Onednn.engine(), tensor.pointer());
  }

  /** Returns the nanoseconds that all threads took. */
  private static double round(Workers workers, List<Kernel> products) {
    long start = System.nanoTime();
    workers.forEach(
        products.size(),
        i ->
            OpenMp.singleThreaded(
                () -> {
                  for (int k = 0; k < PRODUCTS_PER_ROUND; k++) {
                    products.get(i).run();
                  }
                }));
    return System.nanoTime() - start;
  }
}
