package org.ddpm4j.kernels.cpu;

import static org.ddpm4j.kernels.cpu.Winograd1dLoops.IN;
import static org.ddpm4j.kernels.cpu.Winograd1dLoops.KERNEL;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * The weights of a convolution as {@link Winograd1d} and its gradient read them: {@code G g}, six
 * kernels of 1x3 in bfloat16, in the layout that oneDNN wants.
 */
final class Winograd1dWeights {

  private static final int FLOATS_AT_ONCE = 1024;

  private Winograd1dWeights() {}

  /**
   * The weights of each frequency.
   *
   * @param weights {@code [3,3,iC,oC]}
   * @param layout of one frequency's
   */
  static List<memory> packed(CpuContext context, CpuTensor weights, memory.desc layout) {
    long floats = FloatMemory.roundUp(CpuTensor.floatsFor(layout.get_size() / 2));
    // The weights outlive the plan that is being compiled, and what belongs to it.
    memory.desc kept = new memory.desc(layout);
    kept.retainReference();
    CpuTensor all =
        context.derived(
            weights,
            "1-D Winograd, " + name(layout),
            IN * floats,
            (from, to) -> OpenMp.singleThreaded(() -> transform(from, kept, to)));
    List<memory> packed = new ArrayList<>();
    for (int f = 0; f < IN; f++) {
      packed.add(context.memory(layout, all.part(f * floats, floats)));
    }
    return packed;
  }

  /** Equal for equal layouts. */
  private static String name(memory.desc layout) {
    int blocks = layout.get_inner_nblks();
    return Arrays.toString(longs(layout.get_strides(), 4))
        + Arrays.toString(longs(layout.get_inner_blks(), blocks))
        + Arrays.toString(longs(layout.get_inner_idxs(), blocks));
  }

  private static long[] longs(LongPointer pointer, int count) {
    long[] values = new long[count];
    if (count > 0) {
      pointer.get(values);
    }
    return values;
  }

  /** A kernel of one row as the network keeps the rows of its own: {@code [3,iC,oC]}. */
  static memory.desc plain(CpuTensor weights) {
    long in = weights.size(2);
    long out = weights.size(3);
    return Onednn.strided(new long[] {out, in, 1, KERNEL}, 1, out, KERNEL * in * out, in * out);
  }

  private static void transform(CpuTensor weights, memory.desc layout, CpuTensor to) {
    int row = weights.length() / KERNEL;
    long share = to.length() / IN;
    float[][] g = new float[KERNEL][FLOATS_AT_ONCE];
    float[] u = new float[FLOATS_AT_ONCE];
    PointerScope nativeObjects = new PointerScope();
    try (FloatMemory memory = new FloatMemory(row)) {
      CpuTensor floats = memory.tensor(0, row);
      memory source = new memory(plain(weights), Onednn.engine(), floats.pointer());
      stream stream = new stream(Onednn.engine());
      for (int f = 0; f < IN; f++) {
        for (int start = 0; start < row; start += FLOATS_AT_ONCE) {
          int n = Math.min(FLOATS_AT_ONCE, row - start);
          for (int k = 0; k < KERNEL; k++) {
            weights.buffer().get(k * row + start, g[k], 0, n);
          }
          Winograd1dLoops.transformFilter(g, f, u, n);
          floats.buffer().put(start, u, 0, n);
        }
        memory target = new memory(layout, Onednn.engine(), to.part(f * share, share).pointer());
        new reorder(source, target).execute(stream, source, target);
      }
    } finally {
      nativeObjects.close();
    }
  }
}
