package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a multistep solver remembers within a run: its last estimates, newest first. */
final class History {

  private record Entry(NoiseLevel level, INDArray estimate) {}

  private final int capacity;
  private final List<Entry> entries = new ArrayList<>();

  History(int capacity) {
    this.capacity = capacity;
  }

  void add(NoiseLevel level, INDArray estimate) {
    // λ is -infinity where no signal is left: no polynomial goes through there.
    entries.removeIf(entry -> entry.level().alphaCumprod() == 0);
    entries.add(0, new Entry(level, estimate));
    if (entries.size() > capacity) {
      entries.remove(capacity);
    }
  }

  int size() {
    return entries.size();
  }

  INDArray estimate(int back) {
    return entries.get(back).estimate();
  }

  /** Where the newest few lie on a scale that is 0 at the beginning of a step and 1 at its end. */
  double[] nodes(NoiseStep step, ToDoubleFunction<NoiseLevel> scale, int count) {
    double start = scale.applyAsDouble(step.from());
    double length = scale.applyAsDouble(step.to()) - start;
    double[] nodes = new double[count];
    for (int k = 0; k < count; k++) {
      nodes[k] = (scale.applyAsDouble(entries.get(k).level()) - start) / length;
    }
    return nodes;
  }

  /** A sum of the state and the newest estimates. */
  INDArray combine(double stateFactor, INDArray state, double factor, double... weights) {
    double[] factors = new double[weights.length + 1];
    List<INDArray> terms = new ArrayList<>();
    factors[0] = stateFactor;
    terms.add(state);
    for (int k = 0; k < weights.length; k++) {
      factors[k + 1] = factor * weights[k];
      terms.add(estimate(k));
    }
    return BatchArithmetic.combine(factors, terms);
  }
}
