package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;

/** The loss or the gradient is no longer a finite number. The weights are those before the step. */
public final class TrainingDivergedException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /**
   * What went wrong.
   *
   * @param step in which, counted from 1
   * @param what is no finite number, for example "loss"
   * @param value that it has
   */
  public TrainingDivergedException(long step, String what, double value) {
    super(
        Text.format(
            "Training diverged at step %d: the %s is %s; check that the images of that step are finite, or train from an earlier checkpoint with a lower learning rate or stronger gradient clipping.",
            step, what, value));
  }

  /**
   * Checks a number of a step.
   *
   * @param step zero-based
   * @param what the number is, for example "loss"
   * @param value of it
   * @throws TrainingDivergedException if it is not finite
   */
  public static void requireFinite(long step, String what, double value) {
    if (!Double.isFinite(value)) {
      throw new TrainingDivergedException(step + 1, what, value);
    }
  }
}
