package org.ddpm4j.diffusion.training;

/** The loss or the gradient is no longer a finite number. The weights are those before the step. */
public final class TrainingDivergedException extends RuntimeException {

  private static final long serialVersionUID = 1;

  TrainingDivergedException(long step, String what, double value) {
    super(
        "Training diverged at step %d: the %s is %s; check that the images of that step are finite, or train from an earlier checkpoint with a lower learning rate or stronger gradient clipping."
            .formatted(step, what, value));
  }
}
