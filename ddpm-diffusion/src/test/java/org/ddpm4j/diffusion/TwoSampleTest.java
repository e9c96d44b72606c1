package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Whether two samples of points come from one distribution: the permutation test of the energy
 * distance {@code 2E|X-Y| - E|X-X'| - E|Y-Y'|} (Székely and Rizzo 2004).
 */
final class TwoSampleTest {

  private static final int PERMUTATIONS = 999;

  private final double[][] distances;
  private final double[] sums;
  private final int first;

  TwoSampleTest(double[][] x, double[][] y) {
    first = x.length;
    double[][] all = new double[x.length + y.length][];
    System.arraycopy(x, 0, all, 0, x.length);
    System.arraycopy(y, 0, all, x.length, y.length);
    distances = new double[all.length][all.length];
    for (int i = 0; i < all.length; i++) {
      for (int j = 0; j < all.length; j++) {
        distances[i][j] = Math.hypot(all[i][0] - all[j][0], all[i][1] - all[j][1]);
      }
    }
    sums = Arrays.stream(distances).mapToDouble(row -> Arrays.stream(row).sum()).toArray();
  }

  /** The chance of so large a distance or a larger one, were the distributions the same. */
  double pValue(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] order = IntStream.range(0, distances.length).toArray();
    double observed = energyDistance(order);
    int atLeast = 1;
    for (int permutation = 0; permutation < PERMUTATIONS; permutation++) {
      for (int i = order.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
      if (energyDistance(order) >= observed) {
        atLeast++;
      }
    }
    return atLeast / (PERMUTATIONS + 1.0);
  }

  /** Looks at the pairs of the first sample; those of the second and between follow from sums. */
  private double energyDistance(int[] order) {
    double within1 = 0;
    double ofFirst = 0;
    for (int i = 0; i < first; i++) {
      double[] row = distances[order[i]];
      double before = 0;
      for (int j = 0; j < i; j++) {
        before += row[order[j]];
      }
      within1 += before;
      ofFirst += sums[order[i]];
    }
    double between = ofFirst - 2 * within1;
    double within2 = Arrays.stream(sums).sum() / 2 - within1 - between;
    double n = first;
    double m = order.length - n;
    return 2 * between / (n * m) - 2 * within1 / (n * n) - 2 * within2 / (m * m);
  }
}
