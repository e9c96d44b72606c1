package org.ddpm4j.kernels.ops;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;

import java.util.List;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** From {@code [N,C,H,W]} to {@code [N,H,W,C]}. */
public final class ChannelsLast extends FusedOp {

  /** For SameDiff. */
  public ChannelsLast() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x images
   */
  public ChannelsLast(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_channels_last";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[2], x[3], x[1]});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    long[] logical = inputs.get(0).shape();
    memory from =
        context.memory(
            new memory.desc(logical, memory.data_type.f32, memory.format_tag.nchw), inputs.get(0));
    memory to =
        context.memory(
            new memory.desc(logical, memory.data_type.f32, memory.format_tag.nhwc), outputs.get(0));
    return context.call(new reorder(from, to)).with(DNNL_ARG_SRC, from).with(DNNL_ARG_DST, to);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new ChannelsFirst(sameDiff, gradients.get(0)).outputVariable());
  }
}
