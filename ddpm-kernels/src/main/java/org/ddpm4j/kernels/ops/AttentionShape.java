package org.ddpm4j.kernels.ops;

import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;

/**
 * The sizes of multi-head attention over the positions of one image.
 *
 * @param images N
 * @param positions H·W
 * @param heads number of heads
 * @param width features of a head, d
 */
record AttentionShape(int images, int positions, int heads, int width) {

  static AttentionShape of(Tensor qkv, int heads) {
    return new AttentionShape(
        qkv.size(0), qkv.size(1) * qkv.size(2), heads, qkv.size(3) / (3 * heads));
  }

  /** The features of all heads. */
  int features() {
    return heads * width;
  }

  /** Queries, keys or values inside qkv, {@code [heads,P,d]}. */
  memory.desc inQkv() {
    return Onednn.strided(byPositions(), width, 3L * features(), 1);
  }

  /** The same, each transposed: {@code [heads,d,P]}. */
  memory.desc inQkvTransposed() {
    return Onednn.strided(byFeatures(), width, 1, 3L * features());
  }

  /** Rows of the features of all heads, {@code [heads,P,d]}. */
  memory.desc inRows() {
    return Onednn.strided(byPositions(), width, features(), 1);
  }

  /** The same, each transposed: {@code [heads,d,P]}. */
  memory.desc inRowsTransposed() {
    return Onednn.strided(byFeatures(), width, 1, features());
  }

  private long[] byPositions() {
    return new long[] {heads, positions, width};
  }

  private long[] byFeatures() {
    return new long[] {heads, width, positions};
  }

  /** The queries (part 0), keys (1) or values (2) of one image and what follows in memory. */
  Tensor part(Tensor qkv, int image, int part) {
    long start = (long) image * positions * 3 * features() + (long) part * features();
    return qkv.part(start, qkv.length() - start);
  }

  /** The rows of one image. */
  Tensor image(Tensor rows, int image) {
    return rows.part((long) image * positions * features(), (long) positions * features());
  }
}
