package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Mean and standard deviation of each group of channels of one image. Sums run over distances from
 * the first position, so that a large mean costs no digits.
 */
final class GroupStatistics {

  private final int positions;
  private final int channels;
  private final int groups;
  private final double epsilon;
  private final ChannelTiles tiles;
  private final float[] x;
  private final float[] from;
  private final float[] sums;
  private final float[] squares;
  private final float[] first;
  private final double[] sum;
  private final double[] square;

  /** For each group. */
  final double[] mean;

  /** For each group: one by the standard deviation. */
  final double[] inverseDeviation;

  GroupStatistics(int positions, int channels, int groups, double epsilon) {
    this.positions = positions;
    this.channels = channels;
    this.groups = groups;
    this.epsilon = epsilon;
    tiles = new ChannelTiles(positions, channels);
    x = tiles.array();
    from = tiles.array();
    sums = tiles.array();
    squares = tiles.array();
    first = new float[channels];
    sum = new double[channels];
    square = new double[channels];
    mean = new double[groups];
    inverseDeviation = new double[groups];
  }

  void compute(CpuTensor image) {
    FloatBuffer values = image.buffer();
    values.get(0, first);
    tiles.repeat(first, from);
    Arrays.fill(sums, 0);
    Arrays.fill(squares, 0);
    tiles.forEach(
        (offset, length) -> {
          values.get(offset, x, 0, length);
          Loops.addMoments(sums, squares, x, from, length);
        });
    tiles.sum(sums, sum);
    tiles.sum(squares, square);
    int perGroup = channels / groups;
    for (int g = 0; g < groups; g++) {
      combineChannels(g, g * perGroup, (g + 1) * perGroup);
    }
  }

  /** Means and squares of the channels give those of the group (Chan et al. 1979). */
  private void combineChannels(int group, int begin, int end) {
    double total = 0;
    for (int c = begin; c < end; c++) {
      total += first[c] + sum[c] / positions;
    }
    mean[group] = total / (end - begin);
    double deviations = 0;
    for (int c = begin; c < end; c++) {
      double channelMean = first[c] + sum[c] / positions;
      double distance = channelMean - mean[group];
      deviations += square[c] - sum[c] * sum[c] / positions + positions * distance * distance;
    }
    double variance = Math.max(0, deviations / ((double) positions * (end - begin)));
    inverseDeviation[group] = 1 / Math.sqrt(variance + epsilon);
  }
}
