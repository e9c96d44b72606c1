package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LinearAttention} on a CPU. */
final class LinearAttentionKernel {

  private LinearAttentionKernel() {}

  static Kernel kernel(
      LinearAttention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor qkv = inputs.get(0);
    CpuTensor y = outputs.get(0);
    CpuTensor kept = outputs.size() == 1 ? null : outputs.get(1);
    AttentionShape s = AttentionShape.of(qkv, op.heads());
    Heads all = Heads.of(s, s.heads());
    List<Kernel> images = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      images.add(all.kernel(context, qkv, kept, y, n, 0));
    }
    Kernel whole = Kernel.sequence(images);
    double flops = 4.0 * s.images() * s.positions() * s.features() * s.width();
    return kept != null
        ? whole
        : SharedKernel.of(context, flops, whole, threads -> parts(context, all, qkv, y, threads));
  }

  private static List<Kernel> parts(
      CpuContext context, Heads all, CpuTensor qkv, CpuTensor y, int threads) {
    AttentionShape s = all.all();
    int some = s.heads();
    while (some > 1 && s.images() * (s.heads() / some) < threads) {
      some = Divisors.largest(s.heads(), some - 1);
    }
    Heads heads = Heads.of(s, some);
    if (!heads.code().equals(all.code())) {
      return List.of();
    }
    List<Kernel> parts = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      for (int first = 0; first < s.heads(); first += some) {
        parts.add(heads.kernel(context.ofPart(parts.size()), qkv, null, y, n, first));
      }
    }
    return parts;
  }

  /** What oneDNN computes of some heads of one image. */
  private record Heads(
      AttentionShape all,
      AttentionShape some,
      Softmax ofQueries,
      Softmax ofKeys,
      MatrixProduct summing,
      MatrixProduct reading) {

    static Heads of(AttentionShape s, int heads) {
      AttentionShape some = s.ofHeads(heads);
      memory.desc summary = Onednn.dense(s.type(), heads, s.width(), s.width());
      return new Heads(
          s,
          some,
          Softmax.ofRows(s.type(), (long) s.positions() * heads, s.width()),
          Softmax.ofColumns(s.type(), s.positions(), some.features()),
          MatrixProduct.scaled(
              some.inRowsTransposed(), some.inQkv(), summary, 1 / Math.sqrt(s.width())),
          MatrixProduct.of(some.inRows(), summary, s.inRows(heads, s.positions())));
    }

    /** The names of oneDNN's code. */
    List<String> code() {
      return List.of(ofQueries.code(), ofKeys.code(), summing.code(), reading.code());
    }

    /** The softmaxes of all heads may be kept; where they are not, kept is null. */
    Kernel kernel(
        CpuContext context, CpuTensor qkv, CpuTensor kept, CpuTensor y, int n, int first) {
      long rows = kept == null ? (long) all.positions() * some.features() : 0;
      List<CpuTensor> scratch = context.scratch(rows, rows, (long) some.features() * all.width());
      CpuTensor contextMatrix = scratch.get(2);
      CpuTensor q = kept == null ? rows(some, scratch.get(0)) : all.kept(kept, n, 0);
      CpuTensor k = kept == null ? rows(some, scratch.get(1)) : all.kept(kept, n, 1);
      CpuTensor v = all.from(first, 0, all.part(qkv, n, 2), all.rowLength());
      CpuTensor answers = all.from(first, 0, all.image(y, n), all.features());
      CpuTensor image = image(qkv, all, n);
      long firstFeature = (long) first * all.width();
      return Kernel.sequence(
          List.of(
              ChannelRange.gathering(context, image, firstFeature, q),
              ofQueries.inPlace(context, q),
              ChannelRange.gathering(context, image, all.features() + firstFeature, k),
              ofKeys.inPlace(context, k),
              summing.call(context, k, v, contextMatrix),
              reading.call(context, q, contextMatrix, answers)));
    }
  }

  /** Scratch memory for rows in the format of queries, keys and values. */
  private static CpuTensor rows(AttentionShape s, CpuTensor floats) {
    long[] shape = {s.positions(), s.features()};
    return s.type() == memory.data_type.f32 ? floats.part(0, shape) : floats.asBfloat16(shape);
  }

  /** Queries, keys and values of one image, a row for each position. */
  static CpuTensor image(CpuTensor qkv, AttentionShape s, int n) {
    long width = 3L * s.features();
    return qkv.part(n * s.positions() * width, s.positions(), width);
  }
}
