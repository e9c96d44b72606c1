package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ChannelTiles;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Sums over all positions. Input: {@code [N,H,W,C]}. Output: {@code [N,C]}. */
public final class SumPerChannel extends FusedOp {

  /** For SameDiff. */
  public SumPerChannel() {
    super(1);
  }

  SumPerChannel(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_sum_per_channel";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[3]});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] sums = tiles.array();
    double[] perChannel = new double[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        Arrays.fill(sums, 0);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              Loops.add(sums, values, length);
            });
        tiles.sum(sums, perChannel);
        for (int c = 0; c < channels; c++) {
          outputs.get(0).buffer().put(n * channels + c, (float) perChannel[c]);
        }
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
