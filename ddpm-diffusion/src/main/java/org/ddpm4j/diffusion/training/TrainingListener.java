package org.ddpm4j.diffusion.training;

import java.io.IOException;

/** Is told how a training goes. Called on the training thread, between steps. */
@FunctionalInterface
public interface TrainingListener {

  /**
   * Called after every step.
   *
   * @param trainer in the state after the step
   * @param report of the step
   * @throws IOException stops the training
   */
  void onStep(Trainer trainer, StepReport report) throws IOException;

  /**
   * How a step went.
   *
   * @param step number of steps done
   * @param steps of the whole training
   * @param loss of this step's batch
   * @param images in this step's batch
   * @param window the report that this step completes, or null
   */
  record StepReport(long step, long steps, double loss, int images, LossHistory.Entry window) {

    /** {@return whether this was the last step} */
    public boolean isLast() {
      return step == steps;
    }
  }
}
