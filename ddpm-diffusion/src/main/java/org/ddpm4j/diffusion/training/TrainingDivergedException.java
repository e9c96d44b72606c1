package org.ddpm4j.diffusion.training;

/** The loss or the gradient is no longer a finite number. The weights are those before the step. */
public final class TrainingDivergedException extends RuntimeException {

  private static final long serialVersionUID = 1;

  TrainingDivergedException(long step, String what, double value) {
    super(
        "Training diverged at step %d: the %s is %s; checkpoints before it are untouched, so resume from the last one with a lower learning rate or stronger gradient clipping."
            .formatted(step, what, value));
  }
}
