package org.ddpm4j.diffusion.sampling;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums of batches of equal shape, each times a factor, in the type of the first. */
final class LinearCombination {

  private LinearCombination() {}

  static INDArray of(double a, INDArray x, double b, INDArray y) {
    return of(new double[] {a, b}, List.of(x, y));
  }

  /** Terms of factor 0 do not count, whatever is in them. */
  static INDArray of(double[] factors, List<INDArray> terms) {
    INDArray first = terms.get(0);
    INDArray sum = factors[0] == 0 ? first.like() : first.mul(factors[0]);
    for (int k = 1; k < factors.length; k++) {
      if (factors[k] != 0) {
        add(sum, factors[k], terms.get(k));
      }
    }
    return sum;
  }

  /** Closes what it makes: the garbage collector, which sees small objects only, may wait long. */
  private static void add(INDArray sum, double factor, INDArray term) {
    try (INDArray scaled = term.mul(factor)) {
      if (scaled.dataType() == sum.dataType()) {
        sum.addi(scaled);
      } else {
        try (INDArray cast = scaled.castTo(sum.dataType())) {
          sum.addi(cast);
        }
      }
    }
  }
}
