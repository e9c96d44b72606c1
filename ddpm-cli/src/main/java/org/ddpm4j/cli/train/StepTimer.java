package org.ddpm4j.cli.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.LongSupplier;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;

/**
 * Times the steps of a training until they no longer become faster, and stops it. The JIT compiler
 * takes seconds to do its best, and steps that were timed before then would make a plan of too few.
 */
final class StepTimer implements TrainingListener {

  /** Steps are as fast as they will be if they were not slower than by this share before. */
  private static final double STEADY = 0.02;

  /** So many times as long as it is measured, at most, is waited for that. */
  private static final int MOST_PARTS = 4;

  private final long nanos;
  private final LongSupplier clock;

  /** When each step ended. What comes before the first end is the making of plans and kernels. */
  private final List<Long> ends = new ArrayList<>();

  /**
   * A timer that has seen no step.
   *
   * @param seconds to measure; it takes twice as long at least, and four times at most
   * @param clock nanoseconds since any time, as {@link System#nanoTime}
   */
  StepTimer(double seconds, LongSupplier clock) {
    nanos = (long) (seconds * 1e9);
    this.clock = clock;
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) {
    if (isKnownAfterStep()) {
      trainer.requestStop();
    }
  }

  /**
   * Takes note of a step that ends now.
   *
   * @return whether it is known how long a step takes
   */
  boolean isKnownAfterStep() {
    ends.add(clock.getAsLong());
    int last = ends.size() - 1;
    long elapsed = ends.get(last) - ends.get(0);
    if (last == 0 || elapsed < 2 * nanos) {
      return false;
    }
    // Halves, as a gain that came late is seen in few steps of a whole part.
    int middle = before(last, nanos / 2);
    int first = before(middle, nanos / 2);
    return first == middle
        || elapsed >= MOST_PARTS * nanos
        || median(first, middle) <= (1 + STEADY) * median(middle, last);
  }

  /** The newest step that ended so long before another one did; the first if there is none. */
  private int before(int step, long time) {
    int found = Collections.binarySearch(ends, ends.get(step) - time);
    return Math.max(0, Math.min(found >= 0 ? found : -found - 2, step - 1));
  }

  /** The seconds that half of the steps after one, up to another, took at most. */
  private double median(int after, int last) {
    double[] steps = new double[last - after];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = (ends.get(after + i + 1) - ends.get(after + i)) / 1e9;
    }
    Arrays.sort(steps);
    int half = steps.length / 2;
    return steps.length % 2 == 1 ? steps[half] : (steps[half - 1] + steps[half]) / 2;
  }

  /** How long a step of the last part took, half of them less and half of them more. */
  double secondsPerStep() {
    int last = ends.size() - 1;
    return median(before(last, nanos), last);
  }
}
