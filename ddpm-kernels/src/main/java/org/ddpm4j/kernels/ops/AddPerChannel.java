package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.ChannelTiles;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Adds one number per image and channel at every position. Inputs: x {@code [N,H,W,C]}, v {@code
 * [N,C]}. Output: {@code [N,H,W,C]}.
 */
public final class AddPerChannel extends FusedOp {

  /** For SameDiff. */
  public AddPerChannel() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param v {@code [N,C]}
   */
  public AddPerChannel(SameDiff graph, SDVariable x, SDVariable v) {
    super(1, graph, x, v);
  }

  @Override
  public String opName() {
    return "ddpm_add_per_channel";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    Tensor v = inputs.get(1);
    Tensor y = outputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] summands = tiles.array();
    float[] perChannel = new float[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        v.buffer().get(n * channels, perChannel);
        tiles.repeat(perChannel, summands);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              Loops.add(values, summands, length);
              y.buffer().put(start + offset, values, 0, length);
            });
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        gradients.get(0), new SumPerChannel(sameDiff, gradients.get(0)).outputVariable());
  }
}
