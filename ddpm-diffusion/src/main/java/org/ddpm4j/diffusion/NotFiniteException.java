package org.ddpm4j.diffusion;

import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What a model is given or answers is no longer a finite number, so that no image can follow. */
public final class NotFiniteException extends RuntimeException {

  private static final long serialVersionUID = 1;

  private static final String OF_NETWORK =
      "check the model's weights and what it begins with, or compute in a higher precision";

  private static final String OF_TRAINING =
      "the training has diverged; begin another with a lower learning rate or stronger gradient clipping";

  private static final String OF_CODE = "check what it computes, and what it begins with";

  /** What is not finite, as a sentence begins with it. */
  private final String what;

  /** When it was asked for: a timestep, a severity. */
  private final String when;

  /** The same in more words, as the message has it. */
  private final String where;

  private final String remedy;

  private NotFiniteException(String what, String when, String where, String remedy) {
    super(Text.format("%s NaN or infinite %s; %s.", what, where, remedy));
    this.what = what;
    this.when = when;
    this.where = where;
    this.remedy = remedy;
  }

  private static NotFiniteException at(String when, String what, String remedy) {
    return new NotFiniteException(what, when, "at " + when, remedy);
  }

  /** The answer, unless what it was made of is not finite already. */
  private static String culprit(INDArray given, String images, String answer) {
    return BatchArithmetic.isFinite(given) ? "The " + answer + " is" : "The " + images + " are";
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
      String culprit = culprit(xt, "noisy images that the network gets", "network's output");
      throw at(timestep(t), culprit, OF_NETWORK);
    }
  }

  /**
   * Checks what a denoiser, which may be anybody's, estimated at a timestep.
   *
   * @param xt the noisy images that it was given
   * @param estimate what it answered
   * @param t the timestep, which may lie between two
   * @throws NotFiniteException if a part of the estimate has a value that is not finite; the
   *     message says which, and at which timestep
   */
  public static void requireFinite(INDArray xt, Denoiser.Estimate estimate, double t) {
    String part = partThatIsNot(estimate);
    if (part != null) {
      String culprit =
          culprit(xt, "noisy images that the denoiser gets", "denoiser's estimate of " + part);
      throw at(timestep(t), culprit, OF_CODE);
    }
  }

  private static String partThatIsNot(Denoiser.Estimate estimate) {
    if (!BatchArithmetic.isFinite(estimate.x0())) {
      return "x0";
    }
    if (!BatchArithmetic.isFinite(estimate.eps())) {
      return "ε";
    }
    return estimate.varianceInterpolation().filter(v -> !BatchArithmetic.isFinite(v)).isPresent()
        ? "the variance"
        : null;
  }

  /**
   * Checks what a restoration operator guessed.
   *
   * @param xs the degraded images that it was given
   * @param guess what it answered
   * @param severity of all of them
   * @throws NotFiniteException if the guess has a value that is not finite; the message says
   *     whether what it was of is finite, and at which severity
   */
  public static void requireFiniteGuess(INDArray xs, INDArray guess, int severity) {
    if (!BatchArithmetic.isFinite(guess)) {
      String culprit = culprit(xs, "degraded images that the operator gets", "operator's guess");
      throw at("severity " + severity, culprit, OF_CODE);
    }
  }

  /**
   * Checks what a sampler ends with.
   *
   * @param images that it gives
   * @param steps that it made
   * @throws NotFiniteException if they have a value that is not finite
   */
  public static void requireFiniteImages(INDArray images, int steps) {
    if (!BatchArithmetic.isFinite(images)) {
      String end = Text.format("after step %d of %d", steps, steps);
      throw new NotFiniteException(
          "What the sampler ends with is",
          end,
          end,
          "check what it computes of the denoiser's estimates, and the noise that it adds");
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
    return said(Text.format("from step %d of %d on (%s)", step, steps, when), remedy);
  }

  /**
   * The same, said of what a training draws on its way.
   *
   * @param step of the training whose weights draw, counted from 1
   * @return a new exception
   */
  public NotFiniteException withWeightsOf(long step) {
    return said(
        Text.format("%s, drawn with the weights of training step %d", where, step), OF_TRAINING);
  }

  private NotFiniteException said(String otherWhere, String otherRemedy) {
    NotFiniteException said = new NotFiniteException(what, when, otherWhere, otherRemedy);
    said.initCause(this);
    return said;
  }

  private static String timestep(double t) {
    return t == Math.rint(t) ? "timestep " + (long) t : "timestep " + t;
  }
}
