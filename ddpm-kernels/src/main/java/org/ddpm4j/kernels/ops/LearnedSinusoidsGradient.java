package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link LearnedSinusoids}. Inputs: times, frequencies, gradient of the output.
 * Outputs: gradients of the times, which are zero, and of the frequencies.
 */
public final class LearnedSinusoidsGradient extends ParameterGradientOp {

  /** For SameDiff. */
  public LearnedSinusoidsGradient() {
    super(2);
  }

  LearnedSinusoidsGradient(SameDiff graph, SDVariable t, SDVariable frequencies, SDVariable dy) {
    super(2, graph, t, frequencies, dy);
  }

  @Override
  public String opName() {
    return "ddpm_learned_sinusoids_bp";
  }
}
