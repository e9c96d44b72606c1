package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Sines and cosines of the logarithms of noise levels with given frequencies (Song et al. 2021b,
 * appendix C.1, after Tancik et al. 2020). Inputs: t {@code [N]}, above 0, and frequencies {@code
 * [C]}. Output: {@code [sin(2π f log t), cos(2π f log t)]}, {@code [N,2C]}.
 */
public final class FourierEmbedding extends FusedOp {

  /** For SameDiff. */
  public FourierEmbedding() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param t noise levels {@code [N]}
   * @param frequencies {@code [C]}, which are not trained
   */
  public FourierEmbedding(SameDiff graph, SDVariable t, SDVariable frequencies) {
    super(1, graph, t, frequencies);
  }

  @Override
  public String opName() {
    return "ddpm_fourier_embedding";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], 2 * inputs.get(1)[0]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Noise levels and frequencies have no gradient.");
  }
}
