package org.ddpm4j.diffusion.training;

import java.util.ArrayList;
import java.util.List;

/** The reports of a run, in the order of their steps. */
public final class LossHistory {

  private final List<Entry> entries = new ArrayList<>();

  /**
   * What a report says.
   *
   * @param step number of steps done
   * @param loss mean training loss since the report before
   * @param validationLoss of the held-out images, NaN where there are none
   * @param learningRate of the last step
   * @param gradientNorm mean Euclidean norm of the gradient before clipping since the report before
   */
  public record Entry(
      long step, double loss, double validationLoss, double learningRate, double gradientNorm) {}

  LossHistory() {}

  void add(Entry entry) {
    entries.add(entry);
  }

  void replaceBy(List<Entry> others) {
    entries.clear();
    entries.addAll(others);
  }

  /** {@return a copy of all reports} */
  public List<Entry> entries() {
    return List.copyOf(entries);
  }
}
