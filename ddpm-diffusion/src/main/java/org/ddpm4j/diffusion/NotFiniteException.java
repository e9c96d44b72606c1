package org.ddpm4j.diffusion;

import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a network is given or answers is no longer a finite number, so that no image can follow. */
public final class NotFiniteException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private static final String REMEDY =
      "check the model's weights and what it begins with, or compute in a higher precision";

  /** What is not finite, as a sentence begins with it. */
  private final String what;

  /** At which the network was asked. */
  private final double timestep;

  private NotFiniteException(String what, double timestep, String where) {
    super(Text.format("%s NaN or infinite %s; %s.", what, where, REMEDY));
    this.what = what;
    this.timestep = timestep;
  }

  /**
   * Checks what was computed at a timestep.
   *
   * @param xt the noisy images that the network was given
   * @param output what it answered
   * @param t the timestep, which may lie between two
   * @throws NotFiniteException if one has a value that is not finite; the message says which, and
   *     at which timestep
   */
  public static void requireFinite(INDArray xt, INDArray output, double t) {
    if (!BatchArithmetic.isFinite(output)) {
      String culprit =
          BatchArithmetic.isFinite(xt)
              ? "The network's output is"
              : "The noisy images that the network gets are";
      throw new NotFiniteException(culprit, t, "at " + timestep(t));
    }
  }

  /**
   * The same, said with the step of the sampling.
   *
   * @param step from which on it is so, counted from 1
   * @param steps of the whole
   * @return a new exception
   */
  public NotFiniteException inStep(int step, int steps) {
    NotFiniteException said =
        new NotFiniteException(
            what,
            timestep,
            Text.format("from step %d of %d on (%s)", step, steps, timestep(timestep)));
    said.initCause(this);
    return said;
  }

  private static String timestep(double t) {
    return t == Math.rint(t) ? "timestep " + (long) t : "timestep " + t;
  }
}
