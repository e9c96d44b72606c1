package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link LearnedSinusoids}. Inputs: times, frequencies, gradient of the output.
 * Outputs: gradients of the times, which are zero, and of the frequencies.
 */
public final class LearnedSinusoidsGradient extends GradientOp {

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

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public boolean addsTo(int output) {
    return output == 1;
  }
}
