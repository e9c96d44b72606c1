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

/**
 * The gradient of {@link ScaleShiftPerChannel}. Inputs: x, scales and shifts, gradient of the
 * output. Outputs: gradients of x and of scales and shifts.
 */
public final class ScaleShiftPerChannelGradient extends FusedOp {

  /** For SameDiff. */
  public ScaleShiftPerChannelGradient() {
    super(2);
  }

  ScaleShiftPerChannelGradient(
      SameDiff graph, SDVariable x, SDVariable scalesAndShifts, SDVariable dy) {
    super(2, graph, x, scalesAndShifts, dy);
  }

  @Override
  public String opName() {
    return "ddpm_scale_shift_per_channel_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] gradient = tiles.array();
    float[] factors = tiles.array();
    float[] sums = tiles.array();
    float[] products = tiles.array();
    float[] perChannel = new float[channels];
    double[] totals = new double[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        int scales = 2 * n * channels;
        inputs.get(1).buffer().get(scales, perChannel);
        for (int c = 0; c < channels; c++) {
          perChannel[c] += 1;
        }
        tiles.repeat(perChannel, factors);
        Arrays.fill(sums, 0);
        Arrays.fill(products, 0);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              inputs.get(2).buffer().get(start + offset, gradient, 0, length);
              Loops.add(sums, gradient, length);
              Loops.addProducts(products, gradient, values, length);
              if (outputs.get(0) != null) {
                Loops.multiply(gradient, factors, length);
                outputs.get(0).buffer().put(start + offset, gradient, 0, length);
              }
            });
        tiles.sum(products, totals);
        put(outputs.get(1), scales, totals);
        tiles.sum(sums, totals);
        put(outputs.get(1), scales + channels, totals);
      }
    };
  }

  private static void put(Tensor target, int start, double[] values) {
    if (target != null) {
      for (int c = 0; c < values.length; c++) {
        target.buffer().put(start + c, (float) values[c]);
      }
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
