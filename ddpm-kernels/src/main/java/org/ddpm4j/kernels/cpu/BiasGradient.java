package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Adds the gradient of a layer's output, {@code [N,…,C]}, summed over all but the channels, to the
 * gradient of its bias, {@code [C]}.
 */
final class BiasGradient implements Kernel {

  private final FloatImages slopes;
  private final CpuTensor db;
  private final ChannelTiles tiles;
  private final float[] values;
  private final float[] sums;
  private final double[] ofGroup;
  private final double[] perChannel;

  /**
   * The sum of one gradient.
   *
   * @param dy the gradient of the output, in floats or bfloat16
   * @param db added to, or overwritten where it is blank
   */
  BiasGradient(CpuContext context, CpuTensor dy, CpuTensor db) {
    this.db = db;
    int channels = db.length();
    slopes = FloatImages.reading(context, dy, context.scratch(FloatImages.scratch(dy)).get(0));
    tiles = new ChannelTiles((int) (FloatImages.groupLength(dy) / channels), channels);
    values = tiles.array();
    sums = tiles.array();
    ofGroup = new double[channels];
    perChannel = new double[channels];
  }

  @Override
  public void run() {
    Arrays.fill(perChannel, 0);
    for (int n = 0; n < slopes.count(); n++) {
      slopes.load(n);
      if (slopes.endsGroup(n)) {
        addGroup(slopes.group(n));
      }
    }
    ParameterGradients.add(db, perChannel);
  }

  private void addGroup(CpuTensor group) {
    Arrays.fill(sums, 0);
    tiles.forEach(
        (offset, length) -> {
          group.buffer().get(offset, values, 0, length);
          Loops.add(sums, values, length);
        });
    tiles.sum(sums, ofGroup);
    for (int c = 0; c < perChannel.length; c++) {
      perChannel[c] += ofGroup[c];
    }
  }
}
