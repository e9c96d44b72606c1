package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link PackedAttention} on a CPU. */
final class PackedAttentionKernel {

  /** How many scores there are at once, so that they stay in the second-level cache. */
  private static final int MOST_SCORES = 1 << 18;

  /** A product of few rows takes as long as reading all keys. */
  private static final int LEAST_QUERIES = 32;

  private PackedAttentionKernel() {}

  static Kernel kernel(
      PackedAttention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), op.heads());
    return kernel(context, shape, inputs, outputs.get(0));
  }

  static Kernel kernel(CpuContext context, AttentionShape s, List<CpuTensor> qkv, CpuTensor y) {
    Blocks all = Blocks.of(Cut.ofMostScores(s));
    Kernel whole = all.kernel(context, qkv, y, all.cut().blocks());
    double flops = 4.0 * s.images() * s.features() * s.positions() * s.positions();
    return SharedKernel.of(context, flops, whole, threads -> parts(context, all, qkv, y, threads));
  }

  private static List<Kernel> parts(
      CpuContext context, Blocks all, List<CpuTensor> qkv, CpuTensor y, int threads) {
    Blocks fine = Blocks.of(all.cut().finer(threads));
    if (!fine.code().equals(all.code())) {
      return List.of();
    }
    List<Block> blocks = fine.cut().blocks();
    int count = Math.min(threads, blocks.size());
    List<Kernel> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<Block> share =
          blocks.subList(blocks.size() * i / count, blocks.size() * (i + 1) / count);
      parts.add(fine.kernel(context.ofPart(i), qkv, y, share));
    }
    return parts;
  }

  /** Heads and queries that are worked on at once; both divide all. */
  private record Cut(AttentionShape shape, int heads, int queries) {

    static Cut ofMostScores(AttentionShape s) {
      Cut cut = new Cut(s, s.heads(), s.positions());
      while (cut.scores() > MOST_SCORES && (cut.heads > 1 || cut.queries % 2 == 0)) {
        cut = cut.next();
      }
      return cut;
    }

    private long scores() {
      return (long) heads * queries * shape.positions();
    }

    /** With blocks enough for so many threads, if there can be. */
    Cut finer(int threads) {
      Cut cut = this;
      while (cut.count() < threads
          && (cut.heads > 1 || cut.queries % 2 == 0 && cut.queries / 2 >= LEAST_QUERIES)) {
        cut = cut.next();
      }
      return cut;
    }

    private Cut next() {
      return heads == 1
          ? new Cut(shape, 1, queries / 2)
          : new Cut(shape, Divisors.largest(shape.heads(), heads - 1), queries);
    }

    private long count() {
      return (long) shape.images() * (shape.heads() / heads) * (shape.positions() / queries);
    }

    List<Block> blocks() {
      List<Block> blocks = new ArrayList<>();
      for (int n = 0; n < shape.images(); n++) {
        for (int head = 0; head < shape.heads(); head += heads) {
          for (int query = 0; query < shape.positions(); query += queries) {
            blocks.add(new Block(n, head, query));
          }
        }
      }
      return blocks;
    }
  }

  /** What is worked on at once, by the image, the first of its heads and the first query. */
  private record Block(int image, int head, int query) {}

  /** What oneDNN computes of a block. */
  private record Blocks(Cut cut, MatrixProduct scores, Softmax softmax, MatrixProduct reading) {

    static Blocks of(Cut cut) {
      AttentionShape s = cut.shape();
      int heads = cut.heads();
      int queries = cut.queries();
      return new Blocks(
          cut,
          MatrixProduct.scaled(
              s.inQkv(heads, queries),
              s.inQkvTransposed(heads),
              Onednn.dense(heads, queries, s.positions()),
              1 / Math.sqrt(s.width())),
          Softmax.ofRows(memory.data_type.f32, (long) heads * queries, s.positions()),
          MatrixProduct.of(
              Onednn.dense(s.type(), heads, queries, s.positions()),
              s.inQkv(heads, s.positions()),
              s.inRows(heads, queries)));
    }

    /** The names of oneDNN's code. */
    List<String> code() {
      return List.of(scores.code(), softmax.code(), reading.code());
    }

    /** Some blocks one after the other. */
    Kernel kernel(CpuContext context, List<CpuTensor> qkv, CpuTensor y, List<Block> blocks) {
      AttentionShape s = cut.shape();
      List<CpuTensor> scratch = context.scratch(cut.scores(), s.roundedScratch(cut.scores()));
      CpuTensor weights = scratch.get(0);
      CpuTensor factors = s.factors(weights, scratch.get(1));
      Kernel ofScores = softmax.inPlace(context, weights);
      Kernel rounding = s.rounding(context, weights, factors);
      List<Kernel> steps = new ArrayList<>();
      for (Block block : blocks) {
        int n = block.image();
        CpuTensor keys = s.from(block.head(), 0, s.part(qkv, n, 1), s.rowLength());
        CpuTensor values = s.from(block.head(), 0, s.part(qkv, n, 2), s.rowLength());
        CpuTensor asking = s.from(block.head(), block.query(), s.part(qkv, n, 0), s.rowLength());
        CpuTensor answers = s.from(block.head(), block.query(), s.image(y, n), s.features());
        steps.add(scores.call(context, asking, keys, weights));
        steps.add(ofScores);
        steps.add(rounding);
        steps.add(reading.call(context, factors, values, answers));
      }
      return Kernel.sequence(steps);
    }
  }
}
