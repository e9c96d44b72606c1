package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;

/** The loss or the gradient is no longer a finite number. The weights are those before the step. */
public final class TrainingDivergedException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /** AdamW moves each weight by about so much, and weights are around 1 at most. */
  private static final double LARGE_LEARNING_RATE = 0.1;

  /** The noise itself has the deviation 1. */
  private static final double LARGE_OFFSET_NOISE = 10;

  private final String found;

  /**
   * What went wrong.
   *
   * @param step in which, counted from 1
   * @param what is no finite number, for example "loss"
   * @param value that it has
   */
  public TrainingDivergedException(long step, String what, double value) {
    this(
        Text.format("Training diverged at step %d: the %s is %s", step, what, value),
        "check that the images of that step are finite, or train with a lower learning rate or stronger gradient clipping, from an earlier checkpoint if there is one");
  }

  private TrainingDivergedException(String found, String remedy) {
    super(Text.format("%s; %s.", found, remedy));
    this.found = found;
  }

  /**
   * The same of a training that is known: where a number of its configuration is out of all
   * proportion, the message says which.
   *
   * @param config of the training
   * @return this, or one with another remedy whose cause this is
   */
  TrainingDivergedException in(TrainingConfig config) {
    double offsetNoise = config.objective().offsetNoise();
    double learningRate = config.optimizer().learningRate();
    if (offsetNoise > LARGE_OFFSET_NOISE) {
      return because(
          Text.format(
              "the offset noise is %s, where 0.1 is usual; begin anew with less of it",
              offsetNoise));
    }
    if (learningRate > LARGE_LEARNING_RATE) {
      return because(
          Text.format(
              "the learning rate is %s, where thousandths are usual; begin anew with a lower learning rate",
              learningRate));
    }
    return this;
  }

  private TrainingDivergedException because(String remedy) {
    var known = new TrainingDivergedException(found, remedy);
    known.initCause(this);
    return known;
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
