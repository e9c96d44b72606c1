package org.ddpm4j.cuda;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Tensor;

/** Batches of matrix products, {@code c = alpha·op(a)·op(b) (+ c)}, by {@code gemm.cu}. */
final class ProductKernels {

  private static final String FILE = "gemm.cu";
  private static final int TILE = 64;
  private static final int THREADS = 128;

  private ProductKernels() {}

  /**
   * One operand of every product of a batch. The matrix of image i and head h begins at {@code
   * address + (i·imageStride + h·headStride)·bytes of an element}.
   *
   * @param address of the first matrix
   * @param type of its elements: FLOAT32, or that of the feature maps
   * @param rowStride elements from one stored row to the next
   * @param imageStride elements from one image to the next
   * @param headStride elements from one head to the next
   * @param transposed whether the rows that are stored are the columns of the operand: a lies as
   *     {@code [m][k]}, transposed as {@code [k][m]}; b lies as {@code [k][n]}, transposed as
   *     {@code [n][k]}; c is never transposed
   */
  record Operand(
      long address,
      ElementType type,
      long rowStride,
      long imageStride,
      long headStride,
      boolean transposed) {

    /** Positions times channels of a feature map {@code [N,H,W,C]}, each head with its channels. */
    static Operand ofMap(Tensor map, int firstChannel, int headChannels) {
      long positions = (long) map.size(1) * map.size(2);
      return new Operand(
          map.address() + (long) firstChannel * map.type().bytes(),
          map.type(),
          map.rowLength(),
          positions * map.rowLength(),
          headChannels,
          false);
    }

    /** Matrices {@code [images][heads][rows][rowStride]} one after the other in scratch memory. */
    static Operand packed(long address, ElementType type, int heads, int rows, int rowStride) {
      long matrix = (long) rows * rowStride;
      return new Operand(address, type, rowStride, heads * matrix, matrix, false);
    }

    Operand transpose() {
      return new Operand(address, type, rowStride, imageStride, headStride, !transposed);
    }

    /** Whether 16 bytes at a time can be accessed from the beginning of each row. */
    boolean isAligned() {
      int pack = 16 / type.bytes();
      return address % 16 == 0
          && rowStride % pack == 0
          && imageStride % pack == 0
          && headStride % pack == 0;
    }
  }

  /**
   * The sizes of a batch.
   *
   * @param images how many images
   * @param heads products per image
   * @param m rows of op(a) and c
   * @param n columns of op(b) and c
   * @param k columns of op(a), rows of op(b)
   * @param zeroColumns how many columns right of the last head's in c are set to zero: the padding
   *     of the rows of a feature map
   */
  record Sizes(int images, int heads, int m, int n, int k, int zeroColumns) {

    static Sizes of(int images, int heads, int m, int n, int k) {
      return new Sizes(images, heads, m, n, k, 0);
    }
  }

  /**
   * {@code c = alpha·op(a)·op(b)}, plus what c holds if it accumulates. Operands that are not
   * FLOAT32 are of the feature maps' type; products are formed with the precision of the plan.
   */
  static Kernel batched(
      CudaContext context,
      Operand a,
      Operand b,
      Operand c,
      Sizes sizes,
      float alpha,
      boolean accumulate) {
    String kernel = "product_" + (a.transposed() ? 't' : 'n') + (b.transposed() ? 't' : 'n');
    int columns = sizes.n() + sizes.zeroColumns();
    Launch launch =
        new Launch(blocks(sizes.m()), blocks(columns), sizes.images() * sizes.heads(), THREADS, 0);
    List<Object> arguments = new ArrayList<>();
    for (Operand operand : List.of(a, b, c)) {
      arguments.add(operand.address());
      arguments.add(operand.rowStride());
      arguments.add(operand.imageStride());
      arguments.add(operand.headStride());
      arguments.add(operand.type() == ElementType.FLOAT32 ? 1 : 0);
      arguments.add(operand.isAligned() ? 1 : 0);
    }
    arguments.addAll(
        List.of(
            sizes.images(),
            sizes.heads(),
            sizes.m(),
            sizes.n(),
            sizes.k(),
            sizes.zeroColumns(),
            alpha,
            accumulate ? 1 : 0));
    return context.launch(FILE, kernel, launch, arguments.toArray());
  }

  private static int blocks(int length) {
    return (length + TILE - 1) / TILE;
  }
}
