package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * The sizes of multi-head attention over the positions of one image, with queries, keys and values
 * side by side in one tensor, or in a tensor each.
 *
 * @param images N
 * @param positions H·W
 * @param heads number of heads
 * @param width features of a head, d
 * @param rowLength numbers from the queries of a position to those of the next
 * @param type of the numbers
 */
record AttentionShape(
    int images, int positions, int heads, int width, int rowLength, memory.data_type type) {

  /** Of queries, keys and values side by side. */
  static AttentionShape of(CpuTensor qkv, int heads) {
    return of(qkv, heads, qkv.size(3) / 3);
  }

  /** Of queries, keys and values in a tensor each, of which this is one. */
  static AttentionShape ofEach(CpuTensor part, int heads) {
    return of(part, heads, part.size(3));
  }

  private static AttentionShape of(CpuTensor rows, int heads, int features) {
    return new AttentionShape(
        rows.size(0),
        rows.size(1) * rows.size(2),
        heads,
        features / heads,
        rows.size(3),
        rows.dataType());
  }

  /** So many of the heads alone, in the same rows of queries, keys and values. */
  AttentionShape ofHeads(int count) {
    return new AttentionShape(images, positions, count, width, rowLength, type);
  }

  /** The features of all heads. */
  int features() {
    return heads * width;
  }

  /** Queries, keys or values, {@code [heads,P,d]}. */
  memory.desc inQkv() {
    return Onednn.strided(type, byPositions(), width, rowLength, 1);
  }

  /** The same of some heads and positions. */
  memory.desc inQkv(int someHeads, int rows) {
    return Onednn.strided(type, new long[] {someHeads, rows, width}, width, rowLength, 1);
  }

  /** The same of some heads, each transposed: {@code [heads,d,P]}. */
  memory.desc inQkvTransposed(int someHeads) {
    return Onednn.strided(type, new long[] {someHeads, width, positions}, width, 1, rowLength);
  }

  /** Rows of the features of all heads, {@code [heads,P,d]}. */
  memory.desc inRows() {
    return inRows(type);
  }

  /** The same of some heads and positions. */
  memory.desc inRows(int someHeads, int rows) {
    return Onednn.strided(type, new long[] {someHeads, rows, width}, width, features(), 1);
  }

  /** The same, of other numbers. */
  memory.desc inRows(memory.data_type typeOfRows) {
    return Onednn.strided(typeOfRows, byPositions(), width, features(), 1);
  }

  /** The same, each transposed: {@code [heads,d,P]}. */
  memory.desc inRowsTransposed() {
    return Onednn.strided(type, byFeatures(), width, 1, features());
  }

  private long[] byPositions() {
    return new long[] {heads, positions, width};
  }

  private long[] byFeatures() {
    return new long[] {heads, width, positions};
  }

  /** The queries (part 0), keys (1) or values (2) of one image and what follows in memory. */
  CpuTensor part(CpuTensor qkv, int image, int part) {
    long start = (long) image * positions * 3 * features() + (long) part * features();
    return qkv.part(start, qkv.length() - start);
  }

  /** The same, in one tensor of all three or in a tensor each. */
  CpuTensor part(List<CpuTensor> tensors, int image, int part) {
    return rowLength == features()
        ? image(tensors.get(part), image)
        : part(tensors.get(0), image, part);
  }

  /** What begins with a head of a position, of rows of some length. */
  CpuTensor from(int head, int position, CpuTensor rows, int length) {
    long start = (long) position * length + (long) head * width;
    return rows.part(start, rows.length() - start);
  }

  /** The rows of one image. */
  CpuTensor image(CpuTensor rows, int image) {
    return rows.part((long) image * positions * features(), (long) positions * features());
  }

  /** Of softmaxes that were kept, those of an image's queries (part 0) or keys (1). */
  CpuTensor kept(CpuTensor softmaxes, int image, int part) {
    long length = (long) positions * features();
    return softmaxes.part((2L * image + part) * length, positions, features());
  }

  /** The floats of scratch memory that {@link #factors} takes. */
  long roundedScratch(long length) {
    return type == memory.data_type.f32 ? 0 : CpuTensor.floatsFor(length);
  }

  /** Where so many floats lie as products read them: in their own place, or rounded in scratch. */
  CpuTensor factors(CpuTensor floats, CpuTensor scratch) {
    return type == memory.data_type.f32 ? floats : scratch.asBfloat16(floats.shape());
  }

  /** Rounds floats to their factors, if these lie elsewhere. */
  Kernel rounding(CpuContext context, CpuTensor floats, CpuTensor factors) {
    return type == memory.data_type.f32 ? () -> {} : context.copying(floats, factors);
  }
}
