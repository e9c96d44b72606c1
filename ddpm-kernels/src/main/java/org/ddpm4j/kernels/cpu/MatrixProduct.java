package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.algorithm.eltwise_linear;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * A matrix product, or several at once: {@code c = factor·a·b}, or {@code c += a·b}. Operands are
 * described by shapes and strides, so that transposed matrices and parts of rows need no copies.
 *
 * @param primitive oneDNN's
 * @param code the name of its code
 * @param a left operand
 * @param b right operand
 * @param c result
 */
record MatrixProduct(matmul primitive, String code, memory.desc a, memory.desc b, memory.desc c) {

  static MatrixProduct of(memory.desc a, memory.desc b, memory.desc c) {
    return with(a, b, c, Onednn.attributes());
  }

  static MatrixProduct scaled(memory.desc a, memory.desc b, memory.desc c, double factor) {
    post_ops operations = new post_ops();
    operations.append_eltwise(eltwise_linear, (float) factor, 0f);
    return with(a, b, c, Onednn.attributes(operations));
  }

  /** Adds to a result, or overwrites it where that is blank. */
  static MatrixProduct addingTo(CpuTensor result, memory.desc a, memory.desc b, memory.desc c) {
    return with(a, b, c, Onednn.attributesOfAddingTo(result));
  }

  private static MatrixProduct with(
      memory.desc a, memory.desc b, memory.desc c, primitive_attr attributes) {
    var description = new matmul.primitive_desc(Onednn.engine(), a, b, c, attributes, false);
    return new MatrixProduct(
        new matmul(description), description.impl_info_str().getString(), a, b, c);
  }

  /** The product of these operands. */
  DnnlCall call(CpuContext context, CpuTensor left, CpuTensor right, CpuTensor result) {
    return context
        .call(primitive)
        .with(DNNL_ARG_SRC, context.memory(a, left))
        .with(DNNL_ARG_WEIGHTS, context.memory(b, right))
        .with(DNNL_ARG_DST, context.memory(c, result));
  }

  /**
   * Products of matrices that lie one behind the other. The threads of a team take some each.
   *
   * @param flops floating-point operations, as {@link SharedKernel} judges them
   * @param count how many products
   * @param of that of so many matrices at once
   */
  static Kernel shared(
      CpuContext context,
      double flops,
      int count,
      IntFunction<MatrixProduct> of,
      CpuTensor left,
      CpuTensor right,
      CpuTensor result) {
    MatrixProduct whole = of.apply(count);
    return SharedKernel.of(
        context,
        flops,
        whole.call(context, left, right, result),
        threads -> {
          int parts = Divisors.largest(count, threads);
          MatrixProduct some = of.apply(count / parts);
          return some.code.equals(whole.code)
              ? some.parts(context, parts, left, right, result)
              : List.of();
        });
  }

  private List<Kernel> parts(
      CpuContext context, int count, CpuTensor left, CpuTensor right, CpuTensor result) {
    List<Kernel> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      parts.add(
          call(
              context.ofPart(i),
              part(left, i, count),
              part(right, i, count),
              part(result, i, count)));
    }
    return parts;
  }

  private static CpuTensor part(CpuTensor whole, int i, int parts) {
    long length = whole.length() / parts;
    return whole.part(i * length, length);
  }
}
