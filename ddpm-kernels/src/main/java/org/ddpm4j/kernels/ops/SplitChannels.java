package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link ConcatChannels}: the first channels and the rest. */
public final class SplitChannels extends FusedOp {

  /** For SameDiff. */
  public SplitChannels() {
    super(2);
  }

  SplitChannels(SameDiff graph, SDVariable x, int firstChannels) {
    super(2, graph, x);
    addIArgument(firstChannels);
  }

  @Override
  public String opName() {
    return "ddpm_split_channels";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(
        new long[] {x[0], x[1], x[2], setting(0)},
        new long[] {x[0], x[1], x[2], x[3] - setting(0)});
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    int channels = x.size(3);
    int rows = x.length() / channels;
    return () -> {
      int begin = 0;
      for (int i = 0; i < 2; i++) {
        int width = i == 0 ? setting(0) : channels - setting(0);
        if (outputs.get(i) != null) {
          for (int row = 0; row < rows; row++) {
            outputs.get(i).buffer().put(row * width, x.buffer(), row * channels + begin, width);
          }
        }
        begin += width;
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
