package org.ddpm4j.kernels.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_0;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.Add;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Add} on a CPU. */
final class AddKernel {

  private AddKernel() {}

  static Kernel kernel(
      Add op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor y = outputs.get(0);
    if (Stream.concat(inputs.stream(), outputs.stream()).allMatch(CpuTensor::isFloat)) {
      return new PairwiseKernel(inputs, y, Loops::add);
    }
    memory.desc layout = Onednn.dense(y.dataType(), y.length());
    CpuTensor a = inputs.get(0);
    CpuTensor b = inputs.get(1);
    return context
        .call(
            new binary(
                new binary.primitive_desc(
                    Onednn.engine(),
                    algorithm.binary_add,
                    Onednn.dense(a.dataType(), a.length()),
                    Onednn.dense(b.dataType(), b.length()),
                    layout,
                    Onednn.attributes(),
                    false)))
        .with(DNNL_ARG_SRC_0, context.memory(Onednn.dense(a.dataType(), a.length()), a))
        .with(DNNL_ARG_SRC_1, context.memory(Onednn.dense(b.dataType(), b.length()), b))
        .with(DNNL_ARG_DST, context.memory(layout, y));
  }
}
