package org.ddpm4j.cuda;

import java.util.List;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Tensor;

/** Tensors as kernels see them: rows of the last axis, with padding or without. */
final class Rows {

  /** What one instruction loads or stores. */
  private static final int PACK_BYTES = 16;

  /** Of a block where each works alone. */
  static final int THREADS = 256;

  private Rows() {}

  /** The number of rows; 1 for a scalar. */
  static long count(Tensor tensor) {
    long rows = 1;
    for (int axis = 0; axis + 1 < tensor.rank(); axis++) {
      rows *= tensor.size(axis);
    }
    return rows;
  }

  /** The numbers of a row, without padding; 1 of a scalar. */
  static int width(Tensor tensor) {
    return tensor.rank() == 0 ? 1 : tensor.size(tensor.rank() - 1);
  }

  /** From one row to the next. */
  static int length(Tensor tensor) {
    return Math.toIntExact(tensor.rowLength());
  }

  /** All elements, with padding. */
  static long elements(Tensor tensor) {
    return count(tensor) * tensor.rowLength();
  }

  static boolean isBfloat16(Tensor tensor) {
    return tensor.type() == ElementType.BFLOAT16;
  }

  /** Elements in 16 bytes. */
  static int pack(Tensor tensor) {
    return PACK_BYTES / tensor.type().bytes();
  }

  static long packs(Tensor tensor) {
    return (elements(tensor) + pack(tensor) - 1) / pack(tensor);
  }

  /** Whether rows consist of packs of the elements that maps have in this context. */
  static boolean arePacks(CudaContext context, Tensor tensor) {
    return tensor.type().bytes() == context.elementBytes()
        && tensor.rowLength() % pack(tensor) == 0;
  }

  /** A thread for each of these. */
  static Launch launch(long elements) {
    return Launch.forElements(elements, THREADS);
  }

  /** Address, type and row length, as kernels of any format take them. */
  static List<Object> anyFormat(Tensor tensor) {
    return List.of(tensor, isBfloat16(tensor) ? 1 : 0, length(tensor));
  }
}
