package org.ddpm4j.cli.train;

import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;

/** Times the steps of a training, and stops it: as much time for warming up as for measuring. */
final class StepTimer implements TrainingListener {

  /** Until then threads have their plans. */
  private static final int WARM_UP_STEPS = 3;

  private final long nanos;
  private final long start = System.nanoTime();
  private long firstEnd;
  private long end;
  private long measured;

  StepTimer(double seconds) {
    nanos = (long) (seconds * 1e9);
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) {
    end = System.nanoTime();
    if (firstEnd == 0) {
      // Before the first step ends a device compiles its kernels, and that may take long.
      if (end - start >= nanos || report.step() >= WARM_UP_STEPS) {
        firstEnd = end;
      }
      return;
    }
    measured++;
    if (end - firstEnd >= nanos) {
      trainer.requestStop();
    }
  }

  double secondsPerStep() {
    return (end - firstEnd) / 1e9 / measured;
  }
}
