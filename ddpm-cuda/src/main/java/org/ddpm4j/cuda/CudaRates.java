package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.ddpm4j.kernels.plan.DeviceRates;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;

/**
 * What a card reaches at best: in a product of large matrices, cuBLAS's where that library is and
 * ours elsewhere, and in a copy within its memory that no cache holds.
 *
 * @param driver of the card
 * @param rows and columns of each matrix, a multiple of 8
 * @param copyBytes that are read and written, a multiple of 256
 */
record CudaRates(CudaDriver driver, int rows, long copyBytes) {

  private static final int ROWS = 8192;
  private static final long COPY_BYTES = 256L << 20;
  private static final int RUNS = 4;
  private static final int MEASUREMENTS = 5;
  private static final int FILL_BYTES = 1 << 20;

  /** Of the usual sizes. */
  CudaRates(CudaDriver driver) {
    this(driver, ROWS, COPY_BYTES);
  }

  /**
   * Measures.
   *
   * @throws org.ddpm4j.kernels.plan.DeviceMemoryException if there is no memory for it
   */
  DeviceRates measure(Precision precision) {
    boolean byCublas = driver instanceof NvidiaDriver && CublasProduct.available();
    double flops = 2.0 * rows * rows * rows;
    return new DeviceRates(
        flops / seconds(product(precision, byCublas)) / 1e9,
        byCublas ? "cuBLAS" : "ddpm4j's kernel",
        2.0 * copyBytes / seconds(copy()) / 1e9);
  }

  /** Work with what it needs. */
  private record Work(Kernel kernel, Runnable end) {}

  /** The least time of one run. */
  private double seconds(Work work) {
    try {
      work.kernel.run();
      driver.synchronize();
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < MEASUREMENTS; i++) {
        double milliseconds =
            driver.milliseconds(
                () -> {
                  for (int run = 0; run < RUNS; run++) {
                    work.kernel.run();
                  }
                });
        least = Math.min(least, milliseconds);
      }
      return least / 1e3 / RUNS;
    } finally {
      work.end.run();
    }
  }

  private Work copy() {
    long both = driver.allocate(2 * copyBytes);
    return new Work(() -> driver.copy(both, both + copyBytes, copyBytes), () -> driver.free(both));
  }

  private Work product(Precision precision, boolean byCublas) {
    ElementType type = precision == Precision.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    long matrix = (long) rows * rows * type.bytes();
    long all = driver.allocate(3 * matrix);
    try {
      // A card multiplies zeros with less power, and so faster, than other numbers.
      fill(all, 2 * matrix, type);
      if (byCublas) {
        CublasProduct product =
            new CublasProduct(
                (NvidiaDriver) driver, precision, rows, all, all + matrix, all + 2 * matrix);
        return new Work(
            product,
            () -> {
              product.close();
              driver.free(all);
            });
      }
      CudaWeightCache weights = new CudaWeightCache(driver);
      CudaContext context = new CudaContext(driver, weights, precision);
      Kernel product =
          ProductKernels.batched(
              context,
              ProductKernels.Operand.packed(all, type, 1, rows, rows),
              ProductKernels.Operand.packed(all + matrix, type, 1, rows, rows),
              ProductKernels.Operand.packed(all + 2 * matrix, type, 1, rows, rows),
              ProductKernels.Sizes.of(1, 1, rows, rows, rows),
              1,
              false);
      return new Work(
          product,
          () -> {
            context.close();
            weights.close();
            driver.free(all);
          });
    } catch (RuntimeException e) {
      driver.free(all);
      throw e;
    }
  }

  private void fill(long address, long bytes, ElementType type) {
    SplittableRandom random = new SplittableRandom(1);
    int length = (int) Math.min(bytes, FILL_BYTES);
    ByteBuffer values = ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
    while (values.hasRemaining()) {
      int bits = Float.floatToIntBits((float) random.nextDouble(-1, 1));
      if (type == ElementType.BFLOAT16) {
        values.putShort((short) (bits >>> Short.SIZE));
      } else {
        values.putInt(bits);
      }
    }
    driver.upload(values.flip(), address);
    for (long done = length; done < bytes; done += length) {
      driver.copy(address, address + done, Math.min(length, bytes - done));
    }
  }
}
